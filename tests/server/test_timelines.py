# SPDX-License-Identifier: Apache-2.0
"""Timelines are paged through whole, both ways, while posts arrive."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from server.instance import Instance
from server.timelines import lists
from server.timelines.spans import Span, boost_of
from server.timelines.statuses import Line
from server.viewers import Viewer
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostMention, PostState
from tests import makers
from tests.databases import database_url as database_url

MANY = 1_000
Timeline = Callable[[AsyncSession, Viewer, Span], Awaitable[list[Line]]]


async def _arrive(instance: Instance, author: Member, forum: Forum, count: int) -> list[int]:
    """Threads, a second apart; every seventh is a reply that names Ana."""
    made: list[int] = []
    async with instance.transaction() as tx:
        began = tx.now
        for number in range(count):
            written = began + timedelta(seconds=number - count)
            identifier = tx.ids.at(written)
            is_reply = bool(made) and number % 7 == 6
            uri = f"{instance.settings.origin}/p/{identifier}"
            tx.session.add(
                Post(
                    id=identifier, uri=uri, url=uri, forum_id=forum.id, author_id=author.id,
                    kind=Kind.REPLY if is_reply else Kind.THREAD,
                    thread_id=made[0] if is_reply else identifier,
                    parent_id=made[0] if is_reply else None,
                    published=written, arrived=began, bumped=written, state=PostState.LIVE,
                )
            )  # fmt: skip
            made.append(identifier)
    return made


@pytest.fixture
async def reader(instance: Instance, admin: Member) -> Member:
    return await makers.member(instance)


async def _walked(
    instance: Instance,
    reader: Member,
    timeline: Timeline,
    limit: int,
    more: Callable[[], Awaitable[None]],
) -> tuple[list[int], list[int]]:
    """The posts of a timeline from the newest down, and from the oldest up again."""
    down: list[int] = []
    last: int | None = None
    while True:
        async with instance.reading() as session:
            page = await timeline(session, Viewer(reader), Span(limit, max_id=last))
        if not page:
            break
        assert len(page) <= limit
        down += [line.post for line in page]
        last = page[-1].id
        if len(down) % 5 == 0:
            await more()
    up: list[int] = []
    first = boost_of(down[-1])
    while True:
        async with instance.reading() as session:
            page = await timeline(session, Viewer(reader), Span(limit, min_id=first))
        if not page:
            break
        up = [line.post for line in page] + up
        first = page[0].id
    return down, up


async def test_a_thousand_items_are_walked_both_ways_while_posts_arrive(
    instance: Instance, admin: Member, reader: Member
) -> None:
    """No item twice and none missing, in each kind of timeline."""
    forum = await makers.forum(instance, admin)
    await makers.follow(instance, reader, forum)
    instance.clock.turn(hours=1)  # type: ignore[attr-defined]
    made = await _arrive(instance, admin, forum, MANY)
    async with instance.transaction() as tx:
        replies = [one for number, one in enumerate(made) if number % 7 == 6]
        for post in replies:
            tx.session.add(PostMention(post_id=post, member_id=reader.id))
    late: list[int] = []

    async def more() -> None:
        instance.clock.turn(minutes=1)  # type: ignore[attr-defined]
        late.extend(await _arrive(instance, admin, forum, 1))

    threads = [one for one in made if one not in set(replies)]
    for timeline, limit, expected in (
        (lists.home, 40, made),
        (lists.public, 40, threads),
        (partial(lists.of_forum, forum=forum.id), 33, threads),
        (partial(lists.of_member, member=admin), 40, made),
    ):
        newer = list(late)
        down, up = await _walked(instance, reader, timeline, limit, more)
        assert down == sorted([*expected, *newer], reverse=True)
        assert up == sorted([*expected, *late], reverse=True)[:-1]
    assert len(late) > 8


async def test_since_is_the_newest_and_min_the_next(
    instance: Instance, admin: Member, reader: Member
) -> None:
    forum = await makers.forum(instance, admin)
    made = await _arrive(instance, admin, forum, 10)
    threads = [one for number, one in enumerate(made) if number % 7 != 6]
    async with instance.reading() as session:
        newest = await lists.public(session, Viewer(reader), Span(2, since_id=threads[0]))
        following = await lists.public(session, Viewer(reader), Span(2, min_id=threads[0]))
        bounded = await lists.public(
            session, Viewer(reader), Span(40, max_id=threads[5], since_id=threads[2])
        )
    assert [line.post for line in newest] == threads[:-3:-1]
    assert [line.post for line in following] == [threads[2], threads[1]]
    assert [line.post for line in bounded] == [threads[4], threads[3]]
    async with instance.transaction() as tx:
        await tx.session.execute(
            update(Post).where(Post.id == threads[-1]).values(state=PostState.DELETED)
        )
    async with instance.reading() as session:
        left = await lists.public(session, Viewer(reader), Span(1))
    assert [line.post for line in left] == [threads[-2]]
