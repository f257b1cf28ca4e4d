# SPDX-License-Identifier: Apache-2.0
"""A database of each kind to fill."""

from tests.databases import database_url as database_url
from tests.databases import postgres_server as postgres_server
from tests.databases import postgres_template as postgres_template
from tests.databases import postgres_url as postgres_url
