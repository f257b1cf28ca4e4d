# SPDX-License-Identifier: Apache-2.0
"""Events as iCalendar (RFC 5545): one, or all of a feed."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Calendar, vCalAddress
from icalendar import Event as Entry
from sqlalchemy import case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.calendar import zones
from server.calendar.lists import Chosen, followed_by
from server.errors import NotFound
from server.events import times
from server.events.details import Details, of_row
from server.keys import Vault
from server.viewers import Viewer, visible_posts
from storage.events import CalendarChoice, Event, EventGuest, GuestState
from storage.forums import Forum
from storage.members import Member, MemberState
from storage.posts import Post, PostState

MOST = 500
KEPT = timedelta(days=90)
_PRODUCT = "-//Guildhall//Calendar//EN"


@dataclass(frozen=True)
class Listed:
    """An event as a calendar file has it; `link` is one that only this reader is told."""

    post: Post
    author: Member
    event: Event
    details: Details
    state: str = ""
    link: str = ""


def calendar(name: str, listed: Iterable[Listed], now: datetime) -> bytes:
    """A calendar file of these events, with the zones that they are in."""
    made = Calendar()
    made.add("prodid", _PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("name", name)
    made.add("x-wr-calname", name)
    moments: dict[str, list[datetime]] = {}
    entries = []
    for one in listed:
        entries.append(_entry(one, now))
        details = one.details
        if not details.all_day and details.zone != times.DEFAULT:
            moments.setdefault(details.zone, []).extend((details.starts, details.ends))
    # Before what refers to them, since not every reader looks twice.
    for zone, held in sorted(moments.items()):
        made.add_component(zones.described(zone, held))
    for entry in entries:
        made.add_component(entry)
    return bytes(made.to_ical())


def _entry(one: Listed, now: datetime) -> Entry:
    post, details = one.post, one.details
    entry = Entry()
    entry.add("uid", post.uri)
    entry.add("dtstamp", now)
    _span(entry, details)
    entry.add("summary", post.title)
    entry.add("description", _described(one))
    entry.add("url", post.url)
    entry.add("status", "CANCELLED" if details.status == "cancelled" else details.status.upper())
    entry.add("sequence", one.event.sequence)
    entry.add("created", post.published)
    entry.add("last-modified", post.updated or post.published)
    if details.place or details.is_online:
        entry.add("location", details.place or "Online")
    link = one.link or ("" if details.is_hidden else details.online)
    if link:
        entry.add("conference", link, parameters={"VALUE": "URI", "FEATURE": "VIDEO"})
    if details.series:
        # Each occurrence is an entry with a UID of its own; RFC 9253 says what belongs together.
        entry.add("refid", details.series)
    organiser = vCalAddress(one.author.uri)
    organiser.params["CN"] = one.author.name
    entry.add("organizer", organiser)
    if one.state == GuestState.WAITING:
        entry.add("transp", "TRANSPARENT")
    return entry


def _span(entry: Entry, details: Details) -> None:
    """DTSTART and DTEND: days, or the time on the clocks of the event's zone.

    In the hour that clocks show twice a time is the first of the two (RFC 5545 §3.3.5), so what
    begins or ends in the second is said in UTC.
    """
    if details.all_day:
        entry.add("dtstart", times.wall(details.starts, details.zone).date())
        entry.add("dtend", times.wall(details.ends, details.zone).date())
        return
    clear = all(
        times.resolve(times.wall(moment, details.zone), details.zone) == moment
        for moment in (details.starts, details.ends)
    )
    zone = times.zone(details.zone if clear else times.DEFAULT)
    entry.add("dtstart", details.starts.astimezone(zone))
    entry.add("dtend", details.ends.astimezone(zone))


def _described(one: Listed) -> str:
    words = [text.plain(one.post.html)]
    words += [
        " ".join(part for part in (session.at, session.title, session.speakers) if part)
        for session in one.details.sessions
    ]
    if one.state == GuestState.WAITING:
        words.insert(0, "You are on the waiting list.")
    elif one.state == GuestState.ASKED:
        words.insert(0, "You have asked for a place; it is not confirmed yet.")
    return "\n".join([*words, one.post.url])


async def of_viewer(
    session: AsyncSession, viewer: Viewer, chosen: Chosen, now: datetime
) -> list[Listed]:
    """The events of a feed that the viewer may see: what comes, and the last three months."""
    conditions = [visible_posts(viewer), Post.state.in_((PostState.LIVE, PostState.SENT))]
    conditions.append(Event.ends > now - KEPT)
    if chosen.forum is not None:
        conditions.append(Post.forum_id == chosen.forum)
    member = viewer.member.id if viewer.member is not None else 0
    if chosen.mine:
        coming = select(EventGuest.post_id).where(
            EventGuest.member_id == member, EventGuest.state.in_(_COMING)
        )
        conditions.append(
            or_(Event.post_id.in_(coming), Post.author_id == member, followed_by(member))
        )
    question = (
        select(Post, Member, Event, EventGuest)
        .select_from(Event)
        .join(Post, Post.id == Event.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .outerjoin(EventGuest, (EventGuest.post_id == Post.id) & (EventGuest.member_id == member))
        .where(*conditions)
        # What is over gives way where there is more than fits, and what is long over first.
        .order_by(
            Event.ends <= now,
            case((Event.ends > now, Event.starts)),
            Event.starts.desc(),
            Event.post_id,
        )
        .limit(MOST)
    )
    rows = (await session.execute(question)).all()
    found = [listed(post, author, event, guest) for post, author, event, guest in rows]
    return sorted(found, key=lambda one: (one.event.starts, one.post.id))


_COMING = (GuestState.GOING, GuestState.WAITING, GuestState.ASKED)


def listed(post: Post, author: Member, event: Event, guest: EventGuest | None) -> Listed:
    """An event with what this guest, if any, is told of it."""
    details = of_row(event)
    state = guest.state if guest is not None else ""
    link = ""
    if guest is not None and state == GuestState.GOING and details.is_hidden:
        link = guest.link or details.online
    return Listed(post, author, event, details, state, link)


def feed_key(vault: Vault, member: int, number: int) -> str:
    """What the address of a member's own feed ends in: nobody else can make it."""
    said = f"calendar feed {member} {number}".encode()
    return f"{member}-{hmac.new(vault.media_secret, said, hashlib.sha256).hexdigest()[:40]}"


async def owner_of(session: AsyncSession, vault: Vault, key: str) -> Member:
    """Whose feed this is the key of; NotFound for any other."""
    number, _, _ = key.partition("-")
    if not (number.isascii() and number.isdecimal()) or len(number) > 19:
        raise NotFound
    if int(number) >= 1 << 63:
        raise NotFound
    member = await session.get(Member, int(number))
    if member is None or not member.is_local or member.state != MemberState.ACTIVE:
        raise NotFound
    kept = await session.get(CalendarChoice, member.id)
    right = feed_key(vault, member.id, kept.feed if kept else 0)
    if not hmac.compare_digest(right.encode(), key.encode(errors="replace")):
        raise NotFound
    return member
