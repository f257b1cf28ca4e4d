# SPDX-License-Identifier: Apache-2.0
"""A small agency with a forum, and what its deeds leave behind."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, inspect, select, text

from server.instance import Instance
from server.posts import pages
from server.posts.pages import ThreadPage
from server.text import plain
from server.viewers import Viewer
from storage.base import Base
from storage.facts import FactRow
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers

Row = TypeVar("Row", bound=Base)


@dataclass
class Town:
    """Riverton: Sam administers, Ana and Dee write, one public forum."""

    instance: Instance
    sam: Member
    ana: Member
    dee: Member
    forum: Forum

    async def post(self, post: Post | int) -> Post:
        """The row as it is now."""
        return await row(self.instance, Post, post if isinstance(post, int) else post.id)

    async def forum_now(self) -> Forum:
        return await row(self.instance, Forum, self.forum.id)

    async def page(
        self, post: Post, viewer: Member | None = None, after: int | None = None
    ) -> ThreadPage:
        """The page of a thread as a member, or a visitor, gets it."""
        async with self.instance.reading() as session:
            now = self.instance.clock.now()
            return await pages.thread_page(session, Viewer(viewer), post.id, now, after=after)

    async def counts(self, *posts: Post) -> list[int]:
        """The reply counts of these posts."""
        return [(await self.post(post)).reply_count for post in posts]

    async def facts(self) -> list[str]:
        """The kinds of all facts recorded, in order."""
        async with self.instance.reading() as session:
            rows = await session.execute(select(FactRow.kind).order_by(FactRow.id))
            return list(rows.scalars())


def outline(nodes: list[pages.Node]) -> list[tuple[int, str]]:
    """(depth, text) of every reply in reading order."""
    return [(node.depth, plain(node.entry.post.html)) for node in pages.walk(nodes)]


async def settle(instance: Instance) -> Town:
    """The town, founded."""
    sam = await makers.member(instance, "sam", name="Sam Hale", admin=True)
    ana = await makers.member(instance, "ana")
    dee = await makers.member(instance, "dee")
    return Town(instance, sam, ana, dee, await makers.forum(instance, sam))


async def row(instance: Instance, table: type[Row], key: Any) -> Row:
    """One row, freshly read."""
    async with instance.reading() as session:
        return await session.get_one(table, key)


async def holds(instance: Instance, word: str) -> list[str]:
    """The tables of the database, search index included, that hold this word anywhere."""

    def look(connection: Connection) -> list[str]:
        tables = {table.name for table in Base.metadata.sorted_tables}
        tables |= set(inspect(connection).get_table_names())
        found = []
        for table in sorted(tables):
            for line in connection.execute(text(f'SELECT * FROM "{table}"')):  # noqa: S608
                if any(_has(value, word) for value in line):
                    found.append(table)
                    break
        return found

    found: list[str] = await instance.database.run_sync(look)
    return found


def _has(value: object, word: str) -> bool:
    if isinstance(value, bytes):
        return word.lower().encode() in value.lower()
    return word.lower() in str(value).lower()
