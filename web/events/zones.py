# SPDX-License-Identifier: Apache-2.0
"""The zone in which somebody reads times: a member's own, a visitor's cookie."""

from functools import lru_cache

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.calendar import settings
from server.errors import NotFound
from server.events import times
from server.rows import CalendarChoice
from web.forms import submit
from web.visits import Visit

COOKIE = "zone"
KEPT_FOR = 365 * 24 * 3_600


def zone_of(visit: Visit, kept: CalendarChoice | None) -> str:
    """The zone that was chosen; "" for each event's own."""
    if visit.viewer.member is not None:
        return kept.zone if kept else ""
    named = visit.request.cookies.get(COOKIE, "")
    return named if times.is_zone(named) else ""


@lru_cache(maxsize=64)
def zone_options(chosen: str) -> Markup:
    """The options of a list of zones, `chosen` selected: some five hundred, written once."""
    pairs = [("", "Each event’s own"), *((n, n.replace("_", " ")) for n in times.zones())]
    option, selected = (
        Markup(f'<option value="{{}}"{mark}>{{}}</option>')  # noqa: S704 (our own words)
        for mark in ("", " selected")
    )
    return Markup("").join(
        (selected if name == chosen else option).format(name, words) for name, words in pairs
    )


async def keep(request: Request) -> Response:
    """Remember the zone in which somebody reads times."""
    visit, sent = await submit(request)
    zone = sent["zone"]
    if zone and not times.is_zone(zone):
        raise NotFound("There is no such time zone.")
    response = visit.go("/events", "zone_kept")
    if visit.viewer.member is not None:
        async with visit.instance.transaction() as tx:
            await settings.keep_zone(tx, visit.member, zone)
    elif zone:
        response.set_cookie(
            COOKIE, zone, max_age=KEPT_FOR, httponly=True, samesite="lax",
            secure=visit.instance.settings.is_https,
        )  # fmt: skip
    else:
        response.delete_cookie(COOKIE)
    return response


routes = [Route("/events/zone", keep, methods=["POST"])]
