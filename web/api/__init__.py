# SPDX-License-Identifier: Apache-2.0
"""The client API of Mastodon: any of its apps is one of ours."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.api import (
    absent,
    accounts,
    apps,
    filters,
    instance,
    media,
    mutes,
    notifications,
    openapi,
    polls,
    profile,
    pushes,
    reports,
    search,
    statuses,
    streaming,
    tags,
    timelines,
    writing,
)
from web.api.calls import ApiJson
from web.api.routes import CORS, ApiRoute, missing, preflight

CALLS: tuple[ApiRoute, ...] = (
    *apps.routes,
    *instance.routes,
    *profile.routes,
    *accounts.routes,
    *writing.routes,
    *statuses.routes,
    *timelines.routes,
    *search.routes,
    *notifications.routes,
    *media.routes,
    *polls.routes,
    *mutes.routes,
    *reports.routes,
    *pushes.routes,
    *tags.routes,
    *filters.routes,
    *absent.routes,
)


async def described(request: Request) -> Response:
    """The calls as an OpenAPI document."""
    origin = request.app.state.instance.settings.origin
    return ApiJson(openapi.document(CALLS, origin), headers=CORS)


sockets = streaming.sockets
_EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE"]

routes: list[Route] = [
    *CALLS,
    *(
        Route(path, preflight, methods=["OPTIONS"])
        for path in ("/api/{rest:path}", "/oauth/token", "/oauth/revoke", "/oauth/userinfo")
    ),
    Route("/api/openapi.json", described),
    *streaming.routes,
    Route("/api/{rest:path}", missing, methods=_EVERY),
]
