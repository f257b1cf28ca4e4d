# SPDX-License-Identifier: Apache-2.0
"""An agency open in two processes, and its pages kept and fresh."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from server.settings import Settings
from tests import makers
from tests.clock import TurnableClock
from tests.server.town import Town, settle
from web.app import create_app
from web.cache import PageCache


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


@pytest.fixture
async def other(town: Town, settings: Settings, clock: TurnableClock) -> AsyncIterator[Town]:
    """The same agency as another process has it open: other connections, other memory."""
    instance = await Instance.open(settings, clock=clock)
    yield Town(instance, town.sam, town.ana, town.dee, town.forum)
    await instance.close()


def cache_of(app: Starlette) -> PageCache:
    """The page cache of an application that has answered something."""
    at = app.middleware_stack
    while not isinstance(at, PageCache):
        at = getattr(at, "app", None) or at._app  # type: ignore[union-attr]
    return at


async def fresh(instance: Instance, path: str) -> httpx.Response:
    """The page as an application gives it that has kept nothing."""
    async with makers.browser(create_app(instance, worker=False)) as client:
        return await client.get(path)
