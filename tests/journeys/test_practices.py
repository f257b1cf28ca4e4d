# SPDX-License-Identifier: Apache-2.0
"""A practice of Lakeside's at Riverton, over real HTTP."""

import json

from sqlalchemy import select

from server.library import drafts, pages, publishing, replicating
from server.posts import editing
from server.practices import reporting
from server.practices.evidence import sites
from server.practices.keeping import library
from server.practices.record import dump, unpack
from server.practices.reporting import Report
from server.practices.standing import gather
from server.practices.typed import typed_of
from server.records.editions import Beginning
from server.viewers import VISITOR
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostState
from storage.practices import Practice, PracticeVersion
from storage.replications import Announcing
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


async def had_before(agency: Agency, practice: Practice, words: str) -> None:
    """Wait until an agency holds what a practice said in its first version."""

    async def whole() -> bool:
        question = select(PracticeVersion.record).where(
            PracticeVersion.post_id == practice.post_id, PracticeVersion.version == 1
        )
        async with agency.instance.reading() as session:
            found = (await session.execute(question)).scalar_one_or_none()
        return found is not None and words in found

    await until(f"{words} in the first version at {agency.name}", whole)


async def test_a_practice_travels_whole_with_its_versions(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    before = await published(lakeside.instance, lakeside.admin, forum, name="Counter hours")
    await revised(lakeside, lakeside.admin, before, "Saturdays.", problem="Closed on Saturdays.")
    ana = await makers.member(riverton.instance, "ana")
    copy = await riverton.follow(ana, forum.uri)
    older = await practice_at(riverton, before.uri, version=2)
    assert json.loads(older.record)["name"] == "Counter hours"
    await had_before(riverton, older, "Two thirds")

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


def adopted(before: float = 21, after: float = 12.6, **members: object) -> Report:
    """What Riverton measured when it did the same."""
    outcome = {
        "indicator": "Days from filing to permit",
        "unit": "days",
        "direction": "down",
        "baseline": {"value": before, "date": "2025-11", "n": 300},
        "actual": {"value": after, "date": "2026-09", "n": 310},
        **members,
    }
    document = {"v": 1, "of": "https://x.example/p/1", "changed": "No scanned drawings.",
                "outcomes": [outcome]}  # fmt: skip
    return reporting.parse(document)


async def proved(agency: Agency, uri: str) -> set[str]:
    """The other agencies where, by this agency's own reckoning, a practice worked as well."""
    practice = await practice_at(agency, uri)
    async with agency.instance.reading() as session:
        grounds = await gather(
            session, practice, unpack(practice.record), await library(session), agency.clock.now()
        )
    return sites(grounds)[0]


async def test_a_report_of_another_agency_is_seen_and_counted_at_both(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    ana = await makers.member(riverton.instance, "ana")
    await riverton.follow(ana, forum.uri)
    practice = await published(lakeside.instance, lakeside.admin, forum)
    await practice_at(riverton, practice.uri)
    here = await riverton.sees(practice.uri)
    riverton.clock.turn(minutes=2)
    async with riverton.instance.transaction() as tx:
        report = await replicating.report(tx, ana, here, adopted())
    there = await lakeside.sees(report.uri, kind=Kind.REPLICATION, state=PostState.LIVE)
    await riverton.sees(report.uri, state=PostState.LIVE)
    assert there.title == "Replication: Digital permits"
    for agency, other in ((lakeside, {"riverton.localhost"}), (riverton, {"here"})):

        async def counted(agency: Agency = agency, other: set[str] = other) -> bool:
            return await proved(agency, practice.uri) == other

        await until(f"the report as counted at {agency.name}", counted)
        held = await practice_at(agency, practice.uri)
        assert "Worked at 1 other agency as well" in held.why
        post = await agency.sees(practice.uri, reply_count=1)
        page = await agency.page(f"/p/{post.id}/{post.slug}")
        assert "City of Riverton" in page.text
        assert page.text.count("−40 %") >= 2
        [_, note] = await agency.thread_of(post)
        assert "21 to 12.6 days (−40 %)" in note.html
        async with agency.instance.reading() as session:
            assert (await session.get_one(Announcing, note.id)).announces == report.uri
    async with riverton.instance.transaction() as tx:
        await editing.remove(tx, ana, report)
    await lakeside.sees(report.uri, state=PostState.DELETED)
    assert await proved(lakeside, practice.uri) == set()
