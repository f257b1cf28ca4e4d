# SPDX-License-Identifier: Apache-2.0
"""Statuses: reading them, and what the member does with them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from server import bookmarks, endorsements, text
from server.errors import Invalid
from server.posts import dictated
from server.posts import history as earlier
from server.rows import Member, Post
from server.timelines import people, statuses
from server.timelines.statuses import Line, Status
from server.transaction import Transaction
from web.api.calls import Call, Json
from web.api.entities.accounts import moment
from web.api.entities.statuses import Statuses
from web.api.routes import call

MOST_VERSIONS = 40
MOST_ENDORSERS = 80


async def found(call: Call, identifier: int | None = None) -> tuple[Line, Status]:
    """The status of the path, or of an id, if the viewer may see it."""
    wanted = call.number() if identifier is None else identifier
    async with call.instance.reading() as session:
        return await statuses.find(session, call.viewer, wanted)


async def post_of(call: Call, identifier: int | None = None) -> Post:
    """The same for whoever needs no more than the post."""
    wanted = call.number() if identifier is None else identifier
    async with call.instance.reading() as session:
        return await statuses.find_post(session, call.viewer, wanted)


async def shown(call: Call, identifier: int | None = None) -> Json:
    """The status as it now is."""
    return Statuses(call.instance).line(*await found(call, identifier))


async def one(call: Call) -> Json:
    """A status."""
    return await shown(call)


async def several(call: Call) -> Json:
    """Several statuses at once."""
    asked = call.given.numbers("id")
    async with call.instance.reading() as session:
        told = await statuses.told(session, call.viewer, asked[:40])
    drawn = Statuses(call.instance)
    return [drawn.status(told[one]) for one in asked if one in told]


async def context(call: Call) -> Json:
    """What a status answers, and what answers it."""
    post = await post_of(call)
    async with call.instance.reading() as session:
        above, below = await statuses.context(session, call.viewer, post)
    drawn = Statuses(call.instance)
    return {
        "ancestors": [drawn.status(status) for status in above],
        "descendants": [drawn.status(status) for status in below],
    }


async def source(call: Call) -> Json:
    """A status as it was typed."""
    post = await post_of(call)
    typed = post.source or text.plain(post.html)
    return {
        "id": str(call.number()),
        "text": dictated.written(post.title, typed),
        "spoiler_text": "",
    }


async def history(call: Call) -> Json:
    """What a status said at each time, the oldest first."""
    line, status = await found(call)
    async with call.instance.reading() as session:
        page = await earlier.history(session, call.viewer, line.post)
    drawn = Statuses(call.instance)
    now = drawn.status(status)
    author = drawn.account(status.author)
    versions = await asyncio.to_thread(_earlier, page.revisions[:MOST_VERSIONS])
    edits = [{**_version(author), "created_at": when, "content": body} for when, body in versions]
    last = now["edited_at"] or now["created_at"]
    return [*edits, {**_version(author), "created_at": last, "content": now["content"]}]


def _earlier(revisions: list[Any]) -> list[tuple[str, str]]:
    """When each version was written, and it as HTML, the oldest first."""
    found = []
    for revision in reversed(revisions):
        body = text.render(revision.source[: text.MAX_SOURCE])
        title = text.render(f"**{revision.title}**") if revision.title else ""
        found.append((moment(revision.written), title + body))
    return found


def _version(author: Json) -> dict[str, Any]:
    return {
        "spoiler_text": "",
        "sensitive": False,
        "account": author,
        "media_attachments": [],
        "emojis": [],
    }


async def endorsers(call: Call) -> Json:
    """Who endorses a status."""
    post = await post_of(call)
    async with call.instance.reading() as session:
        limit = call.limit(40, MOST_ENDORSERS)
        named = await people.endorsers(session, post, limit)
    drawn = Statuses(call.instance)
    return [drawn.account(member) for member in named]


async def boosters(call: Call) -> Json:
    """Who passed a thread on: its forum."""
    _, status = await found(call)
    if not status.post.is_thread:
        return []
    return [Statuses(call.instance).account(status.forum)]


Deed = Callable[[Transaction, Member, Post], Awaitable[object]]


async def _do(call: Call, *, deed: Deed) -> Json:
    """A deed to a status, and the status as it then is."""
    post = await post_of(call)
    async with call.instance.transaction() as tx:
        await deed(tx, call.member, post)
    return await shown(call)


async def not_offered(call: Call, *, why: str) -> Json:
    """Something that Mastodon has and this instance does not."""
    await post_of(call)
    raise Invalid(message=why)


NO_BOOSTS = "A forum passes its threads on by itself: endorse what you find useful."
NO_PINS = "Threads are pinned by the stewards of their forum, on its page."
DEEDS: tuple[tuple[str, str, Callable[[Call], Awaitable[Json]]], ...] = (
    ("favourite", "write:favourites", partial(_do, deed=endorsements.endorse)),
    ("unfavourite", "write:favourites", partial(_do, deed=endorsements.withdraw)),
    ("bookmark", "write:bookmarks", partial(_do, deed=bookmarks.keep)),
    ("unbookmark", "write:bookmarks", partial(_do, deed=bookmarks.drop)),
    ("reblog", "write:statuses", partial(not_offered, why=NO_BOOSTS)),
    ("unreblog", "write:statuses", partial(not_offered, why=NO_BOOSTS)),
    ("pin", "write:accounts", partial(not_offered, why=NO_PINS)),
    ("unpin", "write:accounts", partial(not_offered, why=NO_PINS)),
)

routes = [
    call("GET", "/api/v1/statuses", several, "read:statuses", "[Status]", "id[]", public=True),
    call("GET", "/api/v1/statuses/{id}", one, "read:statuses", "Status", public=True),
    call("GET", "/api/v1/statuses/{id}/context", context, "read:statuses", "Context", public=True),
    call("GET", "/api/v1/statuses/{id}/source", source, "read:statuses", "StatusSource"),
    call(
        "GET", "/api/v1/statuses/{id}/history", history, "read:statuses", "[StatusEdit]",
        public=True,
    ),
    call(
        "GET", "/api/v1/statuses/{id}/favourited_by", endorsers, "read:accounts", "[Account]",
        "limit", public=True,
    ),
    call(
        "GET", "/api/v1/statuses/{id}/reblogged_by", boosters, "read:accounts", "[Account]",
        "limit", public=True,
    ),
    *(
        call("POST", f"/api/v1/statuses/{{id}}/{verb}", deed, scope, "Status")
        for verb, scope, deed in DEEDS
    ),
]  # fmt: skip
