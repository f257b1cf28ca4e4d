# SPDX-License-Identifier: Apache-2.0
"""An open database of each kind."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.databases import database_url as database_url
from tests.databases import empty_url as empty_url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database; each test runs on both kinds."""
    opened = Database(database_url)
    yield opened
    await opened.close()
