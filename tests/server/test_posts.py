# SPDX-License-Identifier: Apache-2.0
"""Threads and replies, their counters, their end."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from server.errors import Gone, Invalid, Locked, NotAllowed, NotFound, TooFast
from server.forums import deeds
from server.forums.pages import page as forum_page
from server.instance import Instance
from server.posts import drafts, editing, pages, reading, receipts, steering, writing
from server.posts.drafts import EditDraft, Origin, ReplyDraft, ThreadDraft, ThreadForm
from server.viewers import VISITOR, Viewer
from storage.audit import AuditEntry
from storage.forums import Visibility
from storage.log import ActivityBody
from storage.members import Member
from storage.posts import Draft, Post, PostRevision, PostState, RawObject, Withheld
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.town import Town, counted, holds, row, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


def outline(nodes: list[pages.Node]) -> list[tuple[int, str]]:
    """(depth, text) of every reply in reading order."""
    return [(node.depth, node.entry.post.source) for node in pages.walk(nodes)]


async def test_a_thread_is_there_with_its_text_and_its_forum_counts_it(town: Town) -> None:
    post = await makers.thread(
        town.instance, town.ana, town.forum, "How long?", "From **filing**.", tags=("permits",)
    )
    shown = await town.page(post)
    assert shown.opener.post.title == "How long?"
    assert "<strong>filing</strong>" in shown.opener.post.html
    assert shown.tags == ("permits",)
    assert shown.opener.author.name == "Ana Ruiz"
    assert post.uri == town.instance.addresses.post(post.id)
    assert post.url == f"{post.uri}/how-long"
    forum = await town.forum_now()
    assert (forum.thread_count, forum.post_count) == (1, 1)
    assert forum.bumped == post.published
    assert await town.facts() == ["ThreadPosted"]


async def test_replies_make_a_tree_and_are_counted_on_every_level(town: Town) -> None:
    write, ana, dee = makers.reply, town.ana, town.dee
    opener = await makers.thread(town.instance, ana, town.forum)
    first = await write(town.instance, dee, opener, "first")
    second = await write(town.instance, ana, opener, "second")
    answer = await write(town.instance, ana, first, "answer")
    deeper = await write(town.instance, dee, answer, "deeper")
    again = await write(town.instance, dee, first, "again")
    assert {answer.branch_id, deeper.branch_id, again.branch_id} == {first.id}
    assert second.branch_id == second.id
    shown = await town.page(opener)
    expected = [(1, "first"), (2, "answer"), (3, "deeper"), (2, "again"), (1, "second")]
    assert outline(shown.branches) == expected
    assert await town.counts(opener, first, answer, deeper, second) == [5, 2, 1, 0, 0]
    forum = await town.forum_now()
    assert (forum.thread_count, forum.post_count) == (1, 6)
    assert (await town.post(opener)).bumped == again.published
    branch = await town.page(answer)
    assert outline(branch.branches) == [(1, "answer"), (2, "deeper")]
    assert branch.parent is not None
    assert branch.parent.post.id == first.id


async def test_what_is_deeper_than_a_page_shows_is_counted(town: Town) -> None:
    parent = opener = await makers.thread(town.instance, town.ana, town.forum)
    for number in range(pages.DEEPEST + 3):
        parent = await makers.reply(town.instance, town.dee, parent, f"level {number + 1}")
    nodes = list(pages.walk((await town.page(opener)).branches))
    assert [node.depth for node in nodes] == list(range(1, pages.DEEPEST + 1))
    assert nodes[-1].more == 3


async def test_counters_stay_exact_when_many_answer_at_once(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    first = await makers.reply(town.instance, town.dee, opener)

    async def answer(author: Member, number: int) -> Post:
        async with town.instance.transaction() as tx:
            return await writing.reply(tx, author, ReplyDraft(f"at once {number}", first.id))

    people = (town.ana, town.dee, town.sam)
    posted = await asyncio.gather(*(answer(people[n % 3], n) for n in range(12)))
    assert await town.counts(opener, first) == [13, 12]
    assert (await town.forum_now()).post_count == 14

    async def remove(post: Post) -> None:
        async with town.instance.transaction() as tx:
            await editing.remove(tx, town.sam, post, "twice over")

    await asyncio.gather(*(remove(post) for post in [*posted[:5], *posted[:5]]))
    assert await town.counts(opener, first) == [8, 7]
    assert (await town.forum_now()).post_count == 9


async def test_replies_that_came_before_the_post_they_answer_are_adopted(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    opener = await makers.thread(town.instance, town.ana, town.forum)
    missing = f"http://{makers.LAKESIDE}/p/77"

    async def arrive(uri: str, parent: int, source: str, parent_uri: str | None) -> Post:
        origin = Origin(uri=uri, url=uri, html="", published=town.instance.clock.now())
        draft = ReplyDraft(source, parent, origin=origin, parent_uri=parent_uri)
        async with town.instance.transaction() as tx:
            return await writing.apply_reply(tx, marek, draft)

    orphan = await arrive(f"{missing}1", opener.id, "orphan", missing)
    below = await arrive(f"{missing}2", orphan.id, "below", None)
    assert outline((await town.page(opener)).branches) == [(1, "orphan"), (2, "below")]
    before = await makers.reply(town.instance, town.dee, opener, "before")
    late = await arrive(missing, before.id, "late parent", None)
    shown = outline((await town.page(opener)).branches)
    assert shown == [(1, "before"), (2, "late parent"), (3, "orphan"), (4, "below")]
    assert await town.counts(opener, before, late, orphan) == [4, 1, 1, 1]
    adopted = await town.post(orphan)
    assert (adopted.parent_id, adopted.parent_uri) == (late.id, None)
    assert (await town.post(below)).branch_id == before.id


async def test_an_edit_keeps_what_was_said_before(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum, "Old title", "Old words.")
    for number in (1, 2):
        draft = EditDraft(f"Title {number}", f"Words {number}.", ("tag",))
        async with town.instance.transaction() as tx:
            tx.clock.turn(minutes=1)  # type: ignore[attr-defined]
            await editing.edit(tx, town.ana, post, draft)
    async with town.instance.reading() as session:
        shown = await pages.history(session, VISITOR, post.id)
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


async def test_ten_posts_a_minute_and_no_more(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)

    async def write(number: int) -> None:
        async with town.instance.transaction() as tx:
            await writing.reply(tx, town.dee, ReplyDraft(f"reply {number}", opener.id))

    results = await asyncio.gather(*(write(n) for n in range(13)), return_exceptions=True)
    assert sum(isinstance(result, TooFast) for result in results) == 3
    assert results.count(None) == writing.MOST_A_MINUTE
    clock = town.instance.clock
    assert isinstance(clock, TurnableClock)
    clock.turn(minutes=1)
    await write(13)
    assert await town.counts(opener) == [11]


async def test_a_closed_thread_takes_no_reply_and_only_keepers_close_it(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    reply = await makers.reply(town.instance, town.dee, opener)
    for person in (town.ana, town.dee):
        with pytest.raises(NotAllowed):
            async with town.instance.transaction() as tx:
                await steering.lock(tx, person, opener, locked=True)
        with pytest.raises(NotAllowed):
            async with town.instance.transaction() as tx:
                await steering.pin(tx, person, opener, pinned=True)
    async with town.instance.transaction() as tx:
        await steering.lock(tx, town.sam, opener, locked=True)
        await steering.lock(tx, town.sam, opener, locked=True)
        await steering.pin(tx, town.sam, opener, pinned=True)
    assert (await town.facts()).count("ThreadLocked") == 1
    shown = await town.page(opener, town.dee)
    assert not shown.may_reply
    for parent in (opener, reply):
        with pytest.raises(Locked):
            async with town.instance.transaction() as tx:
                await writing.reply(tx, town.dee, ReplyDraft("late", parent.id))
    with pytest.raises(NotFound):
        async with town.instance.transaction() as tx:
            await steering.lock(tx, town.sam, reply, locked=True)
    async with town.instance.transaction() as tx:
        await steering.lock(tx, town.sam, opener, locked=False)
    await makers.reply(town.instance, town.dee, opener, "in time")


async def test_nothing_deleted_or_refused_is_answered(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    reply = await makers.reply(town.instance, town.ana, opener)
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.ana, reply)
    with pytest.raises(Gone):
        async with town.instance.transaction() as tx:
            await writing.reply(tx, town.dee, ReplyDraft("late", reply.id))
    with pytest.raises(NotFound):
        async with town.instance.transaction() as tx:
            await writing.reply(tx, town.dee, ReplyDraft("nowhere", 1))


async def test_at_a_copy_a_reply_is_sent_until_its_home_says_more(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    permits = await makers.forum_elsewhere(town.instance)
    opener = await makers.thread(town.instance, marek, permits)
    taken = await makers.reply(town.instance, town.ana, opener, "taken")
    refused = await makers.reply(town.instance, town.ana, opener, "refused")
    assert taken.state == PostState.SENT
    assert outline((await town.page(opener)).branches) == [], "visitors see what stands"
    assert len((await town.page(opener, town.dee)).branches) == 2
    async with town.instance.transaction() as tx:
        await receipts.confirm(tx, await tx.session.get_one(Post, taken.id))
        await receipts.refuse(tx, await tx.session.get_one(Post, refused.id), "")
        await receipts.refuse(tx, await tx.session.get_one(Post, refused.id), "twice")
    assert await town.counts(opener) == [1]
    assert outline((await town.page(opener, town.dee)).branches) == [(1, "taken")]
    mine = (await town.page(opener, town.ana)).branches
    assert [node.entry.post.state for node in mine] == [PostState.LIVE, PostState.REFUSED]
    assert (await town.post(refused)).reason == "The forum's agency gave no reason."
    async with town.instance.transaction() as tx:
        await receipts.confirm(tx, await tx.session.get_one(Post, refused.id))
    assert await town.counts(opener) == [2]


async def test_a_post_we_may_not_hold_is_counted_once(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    missing = writing.Missing("https://far.example/1", "far.example", town.forum.id, opener.id)
    for _ in range(2):
        async with town.instance.transaction() as tx:
            await writing.withhold(tx, missing)
    assert (await town.post(opener)).withheld_count == 1
    held: Withheld = await row(town.instance, Withheld, missing.uri)
    assert held.peer == "far.example"


async def test_unread_replies_are_chained_until_the_page_was_seen(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    first = await makers.reply(town.instance, town.dee, opener, "first")
    seen = (await town.page(opener, town.ana)).newest
    assert (await town.page(opener, town.ana)).seen is None
    async with town.instance.transaction() as tx:
        await reading.mark_read(tx, town.ana, opener.id, seen)
    shown = await town.page(opener, town.ana)
    assert (shown.first_unread, shown.unread_count) == (None, 0)
    second = await makers.reply(town.instance, town.dee, first, "second")
    await makers.reply(town.instance, town.ana, opener, "my own is never unread")
    third = await makers.reply(town.instance, town.dee, opener, "third")
    shown = await town.page(opener, town.ana)
    assert (shown.first_unread, shown.unread_count) == (second.id, 2)
    chain = {node.entry.post.id: node.next_unread for node in pages.walk(shown.branches)}
    assert chain[second.id] == third.id
    assert chain[third.id] is None
    async with town.instance.reading() as session:
        line = (await forum_page(session, Viewer(town.ana), town.forum)).threads[0]
        assert line.unread
    async with town.instance.transaction() as tx:
        await reading.mark_read(tx, town.ana, opener.id, shown.newest)
        await reading.mark_read(tx, town.ana, opener.id, seen)
        await reading.mark_read(tx, town.ana, 1, seen)
    assert (await town.page(opener, town.ana)).unread_count == 0
    async with town.instance.reading() as session:
        line = (await forum_page(session, Viewer(town.ana), town.forum)).threads[0]
        assert not line.unread


async def test_drafts_are_their_writers_own(town: Town) -> None:
    place = f"forum:{town.forum.id}"

    async def save(member: Member, source: str) -> None:
        async with town.instance.transaction() as tx:
            await reading.save_draft(tx, member, place, title="", source=source, tags="")

    await save(town.ana, "half a")
    await save(town.ana, "half a thought")
    await save(town.dee, "another")
    async with town.instance.reading() as session:
        held = await reading.draft(session, town.ana, place)
        assert held is not None
        assert held.source == "half a thought"
        assert [draft.source for draft in await reading.drafts(session, town.dee)] == ["another"]
    await save(town.ana, "  ")
    async with town.instance.reading() as session:
        assert await reading.draft(session, town.ana, place) is None
        assert len(await reading.drafts(session, town.dee)) == 1


async def test_words_that_a_database_cannot_hold_are_still_taken(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum, "a\0b", "c\0d \ud800 e")
    await makers.reply(town.instance, town.dee, post, "\0")
    async with town.instance.transaction() as tx:
        await reading.save_draft(tx, town.ana, "forum:1", title="\0", source="x\0y", tags="\0")
        await editing.edit(tx, town.ana, post, EditDraft("t\0", "\0 and more"))
    assert "\0" not in (await town.post(post)).html


async def test_the_page_of_a_thread_costs_as_many_questions_with_3_replies_as_with_300(
    town: Town,
) -> None:
    async def grown(replies: int) -> Post:
        opener = await makers.thread(town.instance, town.ana, town.forum)
        async with town.instance.transaction() as tx:
            for number in range(replies):
                identifier = tx.ids.next()
                tx.session.add(_bare_reply(opener, identifier, number, (town.ana, town.dee)))
        return opener

    async def cost(opener: Post, viewer: Viewer) -> tuple[int, int]:
        async with town.instance.reading() as session:
            engine = session.get_bind()
            assert isinstance(engine, Engine)
            with counted(engine) as sent:
                now = town.instance.clock.now()
                shown = await pages.thread_page(session, viewer, opener.id, now)
        return len(sent), len(list(pages.walk(shown.branches)))

    few, many = await grown(3), await grown(300)
    for viewer in (VISITOR, Viewer(town.dee)):
        (small, three), (large, hundreds) = await cost(few, viewer), await cost(many, viewer)
        assert (three, hundreds) == (3, 300)
        assert 0 < small == large <= 12


def _bare_reply(
    opener: Post, identifier: int, number: int, authors: tuple[Member, Member], branches: int = 10
) -> Post:
    """A row like those that `reply` leaves; every `branches`th reply answers the opener."""
    head = identifier if number % branches == 0 else None
    if head is not None:
        _bare_reply.__dict__["head"] = head
    head = _bare_reply.__dict__["head"]
    is_head = head == identifier
    return Post(
        id=identifier, uri=f"urn:{identifier}", url="", kind="reply", forum_id=opener.forum_id,
        author_id=authors[number % 2].id, thread_id=opener.id, branch_id=head,
        parent_id=opener.id if is_head else head, source=f"{number}", html="<p>x</p>",
        published=opener.published, arrived=opener.published, bumped=opener.published,
    )  # fmt: skip


@pytest.mark.parametrize("branches", [1, 7, 500])
async def test_the_pages_of_a_long_thread_lose_and_repeat_nothing(
    town: Town, branches: int
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    total = pages.REPLIES_A_PAGE + 150
    async with town.instance.transaction() as tx:
        for number in range(total):
            one = _bare_reply(opener, tx.ids.next(), number, (town.ana, town.dee), branches)
            tx.session.add(one)
    seen: list[str] = []
    after: int | None = None
    for _ in range(40):
        shown = await town.page(opener, after=after)
        seen += [node.entry.post.source for node in pages.walk(shown.branches)]
        after = shown.next_after
        if after is None:
            break
    assert seen == [f"{number}" for number in range(total)]


async def test_what_a_person_types_is_checked_field_by_field() -> None:
    with pytest.raises(Invalid) as refused:
        drafts.check_thread(ThreadForm(title=" ", source="", tags="a" * 200))
    assert refused.value.fields.keys() >= {"title", "source"}
    draft = drafts.check_thread(ThreadForm(title=" A  title ", source=" words ", tags="Permits"))
    assert draft == ThreadDraft("A title", "words", ("permits",))
    with pytest.raises(Invalid):
        drafts.check_body("x" * 1_000_000)


async def test_a_suspended_member_writes_nothing(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    async with town.instance.transaction() as tx:
        await tx.session.execute(
            update(Member).where(Member.id == town.dee.id).values(state="suspended")
        )
    dee: Member = await row(town.instance, Member, town.dee.id)
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await writing.reply(tx, dee, ReplyDraft("words", opener.id))
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await writing.post_thread(tx, dee, town.forum, ThreadDraft("t", "words"))


@pytest.mark.parametrize("visibility", [Visibility.INSTANCE, Visibility.MEMBERS])
async def test_nobody_elsewhere_writes_where_they_may_not_read(
    town: Town, visibility: Visibility
) -> None:
    marek = await makers.person_elsewhere(town.instance)
    forum = await makers.forum(town.instance, town.sam, "inner", visibility=visibility)
    opener = await makers.thread(town.instance, town.sam, forum)
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await writing.reply(tx, marek, ReplyDraft("hello", opener.id))
