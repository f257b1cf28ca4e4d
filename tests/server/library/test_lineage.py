# SPDX-License-Identifier: Apache-2.0
"""Adaptations, discussions and lists of practices, on both kinds of database."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from server.errors import Gone, Invalid
from server.library import distilling, drafts, lineage, lists, publishing
from server.library.lineage import Lineage
from server.library.pages import practice_page, read
from server.notifications import Notice
from server.posts import editing, pages
from server.posts.drafts import EditDraft
from server.practices import ancestry, record
from server.practices.record import Record, Source
from server.records.editions import Edition
from server.viewers import VISITOR, Viewer
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.notifications import Notification
from storage.posts import Post
from storage.practices import Practice
from tests import databases, makers
from tests.server.library.bench import PERMITS, published
from tests.server.town import Town, row
from tests.statements import counted

database_url = databases.database_url


async def adapted(town: Town, member: Member, source: Post, forum: Forum, **fields: str) -> Post:
    """An adaptation with these fields, published."""
    town.instance.clock.turn(minutes=1)  # type: ignore[attr-defined]
    async with town.instance.transaction() as tx:
        draft = await lineage.adapt(tx, member, source)
        held = drafts.fields_of(draft)
        await drafts.save(tx, member, draft.id, {n: held.get(n, "") for n in fields}, fields)
        await drafts.place(tx, member, draft.id, forum.id)
    async with town.instance.transaction() as tx:
        return await publishing.publish(tx, member, draft.id)


async def revised(town: Town, post: Post, note: str, **fields: str) -> None:
    town.instance.clock.turn(minutes=1)  # type: ignore[attr-defined]
    async with town.instance.transaction() as tx:
        draft = await lineage.revise(tx, town.ana, post)
        held = drafts.fields_of(draft)
        await drafts.save(tx, town.ana, draft.id, {n: held.get(n, "") for n in fields}, fields)
    async with town.instance.transaction() as tx:
        await publishing.publish(tx, town.ana, draft.id, note)


async def seen(town: Town, post: Post, viewer: Viewer = VISITOR) -> Lineage:
    async with town.instance.reading() as session:
        practice = await session.get_one(Practice, post.id)
        return await lineage.lineage_of(session, viewer, practice, post.uri)


async def test_a_lineage_is_one_tree_however_deep(town: Town) -> None:
    original = await published(town.instance, town.ana, town.forum)
    child = await adapted(town, town.dee, original, town.forum, name="Two-clock permits")
    grandchild = await adapted(town, town.sam, child, town.forum, name="Three clocks")
    mine = await row(town.instance, Practice, grandchild.id)
    assert (mine.root, mine.based_on, mine.based_on_version) == (original.uri, child.uri, 1)
    source = record.unpack(mine.record).based_on[0]
    assert (source.uri, source.version) == (child.uri, 1)
    assert "outcomes" not in source.changed
    assert "about" in source.changed
    found = (await seen(town, original)).family
    assert [kin.title for kin in found.adaptations] == ["Two-clock permits"]
    assert found.tree is not None
    assert [kin.title for kin in found.tree.children[0].children] == ["Three clocks"]
    assert (await seen(town, grandchild)).family.source == found.tree.children[0]
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.dee, child)
    lost = (await seen(town, grandchild)).family
    assert (lost.source, lost.source_uri) == (None, child.uri)
    with pytest.raises(Gone):
        async with town.instance.transaction() as tx:
            await lineage.adapt(tx, town.sam, await tx.session.get_one(Post, child.id))


async def test_who_learns_of_an_earlier_ancestor_sets_the_roots_below_anew(town: Town) -> None:
    known = await published(town.instance, town.ana, town.forum)
    child = await adapted(town, town.dee, known, town.forum, name="Two-clock permits")
    grandchild = await adapted(town, town.sam, child, town.forum, name="Three clocks")
    first = Source(uri="https://cascadia.example/p/1", version=3)
    async with town.instance.transaction() as tx:
        held = await tx.session.get_one(Practice, known.id)
        says = replace(record.unpack(held.record), based_on=(first,))
        edition = Edition(says, 2, "Says where it is from.", town.ana.id)
        await publishing.apply(tx, await tx.session.get_one(Post, known.id), edition)
    for post in (known, child, grandchild):
        assert (await row(town.instance, Practice, post.id)).root == first.uri
    async with town.instance.reading() as session:
        last = await session.get_one(Practice, grandchild.id)
        found = await ancestry.above(session, last, grandchild.uri)
    assert found == {child.uri, known.uri, first.uri}
    # Strangers may name each other: their copies end at the first that was known.
    circle = Source(uri=grandchild.uri, version=1)
    async with town.instance.transaction() as tx:
        says = replace(says, based_on=(circle,))
        edition = Edition(says, 3, "Turns in a circle.", town.ana.id)
        await publishing.apply(tx, await tx.session.get_one(Post, known.id), edition)
    family = (await seen(town, known)).family
    assert family.source is not None
    assert family.source.uri == grandchild.uri


async def test_an_adaptation_is_told_what_changed_at_its_source(town: Town) -> None:
    original = await published(town.instance, town.ana, town.forum)
    child = await adapted(town, town.dee, original, town.forum)
    assert (await seen(town, child)).news == ()
    await revised(town, original, "Faxes as well.", notWorked="Scans.\nFaxes.", stage="scaled")
    assert (await seen(town, child)).news == ("Costs, staff and time", "What did not work")
    async with town.instance.reading() as session:
        told = select(Notification.member_id, Notification.post_id).where(
            Notification.kind == Notice.SOURCE
        )
        assert (await session.execute(told)).all() == [(town.dee.id, child.id)]


async def test_nobody_learns_of_kin_they_may_not_see(town: Town) -> None:
    closed = await makers.forum(
        town.instance, town.sam, "staff", title="Staff", visibility=Visibility.MEMBERS
    )
    original = await published(town.instance, town.ana, town.forum)
    hidden = await adapted(town, town.sam, original, closed, name="Behind the door")
    assert (await seen(town, original)).is_empty
    assert [
        kin.id for kin in (await seen(town, original, Viewer(town.sam))).family.adaptations
    ] == [hidden.id]
    async with town.instance.reading() as session:
        assert (await lists.browse(session, VISITOR, {})).lines[0].post.id == original.id
        assert len((await lists.browse(session, Viewer(town.sam), {})).lines) == 2
        found = await lists.compared(session, VISITOR, [hidden.id, original.id])
        assert [one.post.id for one in found] == [original.id]


def test_an_adaptation_takes_over_what_to_do_and_not_what_came_of_it() -> None:
    theirs = record.parse(
        {
            "v": 1, "name": "Permits", "summary": "It works.", "problem": "p", "solution": "s",
            "steps": [{"title": "One", "xPhoto": 1}], "conditions": [{"text": "Payment"}],
            "outcomes": [{"indicator": "Days", "unit": "d", "direction": "down",
                          "baseline": {"value": 21, "n": 3}, "actual": {"value": 12}, "xWho": "x"}],
            "costs": {"startup": 5, "currency": "USD"}, "contact": "marek@lakeside.example.gov",
            "credits": [{"name": "Marek"}], "notWorked": ["Scans"], "xKept": {"a": 1},
        }
    )  # fmt: skip
    ours = lineage.adapted(theirs, "City of Riverton", Record().setting)
    assert (ours.problem, ours.steps, ours.conditions) == (
        theirs.problem, theirs.steps, theirs.conditions,
    )  # fmt: skip
    assert (ours.agency, ours.novelty) == ("City of Riverton", "adaptation")
    only = ours.outcomes[0]
    assert (only.indicator, only.direction, only.baseline.value, only.actual.value) == (
        "Days", "down", None, None,
    )  # fmt: skip
    for name in ("costs", "contact", "credits", "not_worked", "partners"):
        assert getattr(ours, name) == getattr(Record(), name), name


async def distilled(town: Town, member: Member, thread: Post, chosen: set[int]) -> int:
    async with town.instance.reading() as session:
        page = await distilling.distil_page(session, Viewer(member), thread.id)
    async with town.instance.transaction() as tx:
        return (await distilling.distil(tx, member, page, chosen)).id


async def test_a_closed_discussion_lends_its_words_and_no_names_to_a_public_practice(
    town: Town,
) -> None:
    inside = await makers.forum(
        town.instance, town.sam, "inside", title="Inside", visibility=Visibility.INSTANCE
    )
    thread = await makers.thread(town.instance, town.dee, inside)
    answer = await makers.reply(town.instance, town.dee, thread, "From completeness.")
    for forum, credited in ((town.forum, False), (inside, True)):
        number = await distilled(town, town.ana, thread, {answer.id})
        async with town.instance.transaction() as tx:
            await drafts.save(tx, town.ana, number, {"summary": ""}, {"summary": "Count so."})
            await drafts.place(tx, town.ana, number, forum.id)
            post = await publishing.publish(tx, town.ana, number)
        practice = record.unpack((await row(town.instance, Practice, post.id)).record)
        assert bool(practice.credits) is credited
        assert practice.derived_from == ((thread.uri,) if credited else ())
        assert ("@dee" in post.source) is credited
        async with town.instance.reading() as session:
            assert await lists.came_of(session, Viewer(town.ana), thread.id)
            now = town.instance.clock.now()
            for viewer, known in ((Viewer(town.ana), 1), (VISITOR, 0)):
                if viewer is VISITOR and forum is inside:
                    continue
                page = await pages.thread_page(session, viewer, post.id, now)
                shown = await practice_page(session, viewer, page, now)
                assert len(shown.discussions) == known


async def test_only_so_many_replies_can_be_chosen(town: Town) -> None:
    thread = await makers.thread(town.instance, town.dee, town.forum)
    with pytest.raises(Invalid, match="at most 30"):
        await distilled(town, town.ana, thread, set(range(31)))
    assert await distilled(town, town.ana, thread, {7})


async def test_pages_ask_as_many_questions_however_much_there_is(town: Town) -> None:
    original = await published(town.instance, town.ana, town.forum)
    now = town.instance.clock.now()

    async def asked() -> int:
        with counted(town.instance.database._read.sync_engine) as sent:
            async with town.instance.reading() as session:
                page = await pages.thread_page(session, VISITOR, original.id, now)
                shown = await practice_page(session, VISITOR, page, now)
                assert not shown.lineage.is_empty or not shown.lineage.family.adaptations
                await lists.browse(session, VISITOR, {"topic": "permits-and-licensing"})
                await read(session, VISITOR, original.id)
        return len(sent)

    before = await asked()
    for number in range(4):
        await adapted(town, town.dee, original, town.forum, name=f"Adaptation {number}")
    assert await asked() == before


async def test_a_change_of_the_post_alone_leaves_the_record(town: Town) -> None:
    """As an Update that carries no record would: the practice stays as it was told last."""
    post = await published(town.instance, town.ana, town.forum)
    async with town.instance.transaction() as tx:
        held = await tx.session.get_one(Post, post.id)
        await editing.apply_edit(tx, held, EditDraft("Another title", "Another text"))
    practice = record.unpack((await row(town.instance, Practice, post.id)).record)
    assert practice.name == PERMITS["name"]
