# SPDX-License-Identifier: Apache-2.0
"""What was received of a post and waits to be applied goes with the post."""

import json
from typing import Any

from server.facts import PostDeleted
from server.transaction import Transaction
from storage import inbox
from storage.posts import Post

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
        await inbox.drop(tx.session, [row for row, body in rows if tells(body, post.uri)], NOTE)
        more = len(rows) == AT_ONCE
        last = rows[-1][0] if rows else last


def tells(body: str, uri: str) -> bool:
    """Whether an activity holds words of the post with this id, at any depth."""
    try:
        waiting: list[Any] = [json.loads(body)]
    except (ValueError, RecursionError):
        return False
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("id") == uri and any(part.get(name) for name in WORDS):
                return True
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return False
