# SPDX-License-Identifier: Apache-2.0
"""Editing with a history, deleting without a trace."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.errors import Gone, NotAllowed
from server.forums import deeds
from server.forums.pages import page as forum_page
from server.instance import Instance
from server.posts import editing, history, reading, steering, writing
from server.posts.drafts import EditDraft, Origin, ReplyDraft
from server.viewers import VISITOR
from storage.audit import AuditEntry
from storage.log import ActivityBody
from storage.posts import Draft, PostRevision, PostState, RawObject
from tests import databases, makers
from tests.server.town import Town, holds, outline, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def test_an_edit_keeps_what_was_said_before(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum, "Old title", "Old words.")
    for number in (1, 2):
        draft = EditDraft(f"Title {number}", f"Words {number}.", ("tag",))
        async with town.instance.transaction() as tx:
            tx.clock.turn(minutes=1)  # type: ignore[attr-defined]
            await editing.edit(tx, town.ana, post, draft)
    async with town.instance.reading() as session:
        shown = await history.history(session, VISITOR, post.id)
    assert [(r.revision, r.title, r.source) for r in shown.revisions] == [
        (1, "Title 1", "Words 1."),
        (0, "Old title", "Old words."),
    ]
    assert shown.revisions[1].written == post.published
    assert shown.entry_post.source == "Words 2."
    assert shown.entry_post.updated == town.instance.clock.now()
    assert (await town.page(post)).tags == ("tag",)


async def test_an_older_update_from_elsewhere_changes_nothing(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    post = await makers.thread(town.instance, marek, town.forum, "Then", "First words.")
    now = town.instance.clock.turn(hours=1)  # type: ignore[attr-defined]

    async def told(source: str, minutes: int) -> None:
        when = now + timedelta(minutes=minutes)
        origin = Origin(post.uri, post.uri, "", post.published, updated=when)
        async with town.instance.transaction() as tx:
            await editing.apply_edit(tx, post, EditDraft("Then", source, origin=origin))

    await told("Newest words.", -10)
    await told("Older words.", -20)
    await told("The same again.", -10)
    held = await town.post(post)
    assert (held.source, held.revision) == ("Newest words.", 1)
    await told("From the future.", 600)
    assert (await town.post(post)).updated == now


async def test_nobody_edits_what_is_not_theirs_or_no_longer_there(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum)
    draft = EditDraft("Mine now", "Mine now.")
    for person in (town.dee, town.sam):
        with pytest.raises(NotAllowed):
            async with town.instance.transaction() as tx:
                await editing.edit(tx, person, post, draft)
    async with town.instance.transaction() as tx:
        await steering.lock(tx, town.sam, post, locked=True)
    with pytest.raises(NotAllowed, match="closed"):
        async with town.instance.transaction() as tx:
            await editing.edit(tx, town.ana, post, draft)
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.ana, post)
    with pytest.raises(Gone):
        async with town.instance.transaction() as tx:
            await editing.edit(tx, town.ana, post, draft)


async def test_deleting_leaves_a_tombstone_and_right_counts(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    parent = await makers.reply(town.instance, town.dee, opener, "parent")
    child = await makers.reply(town.instance, town.ana, parent, "child")
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.dee, parent)
        await editing.remove(tx, town.dee, parent)
    assert await town.counts(opener, parent) == [1, 1]
    shown = (await town.page(opener)).branches
    assert outline(shown) == [(1, ""), (2, "child")]
    assert shown[0].entry.post.state == PostState.DELETED
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.ana, child)
        await editing.remove(tx, town.ana, opener)
    forum = await town.forum_now()
    assert (forum.thread_count, forum.post_count) == (0, 0)
    async with town.instance.reading() as session:
        listed = await forum_page(session, VISITOR, forum)
    assert listed.threads == []


async def test_a_steward_removes_and_the_record_says_so(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await editing.remove(tx, town.dee, opener)
    async with town.instance.transaction() as tx:
        await deeds.name_steward(tx, town.sam, town.forum, town.dee, named=True)
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.dee, opener, "personal data")
    assert (await town.post(opener)).reason == "personal data"
    async with town.instance.reading() as session:
        rows = await session.execute(select(AuditEntry).where(AuditEntry.verb == "post.removed"))
        (entry,) = rows.scalars()
    assert (entry.actor, entry.subject, entry.detail) == (
        town.dee.uri,
        opener.uri,
        "personal data",
    )


@pytest.mark.parametrize("first", ["quaggatitle", "quaggabody", "quaggatag", "quaggaraw"])
async def test_no_table_holds_a_word_of_what_was_deleted(town: Town, first: str) -> None:
    """Right to erase: the row, its history, its tags, its index, its copies in flight."""
    instance, marek = town.instance, await makers.person_elsewhere(town.instance)
    post = await makers.thread(
        instance, town.ana, town.forum, "On quaggatitle", "Of quaggabody @dee", tags=("quaggatag",)
    )
    await makers.reply(instance, town.dee, post, "unharmed words")
    async with instance.transaction() as tx:
        await editing.edit(
            tx, town.ana, post, EditDraft("quaggatitle again", "quaggabody @dee", ("quaggatag",))
        )
        await reading.save_draft(
            tx, town.ana, f"edit:{post.id}", title="quaggatitle", source="quaggabody", tags=""
        )
        tx.session.add(ActivityBody(id=1, body="quaggabody quaggatag", subject=post.uri))
        tx.session.add(ActivityBody(id=2, body="Like unharmed", subject="elsewhere"))
    origin = Origin(
        f"http://{makers.LAKESIDE}/p/9", "http://x/quaggaraw", "<p>quaggaraw</p>",
        instance.clock.now(), raw='{"content": "quaggaraw"}', key_id="k",
    )  # fmt: skip
    async with instance.transaction() as tx:
        reply = await writing.apply_reply(
            tx, marek, ReplyDraft("quaggaraw", post.id, origin=origin)
        )
    assert await holds(instance, first), "the search itself must be able to find the word"
    async with instance.transaction() as tx:
        await editing.remove(tx, town.sam, reply, "off topic")
        await editing.remove(tx, town.ana, post)
    assert await holds(instance, first) == []
    assert await holds(instance, "unharmed") != []
    for table in (PostRevision, RawObject, Draft):
        async with instance.reading() as session:
            assert (await session.execute(select(table))).first() is None
