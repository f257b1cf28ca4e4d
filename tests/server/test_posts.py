# SPDX-License-Identifier: Apache-2.0
"""Threads and replies, their counters, their end."""

import asyncio

import pytest
from sqlalchemy import update

from server.errors import Gone, Invalid, Locked, NotAllowed, NotFound, TooFast
from server.instance import Instance
from server.posts import drafts, editing, reading, receipts, steering, writing
from server.posts.drafts import EditDraft, Origin, ReplyDraft, ThreadDraft, ThreadForm
from server.shown import ShownPost
from storage.forums import Visibility
from storage.members import Member
from storage.posts import Post, PostState, Withheld
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.town import Town, outline, row, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def test_a_thread_is_there_with_its_text_and_its_forum_counts_it(town: Town) -> None:
    post = await makers.thread(
        town.instance, town.ana, town.forum, "How long?", "From **filing**.", tags=("permits",)
    )
    shown = await town.page(post)
    assert isinstance(shown.opener.post, ShownPost)
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
    clock.turn(minutes=0.75)
    with pytest.raises(TooFast, match="try again in 15 seconds") as refused:
        await write(13)
    clock.turn(minutes=refused.value.retry_after / 60)
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


async def test_words_that_a_database_cannot_hold_are_still_taken(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum, "a\0b", "c\0d \ud800 e")
    await makers.reply(town.instance, town.dee, post, "\0")
    async with town.instance.transaction() as tx:
        await reading.save_draft(tx, town.ana, "forum:1", title="\0", source="x\0y", tags="\0")
        await editing.edit(tx, town.ana, post, EditDraft("t\0", "\0 and more"))
    assert "\0" not in (await town.post(post)).html


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
