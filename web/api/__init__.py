# SPDX-License-Identifier: Apache-2.0
"""The client API of Mastodon: any of its apps is one of ours."""

from starlette.routing import Route

from web.api import (
    absent,
    accounts,
    apps,
    instance,
    media,
    notifications,
    search,
    statuses,
    tags,
    timelines,
    writing,
)
from web.api.routes import ApiRoute, missing, preflight

CALLS: tuple[ApiRoute, ...] = (
    *apps.routes,
    *instance.routes,
    *accounts.routes,
    *writing.routes,
    *statuses.routes,
    *timelines.routes,
    *search.routes,
    *notifications.routes,
    *media.routes,
    *tags.routes,
    *absent.routes,
)
_EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE"]

routes: list[Route] = [
    *CALLS,
    *(
        Route(path, preflight, methods=["OPTIONS"])
        for path in ("/api/{rest:path}", "/oauth/token", "/oauth/revoke", "/oauth/userinfo")
    ),
    Route("/api/{rest:path}", missing, methods=_EVERY),
]
