# SPDX-License-Identifier: Apache-2.0
"""Finds the route of a request by the first word of its path."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from starlette.routing import BaseRoute, Match, Mount, Route

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_FOUND = "guildhall.route"


class Rooms(BaseRoute):
    """All routes, each looked at only for paths that begin with its first word.

    Starlette tries one route after the other, which took a tenth of the time of a page. Among
    those with the same first word the first that matches wins, as there.
    """

    def __init__(self, routes: Sequence[Route | Mount]) -> None:
        self.routes = list(routes)
        self._rooms: dict[str, list[Route | Mount]] = {}
        for route in routes:
            room = _first_word(route.path)
            if "{" in room:
                raise ValueError(f"{route.path} has no first word")
            self._rooms.setdefault(room, []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's own: a route for another method counts only if there is no better."""
        best = Match.NONE
        found: Scope = {}
        if scope["type"] != "http":
            return best, found
        for route in self._rooms.get(_first_word(scope["path"]), ()):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, _FOUND: route}
            if match is Match.PARTIAL and best is Match.NONE:
                best, found = match, {**child, _FOUND: route}
        return best, found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: BaseRoute = scope[_FOUND]
        await route.handle(scope, receive, send)


def _first_word(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else ""
