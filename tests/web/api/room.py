# SPDX-License-Identifier: Apache-2.0
"""A forum with a thread, a member who follows it, and her app."""

from dataclasses import dataclass

import httpx
from starlette.applications import Starlette

from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests.web.api.app import App


@dataclass
class Room:
    """A thread by Sam in a forum that Ana follows, and her app."""

    instance: Instance
    client: httpx.AsyncClient
    sam: Member
    ana: Member
    forum: Forum
    thread: Post
    app: App
    app_of_site: Starlette

    async def page(self, path: str) -> str:
        """A page of the site as Ana reads it, in words."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, path
        return answer.text
