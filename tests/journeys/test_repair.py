# SPDX-License-Identifier: Apache-2.0
"""What was lost between two agencies is found by digest, over real HTTP."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from federation.digests.serving import buckets
from server import endorsements
from server.digests import total_of
from server.forums import comparing
from server.posts import editing, steering
from server.posts.drafts import EditDraft
from storage.digests import KnownDifference
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.notifications import Notification
from storage.posts import Kind, Post, PostState, RawObject
from tests import makers
from tests.journeys.agency import Agency, until
from tests.journeys.keeping import Keeping
from tests.server.library.bench import published


async def permits(lakeside: Agency) -> Forum:
    return await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")


async def back_up(agency: Agency, keeping: Keeping) -> str:
    """A copy of its database, as it is at rest."""
    await agency.stop()
    kept = await asyncio.to_thread(keeping.copy, agency.name)
    await agency.start()
    return kept


async def restore(agency: Agency, keeping: Keeping, kept: str) -> None:
    """It comes back as it was when the backup was made."""
    await agency.stop()
    await asyncio.to_thread(keeping.put_back, agency.name, kept)
    await agency.start()


async def checked(agency: Agency, forum: Forum, asker: Member | None = None) -> Forum:
    """Have the copy compared with its home, and wait until that has ended."""
    async with agency.instance.transaction() as tx:
        asked = await comparing.ask(tx, asker, forum)

    async def ended() -> Forum | None:
        held = await agency.forum(forum.uri)
        return held if held and held.compare_next != asked.compare_next else None

    return await until(f"the check of {forum.uri} at {agency.name}", ended)


async def total(agency: Agency, uri: str) -> str:
    """What a forum sums up to at an agency."""
    held = await agency.forum(uri)
    assert held is not None
    return total_of(await buckets(agency.instance, held))


async def the_same(home: Agency, copy: Agency, forum: Forum) -> None:
    assert await total(home, forum.uri) == await total(copy, forum.uri)


@dataclass
class Talk:
    """What is said in Lakeside's forum, before a backup of the copy and after it."""

    forum: Forum
    copy: Forum
    marek: Member
    ana: Member
    one: Post
    two: Post
    three: Post
    withdrawn: Post


async def talk_before(riverton: Agency, lakeside: Agency) -> Talk:
    forum = await permits(lakeside)
    marek = await makers.member(lakeside.instance, "marek")
    ana = await makers.member(riverton.instance, "ana")
    one, two, three = [
        await makers.thread(lakeside.instance, marek, forum, f"Thread {n}") for n in range(3)
    ]
    withdrawn = await makers.reply(lakeside.instance, marek, one, "Endorsed at first.")
    async with lakeside.instance.transaction() as tx:
        await endorsements.endorse(tx, lakeside.admin, withdrawn)
    copy = await riverton.follow(ana, forum.uri)
    await riverton.sees(withdrawn.uri, endorsement_count=1)
    return Talk(forum, copy, marek, ana, one, two, three, withdrawn)


async def talk_after(riverton: Agency, lakeside: Agency, talk: Talk) -> tuple[Post, Post]:
    """A new thread with a reply, and a change of everything else; all of it arrives."""
    lakeside.clock.turn(days=1)
    four = await makers.thread(lakeside.instance, talk.marek, talk.forum, "A day later")
    answer = await makers.reply(lakeside.instance, lakeside.admin, four, "So it is.")
    async with lakeside.instance.transaction() as tx:
        await editing.edit(tx, talk.marek, talk.one, EditDraft("Thread 0, corrected", "Better."))
        await editing.remove(tx, talk.marek, talk.two)
        await steering.lock(tx, lakeside.admin, talk.three, locked=True)
        await steering.pin(tx, lakeside.admin, talk.three, pinned=True)
        await endorsements.endorse(tx, lakeside.admin, talk.three)
        await endorsements.withdraw(tx, lakeside.admin, talk.withdrawn)
    there = await riverton.sees(four.uri)
    await riverton.sees(answer.uri)
    await riverton.sees(talk.three.uri, endorsement_count=1, pinned=True)
    async with riverton.instance.transaction() as tx:
        await endorsements.endorse(tx, talk.ana, there)
    await lakeside.sees(four.uri, endorsement_count=1)
    return four, answer


async def test_a_restored_backup_is_brought_up_to_date(
    riverton: Agency, lakeside: Agency, keeping: Keeping
) -> None:
    talk = await talk_before(riverton, lakeside)
    await the_same(lakeside, riverton, talk.forum)
    kept = await back_up(riverton, keeping)
    four, answer = await talk_after(riverton, lakeside, talk)
    await restore(riverton, keeping, kept)
    assert await riverton.held(four.uri) is None
    assert await total(lakeside, talk.forum.uri) != await total(riverton, talk.forum.uri)
    held = await checked(riverton, talk.copy)
    assert (held.compare_error, held.compare_missing) == ("", 0)
    assert held.compared == riverton.clock.now()
    await the_same(lakeside, riverton, talk.forum)
    here = await riverton.sees(four.uri, endorsement_count=1)
    await riverton.sees(answer.uri, thread_id=here.id)
    await riverton.sees(talk.one.uri, title="Thread 0, corrected")
    await riverton.sees(talk.two.uri, state=PostState.DELETED, html="")
    await riverton.sees(talk.three.uri, locked=True, pinned=True, endorsement_count=1)
    await riverton.sees(talk.withdrawn.uri, endorsement_count=0)


async def test_damage_done_past_the_program_is_found_by_who_asks(
    riverton: Agency, lakeside: Agency
) -> None:
    """What was summed up before the damage says that nothing is amiss."""
    talk = await talk_before(riverton, lakeside)
    lost, closed, endorsed_here = [
        await riverton.sees(post.uri) for post in (talk.two, talk.three, talk.withdrawn)
    ]
    for asker in (None, talk.ana):
        await the_same(lakeside, riverton, talk.forum)
        async with riverton.instance.transaction() as tx:
            await tx.session.execute(delete(RawObject).where(RawObject.post_id == lost.id))
            await tx.session.execute(delete(Post).where(Post.id == lost.id))
            await tx.session.execute(update(Post).where(Post.id == closed.id).values(locked=True))
            await tx.session.execute(
                delete(Endorsement).where(Endorsement.post_id == endorsed_here.id)
            )
        await the_same(lakeside, riverton, talk.forum)
        held = await checked(riverton, talk.copy, asker)
        assert (held.compare_error, held.compare_missing) == ("", 0)
        lost = await riverton.sees(talk.two.uri, title=talk.two.title)
        await riverton.sees(closed.uri, locked=False)
        async with riverton.instance.reading() as session:
            question = select(Endorsement.active).where(Endorsement.post_id == endorsed_here.id)
            assert list((await session.execute(question)).scalars()) == [True]


async def endorsed(agency: Agency, member: Member, post: Post) -> None:
    """A member endorses what lives elsewhere, and its home has said that it counts that."""

    async def is_taken() -> bool | None:
        async with agency.instance.reading() as session:
            given = await session.get_one(Endorsement, (post.id, member.id))
            return True if given.state == PostState.LIVE else None

    async with agency.instance.transaction() as tx:
        await endorsements.endorse(tx, member, post)
    await until("the receipt of an endorsement", is_taken)


async def told_of_each_other(
    agency: Agency, ana: Member, dee: Member, first: Post
) -> list[set[tuple[str, str]]]:
    """Two of one agency talk where another is home; answers what each is told.

    Dee no longer endorses what Ana said first.
    """
    instance = agency.instance
    async with instance.transaction() as tx:
        await endorsements.withdraw(tx, dee, first)
    question = await makers.reply(instance, dee, first, "In which days?")
    await agency.sees(question.uri, state=PostState.LIVE)
    answer = await makers.reply(instance, ana, question, "In working days.")
    await agency.sees(answer.uri, state=PostState.LIVE)
    await endorsed(agency, dee, answer)
    told = [await notices(agency, member) for member in (ana, dee)]
    to_ana = {("reply", question.uri), ("endorsement", answer.uri)}
    assert told == [to_ana, {("reply", answer.uri)}]
    return told


async def test_what_our_own_members_wrote_is_had_back_from_the_home(
    riverton: Agency, lakeside: Agency, keeping: Keeping
) -> None:
    talk = await talk_before(riverton, lakeside)
    dee = await makers.member(riverton.instance, "dee")
    here = await riverton.sees(talk.one.uri)
    first = await makers.reply(riverton.instance, talk.ana, here, "We measure in days.")
    await riverton.sees(first.uri, state=PostState.LIVE)
    await endorsed(riverton, dee, first)
    kept = await back_up(riverton, keeping)
    riverton.clock.turn(minutes=2)
    told = await told_of_each_other(riverton, talk.ana, dee, first)
    async with riverton.instance.transaction() as tx:
        await editing.edit(tx, talk.ana, first, EditDraft("", "We measure in *working* days."))
    opened = await makers.thread(riverton.instance, talk.ana, talk.copy, "Inspections", "By video?")
    await riverton.sees(opened.uri, state=PostState.LIVE)
    answer = await makers.reply(riverton.instance, talk.ana, opened, "I ask for the roof.")
    await riverton.sees(answer.uri, state=PostState.LIVE)
    await lakeside.sees(first.uri, source="We measure in *working* days.")
    practice = await published(riverton.instance, talk.ana, talk.copy, name="Video visits")
    await riverton.sees(practice.uri, state=PostState.LIVE)

    await restore(riverton, keeping, kept)
    assert await riverton.held(opened.uri) is None
    assert (await checked(riverton, talk.copy)).compare_error == ""
    await the_same(lakeside, riverton, talk.forum)
    # What they were told of each other was lost as well, and stands there again.
    assert [await notices(riverton, member) for member in (talk.ana, dee)] == told
    back = await riverton.sees(opened.uri, id=opened.id, author_id=talk.ana.id, title="Inspections")
    await riverton.sees(answer.uri, id=answer.id, parent_id=back.id, state=PostState.LIVE)
    edited = await riverton.sees(first.uri, source="We measure in *working* days.", revision=1)
    riverton.clock.turn(minutes=2)
    async with riverton.instance.transaction() as tx:
        await editing.edit(tx, talk.ana, edited, EditDraft("", "In working days, and publish."))
    await lakeside.sees(first.uri, source="In working days, and publish.")
    assert (await riverton.page(f"/p/{opened.id}")).status_code == 200
    restored = await riverton.sees(practice.uri, id=practice.id, kind=Kind.PRACTICE)
    shown = await riverton.page(f"/p/{restored.id}/{restored.slug}")
    assert "Permit manager" in shown.text
    assert "−40 %" in shown.text


async def test_what_our_list_keeps_out_is_known_to_differ_until_the_list_changes(
    riverton: Agency, lakeside: Agency, harbor: Agency
) -> None:
    forum = await permits(lakeside)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum)
    ben = await makers.member(harbor.instance, "ben")
    await harbor.follow(ben, forum.uri)
    there = await harbor.sees(opener.uri)
    answer = await makers.reply(harbor.instance, ben, there, "We file on paper.")
    await lakeside.sees(answer.uri)
    async with harbor.instance.transaction() as tx:
        await endorsements.endorse(tx, ben, there)
    await lakeside.sees(opener.uri, endorsement_count=1)
    ana = await makers.member(riverton.instance, "ana")
    copy = await riverton.follow(ana, forum.uri)
    assert (copy.compare_error, copy.compare_missing) == ("", 1)
    assert await riverton.held(answer.uri) is None
    here = await riverton.sees(opener.uri, withheld_count=1, endorsement_count=0)
    await the_same(lakeside, riverton, forum)
    page = await riverton.page(f"/f/permits@{lakeside.host}", ana)
    assert "1 post is not shown, from agencies not on our list" in page.text
    assert "Check now" in page.text
    assert len(await known_differences(riverton, copy)) == 2

    await riverton.lists(harbor)
    riverton.instance.wake()
    await riverton.sees(answer.uri, parent_id=here.id)
    await riverton.sees(opener.uri, withheld_count=0, endorsement_count=1)
    held = await checked(riverton, copy)
    assert (held.compare_error, held.compare_missing) == ("", 0)
    assert await known_differences(riverton, copy) == []
    await the_same(lakeside, riverton, forum)


async def notices(agency: Agency, member: Member) -> set[tuple[str, str]]:
    """What a member is told: (kind, address of the post)."""
    async with agency.instance.reading() as session:
        question = (
            select(Notification.kind, Post.uri)
            .join(Post, Post.id == Notification.post_id)
            .where(Notification.member_id == member.id)
        )
        return {(row[0], row[1]) for row in (await session.execute(question)).all()}


async def known_differences(agency: Agency, forum: Forum) -> list[KnownDifference]:
    """What is known to differ."""
    async with agency.instance.reading() as session:
        question = select(KnownDifference).where(KnownDifference.forum_id == forum.id)
        return list((await session.execute(question)).scalars())
