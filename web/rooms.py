# SPDX-License-Identifier: Apache-2.0
"""Finds the route of a request by the first word and the length of its path."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from starlette.routing import BaseRoute, Match, Mount, Route

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_FOUND = "guildhall.route"


class Rooms(BaseRoute):
    """All routes, each looked at only for paths of its first word and as many words as it has.

    Starlette tries one route after the other, which took a tenth of the time of a page. Among
    those that are looked at the first that matches wins, as there.
    """

    def __init__(self, routes: Sequence[Route | Mount]) -> None:
        self.routes = list(routes)
        self._longest: dict[str, int] = {}
        self._rooms: dict[tuple[str, int], list[Route | Mount]] = {}
        rooms: dict[str, list[Route | Mount]] = {}
        for route in routes:
            room = _first_word(route.path)
            if "{" in room:
                raise ValueError(f"{route.path} has no first word")
            rooms.setdefault(room, []).append(route)
        for room, inside in rooms.items():
            lengths = [(one, _words(one.path), _is_of_any_length(one)) for one in inside]
            # Addresses of more words than any route has are met by those of any length.
            longest = max(words for _, words, _ in lengths) + 1
            for asked in range(longest + 1):
                self._rooms[room, asked] = [
                    one for one, words, always in lengths if always or words == asked
                ]
            self._longest[room] = longest

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's own: a route for another method counts only if there is no better."""
        best = Match.NONE
        found: Scope = {}
        if scope["type"] != "http":
            return best, found
        path: str = scope["path"]
        room = _first_word(path)
        words = min(_words(path), self._longest.get(room, 0))
        for route in self._rooms.get((room, words), ()):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, _FOUND: route}
            if match is Match.PARTIAL and best is Match.NONE:
                best, found = match, {**child, _FOUND: route}
        return best, found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: BaseRoute = scope[_FOUND]
        await route.handle(scope, receive, send)


def _is_of_any_length(route: Route | Mount) -> bool:
    return isinstance(route, Mount) or ":path}" in route.path


def _words(path: str) -> int:
    """How many words a path has; some apps end theirs with a slash, and it is no word more."""
    return path.rstrip("/").count("/")


def _first_word(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else ""
