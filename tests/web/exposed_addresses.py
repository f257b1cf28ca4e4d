# SPDX-License-Identifier: Apache-2.0
"""Addresses that ask something, and what calls of apps are asked about."""

from urllib.parse import quote

from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from web.api import absent, tags, timelines
from web.api.routes import ApiRoute

OF_ACCOUNTS = ("/api/v1/accounts/", "/api/v1/lists/")


def says_the_same(route: ApiRoute) -> bool:
    """Whether a call answers everybody alike, or with the word it was asked for."""
    return route.door.handler in {absent.refused, timelines.fixed, tags.one}


def ids_of_calls(
    route: ApiRoute,
    keys: frozenset[str],
    forums: dict[str, Forum],
    posts: dict[str, list[Post]],
    person: Member,
) -> list[str]:
    """The accounts or the threads with these words; a thread's opener speaks for all of it."""
    if route.path.startswith(OF_ACCOUNTS):
        return [*(str(forums[key].id) for key in sorted(keys & forums.keys())), str(person.id)]
    return [str(posts[key][0].id) for key in sorted(keys & posts.keys())]


def questions(rooms: list[str], people: list[str], posts: list[str]) -> list[str]:
    """Addresses that ask something in their query."""
    late = 1 << 62
    found = ["/search?q=kerb", "/search?q=zq", "/search?q=room", f"/search?q=kerb&before={late}"]
    found.append("/instance/mentors?programme=open")
    found += [f"/f/{room}/outbox?before={late}" for room in rooms]
    found += [f"/f/{room}?after=1-9000000000000000-{late}" for room in rooms]
    found += [f"/p/{post}/context?after=0" for post in posts]
    found += [f"/p/{post}?after=0" for post in posts]
    host = "riverton.localhost:8000"
    names = [f"acct:{name}@{host}" for name in [*rooms, *people]]
    names += [f"http://{host}/f/{room}" for room in rooms]
    return found + [f"/.well-known/webfinger?resource={quote(name, safe='')}" for name in names]
