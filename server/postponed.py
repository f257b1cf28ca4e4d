# SPDX-License-Identifier: Apache-2.0
"""What was received of a post and waits to be applied goes with the post."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Text, select

from server.facts import PostDeleted
from server.transaction import Transaction
from storage import inbox
from storage.among import among
from storage.posts import Post, PostState

AT_ONCE = 200
NOTE = "The post was removed before this was applied."
# Where a post has its words; what remains of a deleted one has none of them.
WORDS = ("content", "contentMap", "name", "nameMap", "source", "summary", "summaryMap")


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    """Scrub what waits for a server that is away and holds the words of the post.

    Whatever is due is applied, and scrubbed, in a moment. What only answers the post stays.
    """
    post = await tx.session.get_one(Post, fact.post)
    last, more = 0, True
    while more:
        rows = await inbox.postponed(tx.session, post.uri, tx.now, last, AT_ONCE)
        found = await asyncio.to_thread(telling, rows, post.uri)
        await inbox.drop(tx.session, found, NOTE)
        more = len(rows) == AT_ONCE
        last = rows[-1][0] if rows else last


async def is_about_removed(tx: Transaction, uris: Iterable[str]) -> bool:
    """Whether one of these is a post that was removed here: what holds its words waits no more."""
    question = select(Post.id).where(
        among(Post.uri, "uris", Text()), Post.state == PostState.DELETED
    )
    found = await tx.session.execute(question.limit(1), {"uris": list(uris)})
    return found.first() is not None


def telling(rows: list[tuple[int, str]], uri: str) -> list[int]:
    """Those of these activities that hold words of the post with this id."""
    return [row for row, body in rows if uri in told(body)]


def told(body: str) -> set[str]:
    """The ids of what an activity holds the words of, at any depth."""
    found: set[str] = set()
    try:
        waiting: list[Any] = [json.loads(body)]
    except (ValueError, RecursionError):
        return found
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            uri = part.get("id")
            # Others name nothing that is held here, and cannot be asked for.
            if isinstance(uri, str) and uri.isprintable() and any(part.get(name) for name in WORDS):
                found.add(uri)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return found
