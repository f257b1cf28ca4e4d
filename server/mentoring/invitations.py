# SPDX-License-Identifier: Apache-2.0
"""A session as a calendar file (RFC 5545)."""

from datetime import UTC, datetime, timedelta

from icalendar import Calendar
from icalendar import Event as CalendarEvent
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.mentoring import pairs
from storage.members import Member
from storage.mentoring import Entry, EntryKind

STATUS = {"planned": "CONFIRMED", "held": "CONFIRMED", "missed": "CONFIRMED"}


async def session_of(session: AsyncSession, member: Member, pairing_id: int, number: int) -> Entry:
    """A session of a pair, for the two of it."""
    await pairs.own(session, member, pairing_id)
    entry = await session.get(Entry, number)
    if entry is None or entry.pairing_id != pairing_id or entry.kind != EntryKind.SESSION:
        raise NotFound
    return entry


def written(entry: Entry, other: Member, page: str, now: datetime) -> bytes:
    """The file; one taken again after a change replaces the first in a calendar.

    It names the other one, and no address: there is none that both would want in a file.
    """
    starts = (entry.starts or now).astimezone(UTC)
    event = CalendarEvent()
    event.add("uid", entry.uri)
    event.add("sequence", entry.revision)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", starts)
    event.add("dtend", starts + timedelta(minutes=entry.minutes or 60))
    event.add("summary", f"{entry.title} ({other.name})")
    event.add("description", entry.source)
    event.add("url", page)
    event.add("status", STATUS.get(entry.state, "CANCELLED"))
    event.add("class", "PRIVATE")
    calendar = Calendar()
    calendar.add("prodid", "-//Guildhall//Mentoring//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made
