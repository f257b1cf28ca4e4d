# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL for the modules that ask for either kind of database."""

from tests.databases import postgres_server as postgres_server
from tests.databases import postgres_template as postgres_template
from tests.databases import postgres_url as postgres_url
