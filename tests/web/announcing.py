# SPDX-License-Identifier: Apache-2.0
"""A webinar in a forum, and people with a browser each."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.server.calendar.bench import announced


@dataclass
class Scene:
    """Ana's webinar in Sam's forum, with a browser each."""

    instance: Instance
    forum: Forum
    post: Post
    browsers: dict[str, httpx.AsyncClient]

    @property
    def path(self) -> str:
        return f"/p/{self.post.id}"

    async def read(self, who: str, path: str) -> str:
        """A page that is there."""
        answer = await self.browsers[who].get(path)
        assert answer.status_code == 200, (who, path, answer.status_code)
        return answer.text

    async def page(self, who: str) -> str:
        """The event's page."""
        return await self.read(who, f"{self.path}/{self.post.slug}")

    async def send(self, who: str, path: str, **fields: str) -> httpx.Response:
        return await makers.submit(self.browsers[who], path, **fields)


@pytest.fixture
async def scene(app: Starlette, instance: Instance, admin: Member) -> AsyncIterator[Scene]:
    people = {name: await makers.member(instance, name) for name in ("ana", "dee", "lee")}
    forum = await makers.forum(instance, admin)
    post = await announced(instance, people["ana"], forum)
    async with AsyncExitStack() as stack:
        browsers = {}
        for name in ("visitor", *people, "sam"):
            browsers[name] = await stack.enter_async_context(makers.browser(app))
            if name != "visitor":
                await makers.sign_in(browsers[name], instance, people.get(name, admin))
        yield Scene(instance, forum, post, browsers)
