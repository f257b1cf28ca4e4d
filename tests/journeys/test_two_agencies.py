# SPDX-License-Identifier: Apache-2.0
"""Riverton learns from Lakeside, over real HTTP."""

import pytest
from sqlalchemy import func, select, update

from server import endorsements, rotation, traffic
from server.errors import NotAllowed, Unavailable
from server.forums import deeds
from server.peers import remove_rule, rules
from server.posts import editing, steering, writing
from server.posts.drafts import EditDraft, ThreadDraft
from storage.forums import Forum, Visibility
from storage.log import Lane
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post, PostState, RawObject, Withheld
from tests import makers
from tests.databases import EITHER
from tests.journeys.agency import Agency, until

on_either = pytest.mark.parametrize("kept_in", EITHER, indirect=True)
MEASURED = "Filing to issue fell from **21 days** to 12.6."


async def permits(lakeside: Agency, visibility: str = Visibility.PUBLIC) -> Forum:
    return await makers.forum(
        lakeside.instance, lakeside.admin, "permits", title="Permits", visibility=visibility
    )


async def ana_of(riverton: Agency) -> Member:
    return await makers.member(riverton.instance, "ana")


async def reply(agency: Agency, author: Member, parent: Post, words: str) -> Post:
    return await makers.reply(agency.instance, author, parent, words)


async def test_what_was_said_before_is_copied_with_its_progress(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    marek = await makers.member(lakeside.instance, "marek", name="Marek Nowak")
    opener = await makers.thread(lakeside.instance, marek, forum, "Digital permits", MEASURED)
    first = await reply(lakeside, lakeside.admin, opener, "How did you measure it?")
    nested = await reply(lakeside, marek, first, "From completeness.")
    async with lakeside.instance.transaction() as tx:
        await endorsements.endorse(tx, lakeside.admin, opener)
        await endorsements.endorse(tx, marek, first)
    ana = await ana_of(riverton)
    copy = await riverton.follow(ana, "@permits@lakeside.localhost")
    assert copy.backfill_done == copy.backfill_total == 3
    here = await riverton.sees(opener.uri, endorsement_count=1, reply_count=2)
    assert [post.uri for post in await riverton.thread_of(here)] == [
        opener.uri, first.uri, nested.uri,
    ]  # fmt: skip
    parent = await riverton.sees(first.uri, parent_id=here.id, endorsement_count=1)
    await riverton.sees(nested.uri, parent_id=parent.id)
    page = await riverton.page(f"/p/{here.id}/{here.slug}", ana)
    assert page.status_code == 200
    assert "<strong>21 days</strong>" in page.text
    assert "Marek Nowak" in page.text


@on_either
async def test_a_conversation_between_two_agencies(riverton: Agency, lakeside: Agency) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    copy = await riverton.follow(ana, forum.uri)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum, "Permits", MEASURED)
    here = await riverton.sees(opener.uri, title="Permits")
    answer = await reply(riverton, ana, here, "We are still at 21 days.")
    assert answer.state == PostState.SENT
    there = await lakeside.sees(answer.uri, state=PostState.LIVE, parent_id=opener.id)
    await riverton.sees(answer.uri, state=PostState.LIVE)
    nested = await reply(lakeside, lakeside.admin, there, "So were we.")
    await riverton.sees(nested.uri, parent_id=answer.id)
    for given, count in ((True, 1), (False, 0), (True, 1)):
        async with riverton.instance.transaction() as tx:
            deed = endorsements.endorse if given else endorsements.withdraw
            await deed(tx, ana, here)
        await lakeside.sees(opener.uri, endorsement_count=count)
        await riverton.sees(opener.uri, endorsement_count=count)
    lakeside.clock.turn(minutes=1)
    async with lakeside.instance.transaction() as tx:
        await editing.edit(tx, lakeside.admin, opener, EditDraft("Digital permits", "12.6 now"))
    await riverton.sees(opener.uri, title="Digital permits", source="12.6 now", revision=1)
    async with riverton.instance.transaction() as tx:
        await editing.edit(tx, ana, answer, EditDraft("", "We are at 20 days."))
    await lakeside.sees(answer.uri, source="We are at 20 days.")
    started = await makers.thread(riverton.instance, ana, copy, "Inspections", "By video?")
    await lakeside.sees(started.uri, title="Inspections", state=PostState.LIVE)
    await riverton.sees(started.uri, state=PostState.LIVE)
    async with riverton.instance.transaction() as tx:
        await editing.remove(tx, ana, answer)
    await lakeside.sees(answer.uri, state=PostState.DELETED, html="", source="")
    async with lakeside.instance.transaction() as tx:
        await editing.remove(tx, lakeside.admin, opener)
    await riverton.sees(opener.uri, state=PostState.DELETED, html="", title="")


async def test_new_keys_on_both_sides_interrupt_nothing(riverton: Agency, lakeside: Agency) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    await riverton.follow(ana, forum.uri)
    first = await makers.thread(lakeside.instance, lakeside.admin, forum, "Permits", MEASURED)
    here = await riverton.sees(first.uri)
    for agency in (lakeside, riverton):
        async with agency.instance.transaction() as tx:
            for owner in await rotation.owners(tx):
                pair = await agency.instance.vault.new_pair()
                await rotation.rotate(tx, agency.admin, owner, pair)
    lakeside.clock.turn(minutes=2)
    second = await makers.thread(lakeside.instance, lakeside.admin, forum, "Fees", MEASURED)
    await riverton.sees(second.uri, title="Fees")
    answer = await reply(riverton, ana, here, "With new keys.")
    await lakeside.sees(answer.uri, state=PostState.LIVE)
    await riverton.sees(answer.uri, state=PostState.LIVE)


async def test_a_refusal_is_told_with_its_reason(riverton: Agency, lakeside: Agency) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    await riverton.follow(ana, forum.uri)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum)
    here = await riverton.sees(opener.uri)
    async with lakeside.instance.transaction() as tx:
        # Closed at home a moment ago: the news has not reached the copy.
        await tx.session.execute(update(Post).where(Post.id == opener.id).values(locked=True))
    late = await reply(riverton, ana, here, "One more thing.")
    refused = await riverton.sees(late.uri, state=PostState.REFUSED)
    assert refused.reason == "This thread is closed to new replies."
    assert await lakeside.held(late.uri) is None
    await riverton.sees(opener.uri, reply_count=0)
    page = f"/p/{here.id}/{here.slug}"
    assert refused.reason in (await riverton.page(page, ana)).text
    assert "One more thing." not in (await riverton.page(page)).text


@on_either
async def test_stewards_close_and_remove_from_either_side(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    await riverton.follow(ana, forum.uri)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum)
    spam = await reply(lakeside, lakeside.admin, opener, "Buy permits cheaply!")
    await riverton.sees(spam.uri)
    async with lakeside.instance.transaction() as tx:
        await steering.lock(tx, lakeside.admin, opener, locked=True)
    await riverton.sees(opener.uri, locked=True)
    async with lakeside.instance.transaction() as tx:
        await steering.lock(tx, lakeside.admin, opener, locked=False)
        await steering.pin(tx, lakeside.admin, opener, pinned=True)
    await riverton.sees(opener.uri, locked=False, pinned=True)
    ana_there = await lakeside.app.state.lookup.find(ana.uri)
    async with lakeside.instance.transaction() as tx:
        await deeds.name_steward(tx, lakeside.admin, forum, ana_there, named=True)
    here_spam = await riverton.sees(spam.uri)

    async def asked() -> bool:
        try:
            async with riverton.instance.transaction() as tx:
                await editing.remove(tx, ana, here_spam, "Advertising")
                assert here_spam.state == PostState.LIVE
        except NotAllowed:
            return False
        return True

    await until("Ana became a steward", asked)
    await lakeside.sees(spam.uri, state=PostState.DELETED, reason="Advertising")
    await riverton.sees(spam.uri, state=PostState.DELETED, reason="Advertising", html="")


async def test_a_forum_for_agencies_stays_among_them(
    riverton: Agency, lakeside: Agency, harbor: Agency
) -> None:
    forum = await permits(lakeside, Visibility.AGENCIES)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum, "Closed", "taintword")
    ana = await ana_of(riverton)
    copy = await riverton.follow(ana, "@permits@lakeside.localhost")
    assert copy.visibility == Visibility.AGENCIES
    here = await riverton.sees(opener.uri)
    newer = await makers.thread(lakeside.instance, lakeside.admin, forum, "Newer", "taintword 2")
    await riverton.sees(newer.uri)
    answer = await reply(riverton, ana, here, "taintword 3")
    await lakeside.sees(answer.uri, state=PostState.LIVE)
    await riverton.sees(answer.uri, state=PostState.LIVE)
    page = f"/p/{here.id}/{here.slug}"
    assert "taintword" in (await riverton.page(page, ana)).text
    for path in (page, "/f/permits@lakeside.localhost", "/", "/forums", "/search?q=Closed"):
        shown = await riverton.page(path)
        assert "taintword" not in shown.text
    async with lakeside.instance.transaction() as tx:
        for rule in await rules(tx.session):
            if rule.pattern == harbor.host:
                await remove_rule(tx, lakeside.admin, rule.id)
    with pytest.raises(Unavailable):
        await harbor.app.state.lookup.find(forum.uri)


async def test_what_an_unlisted_agency_says_is_counted_and_a_listed_one_is_read(
    riverton: Agency, lakeside: Agency, harbor: Agency
) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    hana = await makers.member(harbor.instance, "hana", name="Hana Sato")
    await riverton.follow(ana, forum.uri)
    await harbor.follow(hana, forum.uri)
    await harbor.lists(riverton)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum)
    at_harbor = await harbor.sees(opener.uri)
    at_riverton = await riverton.sees(opener.uri)
    answer = await reply(riverton, ana, at_riverton, "Said by Riverton.")
    relayed = await harbor.sees(answer.uri, state=PostState.LIVE)
    async with harbor.instance.reading() as session:
        raw = await session.get_one(RawObject, relayed.id)
        assert raw.key_id == f"{ana.uri}#ed25519-key"
    unread = await reply(harbor, hana, at_harbor, "Said by Harbor.")
    await lakeside.sees(unread.uri, state=PostState.LIVE)
    await riverton.sees(opener.uri, withheld_count=1, reply_count=1)
    assert await riverton.held(unread.uri) is None
    async with riverton.instance.reading() as session:
        withheld = (await session.execute(select(Withheld))).scalars().all()
        assert [(one.uri, one.peer) for one in withheld] == [(unread.uri, harbor.host)]
    assert "Said by Harbor." not in (await riverton.page(f"/p/{at_riverton.id}", ana)).text


@on_either
async def test_who_was_away_is_told_everything_in_order_on_return(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    await riverton.follow(ana, forum.uri)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum)
    await riverton.sees(opener.uri)
    await riverton.stop()
    parent, said = opener, []
    for number in range(6):
        parent = await reply(lakeside, lakeside.admin, parent, f"Step {number}")
        said.append(parent.uri)
    async with lakeside.instance.transaction() as tx:
        await editing.edit(tx, lakeside.admin, parent, EditDraft("", "The last step"))
        await steering.lock(tx, lakeside.admin, opener, locked=True)

    async def failing() -> bool:
        async with lakeside.instance.reading() as session:
            peer = await session.get_one(Peer, riverton.host)
            return peer.failures > 0 and peer.next_try is not None

    await until("Lakeside noticed", failing)
    await riverton.start()
    here = await riverton.sees(opener.uri, locked=True, reply_count=6)
    held = await riverton.thread_of(here)
    assert [post.uri for post in held] == [opener.uri, *said]
    assert [post.parent_id for post in held[1:]] == [post.id for post in held[:-1]]

    async def edited() -> bool:
        # A digest may bring the lock before the edit has come.
        return (await riverton.thread_of(here))[-1].source == "The last step"

    await until("the edit has come", edited)

    async def well() -> bool:
        async with lakeside.instance.reading() as session:
            return (await session.get_one(Peer, riverton.host)).failures == 0

    await until("Lakeside noticed that Riverton is back", well)


async def test_everything_sent_again_changes_nothing(riverton: Agency, lakeside: Agency) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    await riverton.follow(ana, forum.uri)
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum)
    here = await riverton.sees(opener.uri)
    await reply(riverton, ana, here, "Thank you.")
    await lakeside.sees(opener.uri, reply_count=1)
    async with lakeside.instance.transaction() as tx:
        await endorsements.endorse(tx, lakeside.admin, opener)
    await riverton.sees(opener.uri, endorsement_count=1)

    async def sent() -> tuple[int, int]:
        async with lakeside.instance.reading() as session:
            lane = (await session.execute(select(Lane))).scalars().one()
            return lane.cursor, lane.delivered

    async def counted() -> tuple[int, int]:
        async with riverton.instance.reading() as session:
            total = (await session.execute(select(func.count()).select_from(Post))).scalar_one()
            held = await session.get_one(Post, here.id)
            return total, held.endorsement_count + held.reply_count

    before, counts = await sent(), await counted()
    async with lakeside.instance.transaction() as tx:
        await tx.session.execute(update(Lane).values(cursor=0))
        await traffic.retry_now(tx, None, riverton.host)
    lakeside.instance.wake()

    async def again() -> bool:
        cursor, delivered = await sent()
        return cursor >= before[0] and delivered >= before[1] + 3

    await until("everything was sent again", again)
    last = await makers.thread(lakeside.instance, lakeside.admin, forum, "The last")
    await riverton.sees(last.uri)
    assert await counted() == (counts[0] + 1, counts[1])


async def test_a_rule_taken_back_stops_what_was_still_to_be_sent(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await permits(lakeside)
    ana = await ana_of(riverton)
    await riverton.follow(ana, forum.uri)
    async with lakeside.instance.transaction() as tx:
        draft = ThreadDraft("Not for Riverton", "any more")
        unsent = await writing.post_thread(tx, lakeside.admin, forum, draft)
        [rule] = [one for one in await rules(tx.session) if one.pattern == riverton.host]
        await remove_rule(tx, lakeside.admin, rule.id)

    async def through() -> bool:
        async with lakeside.instance.reading() as session:
            lane = (await session.execute(select(Lane))).scalars().one()
            return lane.cursor >= 2

    await until("the lane went past it", through)
    assert await riverton.held(unsent.uri) is None
    ours = await riverton.forum(forum.uri)
    assert ours is not None
    started = await makers.thread(riverton.instance, ana, ours, "Are you there?", "Hello?")
    await lakeside.lists(riverton)
    later = await makers.thread(lakeside.instance, lakeside.admin, forum, "Welcome back")
    await riverton.sees(later.uri)
    assert await riverton.held(unsent.uri) is None
    assert started.state == PostState.SENT
