# SPDX-License-Identifier: Apache-2.0
"""What the tests of the calls for apps begin with."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from storage.members import Member
from tests import makers
from tests.web.api.app import app_of
from tests.web.api.room import Room


@pytest.fixture
async def room(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> Room:
    ana = await makers.member(instance)
    forum = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, forum, tags=("permits",))
    await makers.follow(instance, ana, forum)
    await makers.sign_in(client, instance, ana)
    phone = await app_of(client, instance, ana)
    return Room(instance, client, admin, ana, forum, thread, phone, app)


@pytest.fixture
async def ana(instance: Instance, admin: Member) -> Member:
    """Ana Ruiz."""
    return await makers.member(instance)


@pytest.fixture
async def browser(
    app: Starlette, instance: Instance, ana: Member
) -> AsyncIterator[httpx.AsyncClient]:
    """Ana's browser, signed in."""
    async with makers.browser(app) as opened:
        await makers.sign_in(opened, instance, ana)
        yield opened
