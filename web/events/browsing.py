# SPDX-License-Identifier: Apache-2.0
"""The calendar: agenda, week and month, of everything or of one forum."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from server.calendar import feeds, lists
from server.calendar.lists import Chosen
from server.events import times
from server.events.details import KINDS
from server.forums import pages as forums
from server.rows import CalendarChoice, Forum
from server.viewers import VISITOR
from web.events.zones import zone_of, zone_options
from web.templates import render, where
from web.visits import Visit, arrive

VIEWS = ("agenda", "week", "month")
_WEEK = timedelta(days=7)
# Nothing of it can be pressed: it has no form, and knows nobody who is signed in.
IN_A_FRAME = (
    "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"
)


@dataclass(frozen=True)
class Asked:
    """What of the calendar is asked for."""

    view: str
    day: date
    zone: str
    chosen: Chosen
    forum: Forum | None

    def query(self, **changes: str) -> str:
        """The query of a link that changes some of it."""
        values = {
            "view": "" if self.view == "agenda" else self.view,
            "forum": where(self.forum) if self.forum else "",
            "kind": self.chosen.kind,
            "mine": "yes" if self.chosen.mine else "",
            **changes,
        }
        pairs = [f"{name}={value}" for name, value in values.items() if value]
        return "/events" + (f"?{'&'.join(pairs)}" if pairs else "")


async def asked(session: AsyncSession, visit: Visit, kept: CalendarChoice | None) -> Asked:
    """What the address asks for; nonsense is as good as nothing."""
    given: Mapping[str, str] = visit.request.query_params
    zone = given.get("zone", "")
    zone = zone if times.is_zone(zone) else zone_of(visit, kept)
    forum = None
    if named := given.get("forum", "").lower()[:300]:
        handle, _, peer = named.partition("@")
        ours = not peer or peer == visit.instance.settings.host
        forum = await forums.one(session, visit.viewer, handle, None if ours else peer)
    kind = given.get("kind", "")
    chosen = Chosen(
        forum.id if forum else None,
        kind if kind in KINDS else "",
        mine=given.get("mine") == "yes" and visit.viewer.is_member,
    )
    view = given.get("view", "")
    today = times.wall(visit.instance.clock.now(), zone or times.DEFAULT).date()
    return Asked(
        view if view in VIEWS else "agenda", _day(given.get("date", ""), today), zone, chosen, forum
    )


def _day(value: str, today: date) -> date:
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return today
    return found if 2000 <= found.year <= 2200 else today


async def index(request: Request) -> Response:
    """The calendar, in the view that is asked for."""
    visit = await arrive(request)
    now = visit.instance.clock.now()
    async with visit.instance.reading() as session:
        kept = await lists.choice(session, visit.viewer.member)
        what = await asked(session, visit, kept)
        values = (
            await _agenda(session, visit, what, now)
            if what.view == "agenda"
            else (await _grid(session, visit, what))
        )
    return visit.page(
        "events/index.html",
        asked=what,
        today=times.wall(now, what.zone or times.DEFAULT).date(),
        kinds=[("", "Every kind"), *KINDS.items()],
        KINDS=KINDS,
        zones=zone_options(what.zone),
        day_in_words=times.day_in_words,
        hours=_hours(what.zone),
        feed=_feed(visit, kept),
        **values,
    )


def _feed(visit: Visit, kept: CalendarChoice | None) -> str:
    """The address of the member's own feed; "" for visitors."""
    member = visit.viewer.member
    if member is None:
        return ""
    key = feeds.feed_key(visit.instance.vault, member.id, kept.feed if kept else 0)
    return f"{visit.instance.settings.origin}/events/mine/{key}.ics"


def _hours(zone: str) -> Callable[[lists.Line], str]:
    """What says when an event of a list is, on the day under which it stands."""

    def say(line: lists.Line) -> str:
        details = line.details
        if details.all_day:
            return "All day"
        name = zone or details.zone
        first, last = times.wall(details.starts, name), times.wall(details.ends, name)
        until = f"{last:%H:%M}" if last.date() == first.date() else f"{last:%-d %b %H:%M}"
        return f"{first:%H:%M}–{until}"

    return say


async def _agenda(
    session: AsyncSession, visit: Visit, what: Asked, now: datetime
) -> dict[str, Any]:
    after = _after(visit.request.query_params.get("after", ""))
    floor = now
    if what.day > times.wall(now, what.zone or times.DEFAULT).date():
        floor = times.midnight(what.day, what.zone or times.DEFAULT)
    found = await lists.agenda(
        session, visit.viewer, what.chosen, floor, zone=what.zone, after=after
    )
    more = what.query(after=found.after) if found.after else ""
    return {"days": found.days, "more": more, "first": after is None, "weeks": []}


def _after(value: str) -> tuple[datetime, int] | None:
    """Where a page of the agenda begins, as a link says it."""
    moment, _, number = value.partition("-")
    if not (moment.isascii() and moment.isdecimal() and number.isascii() and number.isdecimal()):
        return None
    if len(moment) > 13 or len(number) > 19 or int(number) >= 1 << 63:
        return None
    return datetime.fromtimestamp(int(moment) / 1000, UTC), int(number)


async def _grid(session: AsyncSession, visit: Visit, what: Asked) -> dict[str, Any]:
    """The days of a week, or of the weeks that a month touches."""
    if what.view == "week":
        first = what.day - timedelta(days=what.day.weekday())
        last = first + timedelta(days=6)
        before, following = first - _WEEK, first + _WEEK
        heading = f"Week of {first.day} {first:%B %Y}"
    else:
        begin = what.day.replace(day=1)
        end = (begin + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        first = begin - timedelta(days=begin.weekday())
        last = end + timedelta(days=6 - end.weekday())
        before, following = begin - timedelta(days=1), end + timedelta(days=1)
        heading = f"{begin:%B %Y}"
    days = await lists.between(session, visit.viewer, what.chosen, (first, last), what.zone)
    return {
        "days": days,
        "weeks": [days[n : n + 7] for n in range(0, len(days), 7)],
        "heading": heading,
        "before": what.query(date=before.isoformat()),
        "following": what.query(date=following.isoformat()),
        "more": "",
        "first": True,
    }


async def embed(request: Request) -> Response:
    """The agenda for a frame on another website: what anybody may see, whoever looks."""
    visit = await arrive(request)
    visit.viewer = VISITOR
    now = visit.instance.clock.now()
    async with visit.instance.reading() as session:
        what = await asked(session, visit, None)
        found = await lists.agenda(session, VISITOR, what.chosen, now, zone=what.zone)
    html = render(
        "events/embed.html",
        site=visit.instance.settings,
        asked=what,
        days=found.days,
        day_in_words=times.day_in_words,
        hours=_hours(what.zone),
        KINDS=KINDS,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": IN_A_FRAME})


routes = [
    Route("/events", index),
    Route("/events/embed", embed),
]
