# SPDX-License-Identifier: Apache-2.0
"""An event of Lakeside's, and people of two agencies who want its places."""

import re

import pytest
from sqlalchemy import select

from server.calendar import by_mail, joining, series, writing
from server.calendar.typed import check
from server.forums import follows
from server.posts import editing
from storage import events
from storage.events import Event, EventGuest, GuestState
from storage.forums import Forum
from storage.letters import Letter
from storage.log import ActivityBody, LogRow, Subscription
from storage.members import Member
from storage.notifications import Notification
from storage.posts import Kind, Post, PostState
from tests import makers
from tests.journeys.agency import Agency, until
from tests.server.calendar.bench import WEBINAR, announced


async def stands(agency: Agency, post: Post, member: Member, *states: GuestState) -> EventGuest:
    """Wait until a member stands so with an event, as their own agency sees it."""

    async def so() -> EventGuest | None:
        async with agency.instance.reading() as session:
            guest = await events.guest_of(session, post.id, member.id)
        return guest if guest is not None and guest.state in states else None

    return await until(f"{member.handle} {states} at {agency.name}", so)


async def wants(agency: Agency, member: Member, post: Post) -> None:
    async with agency.instance.transaction() as tx:
        await joining.sign_up(tx, member, post)


async def gives_back(agency: Agency, member: Member, post: Post) -> None:
    async with agency.instance.transaction() as tx:
        await joining.take_back(tx, member, post)


async def counts(agency: Agency, post: Post) -> tuple[int, int]:
    async with agency.instance.reading() as session:
        event = await session.get_one(Event, post.id)
        return event.going, event.waiting


async def told(agency: Agency, member: Member, kind: str) -> int:
    """How many notices of a kind a member got."""
    async with agency.instance.reading() as session:
        question = select(Notification.id).where(
            Notification.member_id == member.id, Notification.kind == kind
        )
        return len((await session.execute(question)).all())


async def shown_without_its_link(riverton: Agency, ana: Member, copy: Post) -> None:
    """The address online is for those who have a place, and has not even left its home."""
    page = await riverton.page(f"/p/{copy.id}/{copy.slug}", ana)
    for words in ("Thursday 3 December 2026, 14:00–15:30 (Europe/Berlin, UTC+1)", "Take a place",
                  "Twenty-one days", "City of Lakeside decides who comes"):  # fmt: skip
        assert words in page.text, words
    assert "meet.lakeside" not in page.text
    async with riverton.instance.reading() as session:
        assert "meet.lakeside" not in (await session.get_one(Event, copy.id)).details


async def nothing_was_announced(*agencies: Agency) -> None:
    """Who comes is between the two agencies alone."""
    for agency in agencies:
        async with agency.instance.reading() as session:
            question = select(LogRow.form, ActivityBody.body).join(
                ActivityBody, ActivityBody.id == LogRow.body_id
            )
            rows = (await session.execute(question)).all()
        about = [form for form, body in rows if body and ('"Join"' in body or '"Leave"' in body)]
        assert about
        assert set(about) == {"direct"}


async def changed_and_called_off(
    riverton: Agency, lakeside: Agency, ana: Member, post: Post, copy: Post
) -> None:
    """Whoever signed up elsewhere hears of it, and a deleted event is gone everywhere."""
    lakeside.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        moved = {**WEBINAR, "start_time": "16:00", "end_time": "17:30"}
        await writing.revise(tx, lakeside.admin, post, check(moved))
    await riverton.sees(post.uri, revision=1)
    page = await riverton.page(f"/p/{copy.id}/{copy.slug}", ana)
    assert "16:00–17:30" in page.text
    assert await told(riverton, ana, "event_changed") == 1
    lakeside.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        await writing.amend(tx, lakeside.admin, post, status="cancelled")
    await riverton.sees(post.uri, revision=2)
    page = await riverton.page(f"/p/{copy.id}/{copy.slug}", ana)
    assert "This event does not take place" in page.text
    assert "Cancelled" in (await riverton.page("/events", ana)).text
    async with lakeside.instance.transaction() as tx:
        await editing.remove(tx, lakeside.admin, post)
    await riverton.sees(post.uri, state=PostState.DELETED, title="")
    for agency, number in ((riverton, copy.id), (lakeside, post.id)):
        async with agency.instance.reading() as session:
            assert await session.get(Event, number) is None


async def what_repeats_arrives(riverton: Agency, lakeside: Agency, forum: Forum) -> None:
    """Each occurrence is an event of its own there as well, and all know their series."""
    typed = {**WEBINAR, "title": "Office hours", "repeat": "weekly", "repeat_count": "2"}
    async with lakeside.instance.transaction() as tx:
        await series.publish(tx, lakeside.admin, forum, typed)

    async def both() -> list[Event] | None:
        async with riverton.instance.reading() as session:
            question = select(Event).where(Event.series != "").order_by(Event.starts)
            found = list((await session.execute(question)).scalars())
        return found if len(found) == 2 else None

    await nothing_was_announced(riverton, lakeside)
    first, second = await until("both office hours at Riverton", both)
    assert first.series == second.series
    assert (second.starts - first.starts).days == 7
    assert second.series_at == "2026-12-10T14:00"
    page = await riverton.page(f"/p/{first.post_id}/office-hours")
    assert "Every week, 2 times" in page.text
    assert re.search(rf'href="/p/{second.post_id}/[^"]+">Thursday 10 December 2026', page.text)


async def asks_once_more(riverton: Agency, ana: Member, copy: Post) -> None:
    await wants(riverton, ana, copy)
    await gives_back(riverton, ana, copy)
    await wants(riverton, ana, copy)
    again = await stands(riverton, copy, ana, GuestState.WAITING)
    assert again.n == 3


async def letters(agency: Agency, subject: str) -> list[Letter]:
    """The letters of an agency about something."""
    async with agency.instance.reading() as session:
        question = select(Letter).where(Letter.subject.contains(subject)).order_by(Letter.id)
        return list((await session.execute(question)).scalars())


async def told_though_nobody_follows(
    riverton: Agency, lakeside: Agency, ana: Member, early: Post, guest: str
) -> None:
    """An agency that came late and left again gets no Update; who has a place hears of it still."""
    copy = await riverton.sees(early.uri, kind=Kind.EVENT)
    await wants(riverton, ana, copy)
    await stands(riverton, copy, ana, GuestState.GOING)
    forum = await riverton.forum(await forum_of(lakeside, early))
    assert forum is not None
    async with riverton.instance.transaction() as tx:
        await follows.leave(tx, ana, forum)

    async def left() -> bool:
        async with lakeside.instance.reading() as session:
            question = select(Subscription.id).where(
                Subscription.audience == forum.uri, Subscription.until_seq.is_(None)
            )
            return (await session.execute(question)).first() is None

    await until("Riverton follows no longer", left)
    before = await told(riverton, ana, "event_changed")
    lakeside.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        moved = {**WEBINAR, "title": "Early", "start_time": "09:00", "end_time": "10:00"}
        await writing.revise(tx, lakeside.admin, early, check(moved))

    async def heard() -> bool:
        return await told(riverton, ana, "event_changed") == before + 1

    await until("Ana hears of the new hour", heard)
    page = await riverton.page(f"/p/{copy.id}/{copy.slug}", ana)
    assert "09:00–10:00" in page.text
    [letter] = await letters(lakeside, "Changed: Early")
    assert (letter.recipient, WEBINAR["online"] in letter.text) == (guest, True)
    async with lakeside.instance.transaction() as tx:
        await editing.remove(tx, lakeside.admin, early)
    dropped = await stands(riverton, copy, ana, GuestState.REFUSED)
    assert dropped.reason == "The event was deleted."
    assert (await letters(lakeside, "was deleted"))[-1].recipient == guest
    assert (await riverton.held(early.uri)) is not None


async def forum_of(agency: Agency, post: Post) -> str:
    async with agency.instance.reading() as session:
        return (await session.get_one(Forum, post.forum_id)).uri


async def comes_by_letter(agency: Agency, post: Post, address: str) -> None:
    """Somebody without an account takes a place by the link in a letter."""
    async with agency.instance.transaction() as tx:
        await by_mail.ask(tx, post, "Kim", address)
    [letter] = await letters(agency, f"Your place: {post.title}")
    [token] = re.findall(r"/place/(\S+)", letter.text)
    async with agency.instance.transaction() as tx:
        await by_mail.answer(tx, post.id, token, comes=True)


@pytest.mark.fep("8a8e")
async def test_a_webinar_fills_from_two_agencies_and_a_freed_place_moves_the_next_up_once(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")
    ana, dee = [await makers.member(riverton.instance, name) for name in ("ana", "dee")]
    marek = await makers.member(lakeside.instance, "marek")
    early = await announced(lakeside.instance, lakeside.admin, forum, title="Early", capacity="")
    await comes_by_letter(lakeside, early, "kim@village.example")
    await riverton.follow(ana, forum.uri)
    post = await announced(lakeside.instance, lakeside.admin, forum)
    copy = await riverton.sees(post.uri, kind=Kind.EVENT, title=post.title)
    await shown_without_its_link(riverton, ana, copy)
    await wants(riverton, ana, copy)
    page = await riverton.page(f"/p/{copy.id}/{copy.slug}", ana)
    assert "Asked, not confirmed yet" in page.text
    guest = await stands(riverton, copy, ana, GuestState.GOING)
    assert guest.link == "https://meet.lakeside.example.gov/permits"
    page = await riverton.page(f"/p/{copy.id}/{copy.slug}", ana)
    assert "You have a place" in page.text
    assert "https://meet.lakeside.example.gov/permits" in page.text
    await wants(riverton, dee, copy)
    waiting = await stands(riverton, copy, dee, GuestState.WAITING)
    assert (waiting.place, waiting.link) == (1, "")
    await wants(lakeside, marek, post)
    assert await counts(lakeside, post) == (1, 2)
    page = await lakeside.page(f"/p/{post.id}/guests", lakeside.admin)
    assert page.status_code == 200
    assert page.text.index("Ana Ruiz") < page.text.index("Marek")
    assert (await lakeside.page(f"/p/{post.id}/guests", marek)).status_code == 403

    await gives_back(riverton, ana, copy)
    await stands(riverton, copy, dee, GuestState.GOING)
    assert await counts(lakeside, post) == (1, 1)
    assert await told(riverton, dee, "event_place") == 1
    await gives_back(riverton, dee, copy)

    async def moved_up() -> bool:
        return await counts(lakeside, post) == (1, 0)

    await until("Marek has the place", moved_up)
    assert await told(lakeside, marek, "event_place") == 1
    await asks_once_more(riverton, ana, copy)
    assert await counts(lakeside, post) == (1, 1)

    await what_repeats_arrives(riverton, lakeside, forum)
    await changed_and_called_off(riverton, lakeside, ana, post, copy)
    await told_though_nobody_follows(riverton, lakeside, ana, early, "kim@village.example")
