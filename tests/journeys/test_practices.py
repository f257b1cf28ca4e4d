# SPDX-License-Identifier: Apache-2.0
"""A practice of Lakeside's at Riverton, over real HTTP."""

import json

from sqlalchemy import select

from server.library import drafts, pages, publishing
from server.library.drafts import Beginning
from server.posts import editing
from server.practices.record import dump, unpack
from server.practices.typed import typed_of
from server.viewers import VISITOR
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostState
from storage.practices import Practice, PracticeVersion
from tests import makers
from tests.journeys.agency import Agency, until
from tests.server.library.bench import published


async def practice_at(agency: Agency, uri: str, version: int = 1) -> Practice:
    """Wait until an agency holds a practice in a version."""

    async def held() -> Practice | None:
        async with agency.instance.reading() as session:
            question = (
                select(Practice)
                .join(Post, Post.id == Practice.post_id)
                .where(Post.uri == uri, Practice.version == version)
            )
            return (await session.execute(question)).scalar_one_or_none()

    return await until(f"version {version} of {uri} at {agency.name}", held)


async def revised(agency: Agency, author: Member, post: Post, note: str, **fields: str) -> None:
    """The next version of a practice."""
    agency.clock.turn(minutes=2)
    practice = await practice_at(agency, post.uri)
    typed = {**typed_of(unpack(practice.record)), **fields}
    async with agency.instance.transaction() as tx:
        beginning = Beginning(typed, post=post.id, source_version=practice.version)
        draft = await drafts.begin(tx, author, beginning)
    async with agency.instance.transaction() as tx:
        await publishing.publish(tx, author, draft.id, note)


async def permits(lakeside: Agency) -> Forum:
    return await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")


async def test_a_practice_travels_whole_with_its_versions(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    before = await published(lakeside.instance, lakeside.admin, forum, name="Counter hours")
    ana = await makers.member(riverton.instance, "ana")
    copy = await riverton.follow(ana, forum.uri)
    older = await practice_at(riverton, before.uri)
    assert json.loads(older.record)["name"] == "Counter hours"

    post = await published(lakeside.instance, lakeside.admin, forum)
    home, here = await practice_at(lakeside, post.uri), await practice_at(riverton, post.uri)
    assert (here.record, here.digest, here.parts) == (home.record, home.digest, home.parts)
    assert (here.evidence, here.why) == (home.evidence, home.why)
    assert here.agency == "City of Lakeside"
    held = await riverton.sees(post.uri, kind=Kind.PRACTICE, title="Digital permits")
    page = await riverton.page(f"/p/{held.id}/{held.slug}", ana)
    assert page.status_code == 200
    for words in ("12.6", "−40 %", "Permit manager", "Electronic payment", "Measured"):
        assert words in page.text, words
    async with riverton.instance.reading() as session:
        read = await pages.read(session, VISITOR, held.id)
        assert dump(read.record)["costs"] == {"startup": 140_000, "currency": "USD"}
    library = await riverton.page("/practices?topic=permits-and-licensing", ana)
    assert "Digital permits" in library.text

    await revised(lakeside, lakeside.admin, post, "The target was 12.", **{
        "outcomes.1.target.value": "12"
    })  # fmt: skip
    changed = await practice_at(riverton, post.uri, version=2)
    assert unpack(changed.record).outcomes[0].target.value == 12
    async with riverton.instance.reading() as session:
        rows = await session.execute(
            select(PracticeVersion.version, PracticeVersion.note)
            .where(PracticeVersion.post_id == held.id)
            .order_by(PracticeVersion.version)
        )
        assert [tuple(row) for row in rows] == [
            (1, "First published."), (2, "The target was 12."),
        ]  # fmt: skip

    ours = await published(riverton.instance, ana, copy, name="Inspections by video")
    assert ours.state == PostState.SENT
    there = await practice_at(lakeside, ours.uri)
    assert there.record == (await practice_at(riverton, ours.uri)).record
    await riverton.sees(ours.uri, state=PostState.LIVE)

    async with lakeside.instance.transaction() as tx:
        await editing.remove(tx, lakeside.admin, post)
    await riverton.sees(post.uri, state=PostState.DELETED, html="", title="")
    async with riverton.instance.reading() as session:
        assert await session.get(Practice, held.id) is None
