# SPDX-License-Identifier: Apache-2.0
"""Every address of the application, its parameters filled."""

import itertools
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from tests.web.exposed_addresses import ids_of_calls, questions, says_the_same
from tests.web.exposed_events import ids_of_kinds, questions_of_events
from tests.web.exposed_mentoring import Meeting
from tests.web.exposed_practices import ids_for, questions_of_practices
from tests.web.exposed_resources import ids_of_resources, questions_of_resources
from tests.web.exposure import ACTIVITY, EVERY, LAKESIDE, PAIR, STAMP, Looker, World
from web.activitypub import MachineRoute
from web.api.routes import ApiRoute
from web.rooms import Rooms

# The parts that things have for machines.
PARTS = {
    "/u/{handle}/{part}": ["outbox", "followers", "following"],
    "/f/{handle}/{part}": [
        "outbox", "followers", "featured", "moderators", "followers_synchronization",
    ],
    "/p/{number}/{part}": ["context", "replies", "likes", "versions"],
}  # fmt: skip


def routes(app: Starlette) -> list[Route]:
    """Every route of the application; the only mount is that of the static files."""

    def walk(found: Sequence[BaseRoute]) -> Iterator[Route]:
        for route in found:
            if isinstance(route, Mount):
                assert route.path == "/static", f"walk the mount {route.path} too"
                continue
            if isinstance(route, WebSocketRoute):
                continue  # What streams tell is looked at beside the streams.
            if isinstance(route, Rooms):
                yield from walk(route.routes)
                continue
            assert isinstance(route, Route), route
            yield route

    return list(walk(app.routes))


def paths(
    app: Starlette,
    world: World,
    method: str,
    looker: Looker,
    keys: frozenset[str] = EVERY,
    *,
    doors: Sequence[BaseRoute] | None = None,
) -> list[str]:
    """Every address of every route that this one can come to, or of these `doors` alone, its
    parameters filled from the forums and posts of `keys`."""
    people = ["ana", "lee", "sam", f"marek@{LAKESIDE}"]
    posts, rooms, practices = world.ids(keys), world.handles(keys), world.practice_ids(keys)
    meeting = world.meeting
    assert meeting is not None
    met = meeting if PAIR in keys else Meeting(meeting.programme, "1", "1", "1", "1")
    values = {
        "id": posts, "number": posts, "handle": people + rooms, "where": people + rooms,
        "part": ["flags"], "slug": ["x"], "version": ["2.0", "2.1"],
        "token": ["x" * 43, *world.review_tokens(keys)], "case": world.review_ids(keys),
        "sha256": ["0" * 64], "mac": ["0" * 64], "encoded": ["aHR0cDovL3g"],
            "until": ["1900000000"], "seal": ["0" * 40],
        "host": ["lakeside.localhost", LAKESIDE],
        "rest": ["v9/nothing"], "draft": world.draft_ids(keys), "offer": ["1"], "stamp": [STAMP],
        "tag": ["kerb"], "section": ["about", "steps", "preview"], "key": ["1"],
        "arrival": ["1"], "edition": ["1"], "position": ["0"], "name": ["x"],
        "programme": [met.programme], "need": [met.need], "match": [met.match],
        "pair": [met.pair], "entry": [met.entry],
    }  # fmt: skip
    resources, events = world.resource_ids(keys), world.event_ids(keys)
    asked = questions(rooms, people, posts) + questions_of_practices(practices)
    asked += questions_of_resources() + questions_of_events(rooms)
    found = dict.fromkeys(asked if method == "GET" else [])
    for route in routes(app):
        if method not in (route.methods or {"GET"}):
            continue
        if doors is not None and route not in doors:
            continue
        if isinstance(route, MachineRoute) and looker.accept != ACTIVITY:
            continue  # It is there for machines only.
        if isinstance(route, ApiRoute) and (looker.accept == ACTIVITY or says_the_same(route)):
            continue  # Signatures mean nothing there; and some calls look at nothing.
        names = list(route.param_convertors)
        assert set(names) <= values.keys(), f"say what {names} of {route.path} may be"
        if method == "POST" and not names:
            continue
        of_kinds = ids_of_kinds(route, ids_for(route, posts, practices), events)
        of_kinds = ids_of_resources(route, of_kinds, resources)
        parts = [*PARTS.get(route.path, []), "flags"]  # And one that is none.
        taken = {**values, "id": of_kinds, "number": of_kinds, "part": parts}
        if isinstance(route, ApiRoute):
            taken["id"] = ids_of_calls(route, keys, world.forums, world.posts, world.sam)
        for chosen in itertools.product(*(taken[name] for name in names)):
            filled = route.path
            for name, value in zip(names, chosen, strict=True):
                filled = re.sub(rf"{{{name}(:\w+)?}}", quote(value, safe="@:"), filled)
            found[filled] = None
    return list(found)
