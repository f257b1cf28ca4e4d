# SPDX-License-Identifier: Apache-2.0
"""Events for tests, written and published by the real deeds."""

from server.calendar import joining, typed, writing
from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests.clock import TurnableClock

WEBINAR = {
    "title": "How Lakeside cut permit times",
    "source": "Forty per cent less, and **nothing** is checked less.",
    "kind": "webinar",
    "start_date": "2026-12-03",
    "start_time": "14:00",
    "end_time": "15:30",
    "zone": "Europe/Berlin",
    "online": "https://meet.lakeside.example.gov/permits",
    "hidden": "yes",
    "joining": "free",
    "capacity": "1",
    "agenda": "14:05 | Twenty-one days | Marek Nowak\n14:40 | Questions",
    "tags": "permits",
}
"""The fields of a webinar with a single place."""

TERM = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:desk
SUMMARY:Permit desk
DTSTART;TZID=Europe/Berlin:20261202T090000
DTEND;TZID=Europe/Berlin:20261202T100000
RRULE:FREQ=WEEKLY;COUNT=4
END:VEVENT
BEGIN:VEVENT
UID:desk
RECURRENCE-ID;TZID=Europe/Berlin:20261209T090000
SUMMARY:Permit desk, later
DTSTART;TZID=Europe/Berlin:20261209T110000
DTEND;TZID=Europe/Berlin:20261209T120000
END:VEVENT
BEGIN:VEVENT
SUMMARY:Kerb day
DESCRIPTION:Bring <b>boots</b>.
DTSTART;VALUE=DATE:20261204
END:VEVENT
BEGIN:VEVENT
SUMMARY:Long past
DTSTART:20251204T100000Z
END:VEVENT
BEGIN:VEVENT
SUMMARY:Off
STATUS:CANCELLED
DTSTART:20261204T100000Z
END:VEVENT
BEGIN:VEVENT
SUMMARY:No day
DTSTART:99999999
END:VEVENT
BEGIN:VEVENT
SUMMARY:Each second
DTSTART:20261204T100000Z
RRULE:FREQ=SECONDLY
END:VEVENT
END:VCALENDAR
"""
"""A calendar file: a series with one time moved, a day, and four that cannot go in as they are."""


async def announced(instance: Instance, author: Member, forum: Forum, **fields: str) -> Post:
    """An event with these fields over those of WEBINAR, a minute after whatever came before."""
    if isinstance(instance.clock, TurnableClock):
        instance.clock.turn(minutes=1)
    draft = typed.check({**WEBINAR, **fields})
    async with instance.transaction() as tx:
        return await writing.publish(tx, author, forum, draft)


async def joined(instance: Instance, member: Member, post: Post) -> None:
    """A member takes a place."""
    async with instance.transaction() as tx:
        await joining.sign_up(tx, member, post)
