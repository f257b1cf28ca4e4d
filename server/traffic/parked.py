# SPDX-License-Identifier: Apache-2.0
"""What a parked entry is about, in words for people."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server import text
from storage.base import in_batches
from storage.forums import Forum
from storage.log import Form, LogRow
from storage.members import Member
from storage.posts import Post

LONGEST = 120
WORDS = {
    "Accept": "Yes to a request",
    "Add": "Addition",
    "Block": "Ban",
    "Create": "New",
    "Delete": "Removal",
    "Follow": "Request to follow",
    "Like": "Endorsement",
    "Lock": "Closing",
    "Reject": "No to a request",
    "Remove": "Taking off a list",
    "Undo": "Taking back",
    "Update": "Change",
}


@dataclass(frozen=True)
class Subject:
    """What an entry is about: its kind ("reply"), its words, and our page of it, if any."""

    kind: str
    title: str
    post: int | None = None


def verb(row: LogRow, body: str | None) -> str:
    """What is said by an entry: one or two plain words."""
    if row.form == Form.BOOST:
        return "Pointer" if row.subject_seq is None else "Taking back"
    if body is None:
        return "Erased"
    try:
        activity = json.loads(body)
        inner = activity.get("object")
        if activity.get("type") == "Announce" and isinstance(inner, dict):
            activity = inner
        return WORDS.get(str(activity.get("type")), "Message")
    except (ValueError, AttributeError):
        return "Message"


async def subjects(session: AsyncSession, uris: Iterable[str]) -> dict[str, Subject]:
    """What these wire ids stand for here; those we hold nothing of are left out."""
    found: dict[str, Subject] = {}
    opener = aliased(Post)
    for batch in in_batches(sorted(set(uris))):
        posts = (
            select(Post.uri, Post.kind, Post.id, opener.title)
            .join(opener, opener.id == Post.thread_id)
            .where(Post.uri.in_(batch))
        )
        for uri, kind, post, title in (await session.execute(posts)).all():
            found[uri] = Subject(kind, text.clean_line(title, LONGEST), post)
        forums = select(Forum.uri, Forum.title).where(Forum.uri.in_(batch))
        for uri, title in (await session.execute(forums)).all():
            found[uri] = Subject("forum", text.clean_line(title, LONGEST))
        people = select(Member.uri, Member.name).where(Member.uri.in_(batch))
        for uri, name in (await session.execute(people)).all():
            found[uri] = Subject("profile", text.clean_line(name, LONGEST))
    return found
