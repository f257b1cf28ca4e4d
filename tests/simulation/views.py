# SPDX-License-Identifier: Apache-2.0
"""What each node holds, read from its database file."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.simulation.node import Node

_POSTS = """
SELECT p.uri, p.kind, p.title, p.source, p.html, p.state, p.locked, p.pinned,
       p.endorsement_count, p.reply_count, coalesce(parent.uri, p.parent_uri) AS parent,
       author.uri AS author, opener.uri AS thread
FROM posts p
JOIN forums f ON f.id = p.forum_id
JOIN members author ON author.id = p.author_id
JOIN posts opener ON opener.id = p.thread_id
LEFT JOIN posts parent ON parent.id = p.parent_id
WHERE f.uri = ?
"""
_ENDORSERS = """
SELECT p.uri AS post, m.uri AS member FROM endorsements e
JOIN posts p ON p.id = e.post_id
JOIN members m ON m.id = e.member_id
JOIN forums f ON f.id = p.forum_id
WHERE f.uri = ? AND e.active
"""


def rows(node: Node, question: str, *values: object) -> list[dict[str, Any]]:
    """What a question to the database of a node answers, as of its last commit."""
    with closing(sqlite3.connect(f"file:{node.database_path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(question, values)]


def number(node: Node, question: str, *values: object) -> int:
    """The one number that a question answers."""
    return int(next(iter(rows(node, question, *values)[0].values())) or 0)


@dataclass(frozen=True)
class View:
    """A forum as one node holds it: what a reader could see, and what is a tombstone."""

    posts: dict[str, dict[str, Any]]
    deleted: frozenset[str]
    unsettled: dict[str, str]


def view(node: Node, forum: str) -> View:
    """The forum with this id as the node holds it."""
    endorsers: dict[str, set[str]] = {}
    for row in rows(node, _ENDORSERS, forum):
        endorsers.setdefault(row["post"], set()).add(row["member"])
    live: dict[str, dict[str, Any]] = {}
    deleted, unsettled = set(), {}
    for row in rows(node, _POSTS, forum):
        uri, state = row.pop("uri"), row.pop("state")
        if state == "deleted":
            deleted.add(uri)
        elif state == "live":
            live[uri] = row | {"endorsers": sorted(endorsers.get(uri, set()))}
        else:
            unsettled[uri] = state
    return View(live, frozenset(deleted), unsettled)


def dump(node: Node) -> str:
    """Everything in its database, as text."""
    with closing(sqlite3.connect(f"file:{node.database_path}?mode=ro", uri=True)) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith(("sqlite_", "search_index_"))
        ]
        parts = [
            f"{table}: {row!r}"
            for table in sorted(tables)
            for row in connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608
        ]
    return "\n".join(parts)
