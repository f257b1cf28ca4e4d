# SPDX-License-Identifier: Apache-2.0
"""What is done to posts that carries none of their words: Delete, Lock, Add."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation.forums import followers
from federation.members import moment
from federation.posts import short
from federation.vocabulary.terms import ACTIVITY_CONTEXT, OBJECT_CONTEXT, PUBLIC
from storage.posts import Kind, Post


@dataclass(frozen=True)
class Deed:
    """Something done to a post that carries none of its words."""

    actor: str
    post: str
    forum: str
    public: bool

    def addressed(self, kind: str, identifier: str, target: object) -> dict[str, Any]:
        audience = followers(self.forum)
        return {
            "@context": ACTIVITY_CONTEXT,
            "id": identifier,
            "type": kind,
            "actor": self.actor,
            "object": target,
            "to": [PUBLIC, self.forum] if self.public else [audience, self.forum],
            "cc": [audience] if self.public else [],
            "audience": self.forum,
        }


def delete(deed: Deed, former: str, when: datetime, reason: str | None) -> dict[str, Any]:
    """Delete of a post; a `summary` makes it a steward's removal, as at Lemmy."""
    tombstone = {
        "id": deed.post,
        "type": "Tombstone",
        "formerType": former,
        "deleted": moment(when),
    }
    document = deed.addressed("Delete", f"{deed.actor}#delete-{short(deed.post)}", tombstone)
    if reason is not None:
        document["summary"] = reason
    return document


def former_type(post: Post) -> str:
    """What a post was, for its tombstone."""
    if post.kind == Kind.EVENT:
        return "Event"
    return "Article" if post.is_thread else "Note"


def lock(deed: Deed, number: int) -> dict[str, Any]:
    """Lock of a thread, as Lemmy, PieFed and Mbin read it."""
    return deed.addressed("Lock", f"{deed.actor}#lock-{short(deed.post)}-{number}", deed.post)


def pin(deed: Deed, number: int, *, pinned: bool) -> dict[str, Any]:
    """Add to, or Remove from, the forum's featured collection."""
    kind = "Add" if pinned else "Remove"
    identifier = f"{deed.actor}#{kind.lower()}-{short(deed.post)}-{number}"
    return deed.addressed(kind, identifier, deed.post) | {"target": f"{deed.forum}/featured"}


def steward(deed: Deed, number: int, *, named: bool) -> dict[str, Any]:
    """Add to, or Remove from, the forum's moderators; `deed.post` is the person."""
    kind = "Add" if named else "Remove"
    identifier = f"{deed.actor}#{kind.lower()}-steward-{number}"
    return deed.addressed(kind, identifier, deed.post) | {"target": f"{deed.forum}/moderators"}


def tombstone(post: Post, author: str, context: str, forum: str) -> dict[str, Any]:
    """What is served where a post was deleted; a `summary` says why a steward removed it."""
    return {
        "@context": OBJECT_CONTEXT,
        "id": post.uri,
        "type": "Tombstone",
        "formerType": former_type(post),
        "deleted": moment(post.deleted or post.published),
        "attributedTo": author,
        **({"context": context} if context else {}),
        "audience": forum,
        **({"summary": post.reason} if post.reason else {}),
    }
