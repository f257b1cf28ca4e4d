# SPDX-License-Identifier: Apache-2.0
"""A database of each kind to fill."""

from tests.databases import database_url as database_url
