# SPDX-License-Identifier: Apache-2.0
"""Events for other calendars: one as a file, and feeds to subscribe to."""

import asyncio
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.calendar import feeds, settings
from server.calendar.feeds import Listed
from server.calendar.lists import Chosen
from server.calendar.pages import read
from server.forums import pages as forums
from server.viewers import Viewer
from web.forms import submit
from web.forums import named
from web.spots import post_id
from web.visits import arrive


async def _file(title: str, found: list[Listed], now: datetime, name: str) -> Response:
    # Hundreds of events take long enough for others to wait for it.
    body = await asyncio.to_thread(feeds.calendar, title, found, now)
    return Response(
        body,
        media_type="text/calendar; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.ics"',
            "Cache-Control": "private, no-cache",
        },
    )


async def one(request: Request) -> Response:
    """One event as a file."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
        guest = await settings.guest_of(session, found.post, visit.viewer.member)
    shown = feeds.listed(found.post, found.author, found.event, guest)
    now = visit.instance.clock.now()
    return await _file(found.post.title, [shown], now, found.post.slug or "event")


async def of_forum(request: Request) -> Response:
    """The events of a forum, for whoever may see them."""
    visit = await arrive(request)
    now = visit.instance.clock.now()
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
        found = await feeds.of_viewer(session, visit.viewer, Chosen(forum.id), now)
    return await _file(forum.title, found, now, forum.handle)


async def everything(request: Request) -> Response:
    """Every event that anybody may see."""
    visit = await arrive(request)
    now = visit.instance.clock.now()
    async with visit.instance.reading() as session:
        found = await feeds.of_viewer(session, visit.viewer, Chosen(), now)
    return await _file(visit.instance.settings.site_name, found, now, "events")


async def own(request: Request) -> Response:
    """A member's own feed, at an address that only they know: no sign-in, so that apps can."""
    visit = await arrive(request)
    now = visit.instance.clock.now()
    async with visit.instance.reading() as session:
        member = await feeds.owner_of(session, visit.instance.vault, request.path_params["key"])
        found = await feeds.of_viewer(session, Viewer(member), Chosen(mine=True), now)
    return await _file(f"{visit.instance.settings.site_name}: mine", found, now, "mine")


async def renew(request: Request) -> Response:
    """Give one's own feed another address; the old one leads nowhere from now on."""
    visit, _ = await submit(request)
    async with visit.instance.transaction() as tx:
        await settings.renew_feed(tx, visit.member)
    return visit.go("/events", "feed_renewed")


routes = [
    Route("/events.ics", everything),
    Route("/events/mine/{key}.ics", own),
    Route("/events/renew", renew, methods=["POST"]),
    Route("/f/{where}/events.ics", of_forum),
    Route("/p/{id}/event.ics", one),
]
