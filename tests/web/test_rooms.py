# SPDX-License-Identifier: Apache-2.0
"""A route is found as it would be by trying all, one after the other."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Mount, Route

from web.api.instance import nothing
from web.api.routes import EVERYBODY, call
from web.rooms import Rooms


async def _answer(request: Request) -> Response:
    return PlainTextResponse("")


ROUTES: list[Route | Mount] = [
    Route("/", _answer),
    Route("/p/{id}", _answer),
    Route("/p/{id}/history", _answer),
    Route("/p/{id}/history", _answer, methods=["POST"]),
    Route("/p/{id}/lock", _answer, methods=["POST"]),
    Route("/p/{id}/{slug}", _answer),
    Route("/p/{id}/files/{path:path}", _answer),
    *(call("GET", f"/api/v1/{path}", nothing, EVERYBODY, "Empty") for path in ("a", "a/rules")),
    Mount("/static", Starlette()),
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "path",
    [
        "", "/", "//", "/p", "/p/", "/p/1", "/p/1/", "/p/1/history", "/p/1/history/", "/p/1/lock",
        "/p/1/some-words", "/p/1/files/", "/p/1/files/a", "/p/1/files/a/b/c/d/e", "/p/1/a/b/c/d",
        "/api/v1/a", "/api/v1/a/", "/api/v1/a/rules//", "/api/v1/",
        "/static", "/static/", "/static/a/b/c/d", "/q/1", "p/1",
    ],
)  # fmt: skip
def test_the_route_is_the_one_that_trying_all_finds(path: str, method: str) -> None:
    scope = {"type": "http", "path": path, "method": method, "root_path": ""}
    tried = [route.matches(scope)[0] for route in ROUTES]
    best = max(tried, key=lambda match: match.value)
    found, child = Rooms(ROUTES).matches(scope)
    assert found is best
    if best is not Match.NONE:
        assert child["guildhall.route"] is ROUTES[tried.index(best)]
