# SPDX-License-Identifier: Apache-2.0
"""A forum with a practice in it, and Ana, who wrote it."""

import httpx
import pytest

from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.server.library.bench import published


@pytest.fixture
async def counters(instance: Instance, admin: Member) -> Forum:
    return await makers.forum(instance, admin)


@pytest.fixture
async def ana(client: httpx.AsyncClient, instance: Instance, counters: Forum) -> Member:
    """Ana, signed in."""
    assert counters.is_local
    member = await makers.member(instance)
    await makers.sign_in(client, instance, member)
    return member


@pytest.fixture
async def permits(instance: Instance, ana: Member, counters: Forum) -> Post:
    """Ana's measured practice."""
    return await published(instance, ana, counters)
