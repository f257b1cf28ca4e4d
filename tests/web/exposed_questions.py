# SPDX-License-Identifier: Apache-2.0
"""Addresses that ask something in their query."""

from urllib.parse import quote

from tests.web.exposed_practices import questions_of_practices
from tests.web.exposed_resources import questions_of_resources


def questions(
    rooms: list[str], people: list[str], posts: list[str], practices: list[str]
) -> list[str]:
    """Addresses that ask something in their query."""
    late = 1 << 62
    found = ["/search?q=kerb", "/search?q=zq", "/search?q=room", f"/search?q=kerb&before={late}"]
    found += [f"/f/{room}/outbox?before={late}" for room in rooms]
    found += [f"/f/{room}?after=1-9000000000000000-{late}" for room in rooms]
    found += [f"/p/{post}/context?after=0" for post in posts]
    found += [f"/p/{post}?after=0" for post in posts]
    host = "riverton.localhost:8000"
    names = [f"acct:{name}@{host}" for name in [*rooms, *people]]
    names += [f"http://{host}/f/{room}" for room in rooms]
    found += questions_of_practices(practices) + questions_of_resources()
    return found + [f"/.well-known/webfinger?resource={quote(name, safe='')}" for name in names]
