# SPDX-License-Identifier: Apache-2.0
"""An event at the head of its discussion."""

from sqlalchemy.ext.asyncio import AsyncSession

from server import freshness
from server.calendar.lists import choice
from server.calendar.pages import event_page
from server.events import times
from server.events.details import JOININGS, KINDS, Details
from server.posts.pages import ThreadPage
from web.beside import Beside
from web.events.zones import zone_of
from web.visits import Visit


async def beside(session: AsyncSession, visit: Visit, page: ThreadPage) -> Beside:
    """The event of a post that is one."""
    found = await event_page(session, visit.viewer, page, visit.instance.clock.now())
    kept = await choice(session, visit.viewer.member)
    zone = zone_of(visit, kept)
    values = {
        "practices": [],
        "shown": found,
        "details": found.details,
        "KINDS": KINDS,
        "JOININGS": JOININGS,
        "own_time": own_time(found.details, zone),
    }
    return Beside(
        "events/event.html", values, not zone, scopes=freshness.of_event(), until=found.until
    )


def own_time(details: Details, zone: str) -> str:
    """When it is in the reader's zone, where that differs from the event's own."""
    if not zone or zone == details.zone or details.all_day:
        return ""
    return times.in_words(details.starts, details.ends, zone, all_day=False)
