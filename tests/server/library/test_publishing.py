# SPDX-License-Identifier: Apache-2.0
"""Publishing: a post like any other, its versions, and its end."""

import json

import pytest
from sqlalchemy import select

from server import search
from server.errors import Invalid, NotAllowed, NotFound, Refusal
from server.library import drafts, publishing
from server.posts import editing
from server.posts.drafts import EditDraft
from server.practices import record
from server.practices.evidence import Step
from server.practices.record import Record
from server.practices.standing import standing_of
from server.practices.typed import typed_of
from server.records.editions import Beginning, Edition
from server.viewers import VISITOR, Viewer
from storage.forums import Visibility
from storage.posts import Kind, Post
from storage.practices import Practice, PracticeDraft, PracticeFacet, PracticeVersion
from tests import makers
from tests.server.library.bench import PERMITS, begun, published
from tests.server.town import Town, holds, row


async def held(town: Town, post: Post) -> Practice:
    return await row(town.instance, Practice, post.id)


async def versions(town: Town, post: Post) -> list[tuple[int, str]]:
    async with town.instance.reading() as session:
        rows = await session.execute(
            select(PracticeVersion.version, PracticeVersion.note)
            .where(PracticeVersion.post_id == post.id)
            .order_by(PracticeVersion.version)
        )
        return [(version, note) for version, note in rows]


async def revised(town: Town, post: Post, note: str, **fields: str) -> Post:
    """The next version of a practice by Ana, with some fields changed."""
    town.instance.clock.turn(minutes=1)  # type: ignore[attr-defined]
    practice = await held(town, post)
    typed = {**typed_of(record.unpack(practice.record)), **fields}
    beginning = Beginning(typed, post=post.id, source_version=practice.version)
    async with town.instance.transaction() as tx:
        draft = await drafts.begin(tx, town.ana, beginning)
    async with town.instance.transaction() as tx:
        return await publishing.publish(tx, town.ana, draft.id, note)


async def test_a_published_practice_is_a_post_with_a_record(town: Town) -> None:
    post = await published(town.instance, town.ana, town.forum)
    practice = await held(town, post)
    assert (post.kind, post.is_thread, post.title) == (Kind.PRACTICE, True, "Digital permits")
    assert "<strong>before</strong>" in post.html
    assert practice.version == 1
    assert practice.agency == "City of Riverton"
    assert practice.root == post.uri
    assert json.loads(practice.parts)["solution"].startswith("<p>The form says")
    assert record.unpack(practice.record).outcomes[0].actual.value == 12.6
    assert await versions(town, post) == [(1, "First published.")]
    assert standing_of(practice).step is Step.MEASURED
    assert (await town.facts())[-2:] == ["ThreadPosted", "PracticePublished"]
    assert await row_count(town, PracticeDraft) == 0
    async with town.instance.reading() as session:
        for words in ("refuses incomplete", "permit manager", "scanned drawings"):
            assert await search.matching(session, VISITOR, words) == [post.id]
        facets = await session.execute(
            select(PracticeFacet.facet, PracticeFacet.value).where(PracticeFacet.post_id == post.id)
        )
        assert {("function", "04"), ("function", "04.1"), ("level", "city"), ("evidence", "2")} <= {
            (facet, value) for facet, value in facets
        }


async def row_count(town: Town, table: type[PracticeDraft]) -> int:
    async with town.instance.reading() as session:
        return len((await session.execute(select(table.id))).all())


async def test_what_is_wrong_is_told_by_field_and_the_draft_stays(town: Town) -> None:
    number = await begun(
        town.instance,
        town.ana,
        town.forum,
        name="",
        outcomes__1__baseline__value="",
        started="2025-02-30",
    )
    with pytest.raises(Invalid) as refused:
        async with town.instance.transaction() as tx:
            await publishing.publish(tx, town.ana, number)
    assert {"name", "outcomes.1.baseline.value", "started"} == set(refused.value.fields)
    without = await begun(town.instance, town.ana)
    with pytest.raises(Invalid) as refused:
        async with town.instance.transaction() as tx:
            await publishing.publish(tx, town.ana, without)
    assert set(refused.value.fields) == {"forum"}
    assert await row_count(town, PracticeDraft) == 2


async def test_only_the_owner_publishes_and_only_where_they_may(town: Town) -> None:
    closed = await makers.forum(
        town.instance, town.sam, "staff", title="Staff", visibility=Visibility.MEMBERS
    )
    number = await begun(town.instance, town.ana, closed)
    async with town.instance.transaction() as tx:
        await drafts.invite(tx, town.ana, number, "dee")
    for member, refusal in ((town.ana, NotAllowed), (town.dee, NotAllowed), (town.sam, NotFound)):
        with pytest.raises(refusal):
            async with town.instance.transaction() as tx:
                await publishing.publish(tx, member, number)


async def test_every_published_change_is_a_version_with_a_note(town: Town) -> None:
    post = await published(town.instance, town.ana, town.forum)
    with pytest.raises(Invalid, match="what changed"):
        await revised(town, post, "", stage="scaled")
    with pytest.raises(Invalid, match="Nothing differs"):
        await revised(town, post, "Nothing")
    changed = await revised(
        town, post, "In use everywhere.", stage="scaled", name="Permits, digital"
    )
    assert (changed.id, changed.title, changed.revision) == (post.id, "Permits, digital", 1)
    assert (await held(town, post)).version == 2
    assert await versions(town, post) == [(1, "First published."), (2, "In use everywhere.")]
    assert (await town.facts())[-2:] == ["PostEdited", "PracticePublished"]


async def test_a_draft_of_an_older_version_does_not_undo_a_newer_one(town: Town) -> None:
    post = await published(town.instance, town.ana, town.forum)
    typed = {**PERMITS, "stage": "ended"}
    async with town.instance.transaction() as tx:
        late = await drafts.begin(tx, town.ana, Beginning(typed, post=post.id, source_version=1))
    await revised(town, post, "In use everywhere.", stage="scaled")
    with pytest.raises(Invalid, match="Version 2 was published since"):
        async with town.instance.transaction() as tx:
            await publishing.publish(tx, town.ana, late.id, "Ended")


async def test_a_practice_is_not_edited_as_a_text(town: Town) -> None:
    post = await published(town.instance, town.ana, town.forum)
    with pytest.raises(NotAllowed, match="section by section"):
        async with town.instance.transaction() as tx:
            await editing.edit(tx, town.ana, post, EditDraft("Other", "Words"))


async def test_an_older_version_that_arrives_late_changes_nothing_that_is_shown(town: Town) -> None:
    post = await published(town.instance, town.ana, town.forum)
    await revised(town, post, "In use everywhere.", stage="scaled")
    old = Record(name="Digital permits", summary="Old.")
    async with town.instance.transaction() as tx:
        fresh = await tx.session.get_one(Post, post.id)
        await publishing.apply(tx, fresh, Edition(old, 1, "Late.", town.ana.id))
    practice = await held(town, post)
    assert (practice.version, record.unpack(practice.record).stage) == (2, "scaled")
    assert (await versions(town, post))[0] == (1, "First published.")


async def test_looking_it_over_makes_it_fresh(town: Town) -> None:
    post = await published(town.instance, town.ana, town.forum)
    before = (await held(town, post)).reviewed
    town.instance.clock.turn(days=900)  # type: ignore[attr-defined]
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await publishing.confirm(tx, town.dee, post)
    async with town.instance.transaction() as tx:
        await publishing.confirm(tx, town.sam, post)
    assert (await held(town, post)).reviewed > before
    assert (await held(town, post)).version == 1


async def test_nothing_is_left_of_a_deleted_practice(town: Town) -> None:
    post = await published(town.instance, town.ana, town.forum, summary="Zanzibar permits.")
    await revised(town, post, "Zanzibar again.", stage="scaled")
    async with town.instance.transaction() as tx:
        typed = {"name": "Zanzibar draft", "summary": "x"}
        await drafts.begin(tx, town.ana, Beginning(typed, post=post.id, source_version=2))
        mine = await drafts.begin(tx, town.dee, Beginning({"name": "My own"}, source=post.id))
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.ana, post)
    assert await holds(town.instance, "zanzibar") == []
    async with town.instance.reading() as session:
        # Somebody else's adaptation of it is their own text.
        left = (await drafts.opened(session, town.dee, mine.id)).draft
        assert (left.title, left.source_id) == ("My own", None)
        assert await search.matching(session, Viewer(town.ana), "permits") == []


async def test_a_practice_longer_than_a_post_is_published_whole(town: Town) -> None:
    long = {
        "problem": "word " * 3_900,
        "solution": "thing " * 3_300,
        "transfer.notes": "a " * 2_400,
    }
    fields = {f"steps.{n}.text": "step " * 1_900 for n in (1, 2, 3)}
    fields["lessons"] = "Lanterns help."
    post = await published(town.instance, town.ana, town.forum, **long, **fields)
    assert "The whole practice is on its page." in post.source
    async with town.instance.reading() as session:
        assert await search.matching(session, VISITOR, "lanterns") == [post.id]
    read = record.unpack((await held(town, post)).record)
    assert len(read.steps[2].text) == len("step " * 1_900) - 1


async def test_refused_beginnings(town: Town) -> None:
    stranger = await makers.person_elsewhere(town.instance)
    with pytest.raises(Refusal):
        async with town.instance.transaction() as tx:
            await drafts.begin(tx, stranger, Beginning())
