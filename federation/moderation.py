# SPDX-License-Identifier: Apache-2.0
"""Shutting out and reporting as ActivityPub's Block and Flag."""

from typing import Any

from federation.forums import followers, undo
from federation.vocabulary.activities import Activity
from federation.vocabulary.terms import ACTIVITY_CONTEXT, PUBLIC
from server import text
from server.moderation.blocks import BlockDraft
from storage.members import Member


def block(
    uri: str, actor: str, person: str, forum: str, reason: str, *, public: bool
) -> dict[str, Any]:
    """Block of a person from a forum (`target`), as Lemmy and PieFed read it."""
    audience = followers(forum)
    document = {
        "@context": ACTIVITY_CONTEXT,
        "id": uri,
        "type": "Block",
        "actor": actor,
        "object": person,
        "target": forum,
        "to": [PUBLIC, forum] if public else [audience, forum],
        "cc": [audience] if public else [],
        "audience": forum,
        # Nothing of what they wrote goes with them: stewards remove posts one by one.
        "removeData": False,
    }
    return document | ({"summary": reason} if reason else {})


def block_draft(activity: Activity, person: Member) -> BlockDraft:
    """What a Block of a person says."""
    reason = text.plain(activity.summary or "")
    return BlockDraft(person, reason, activity.id, activity.end_time, activity.remove_data)


def undo_block(uri: str, actor: str, person: str, forum: str, *, public: bool) -> dict[str, Any]:
    """Undo of a Block, by whoever lets the person in again."""
    inner = block(uri, actor, person, forum, "", public=public)
    return undo(actor, inner, inner["to"]) | {"audience": forum}


def flag(
    uri: str, actor: str, things: list[str], reason: str, to: str, forum: str
) -> dict[str, Any]:
    """Flag of `things`; the reason stands where Lemmy looks for it, and where Mastodon does.

    Lemmy takes one id, Mastodon needs the author's beside the post's.
    """
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": uri,
        "type": "Flag",
        "actor": actor,
        "object": things[0] if len(things) == 1 else things,
        "summary": reason,
        "content": reason,
        "to": [to],
        "audience": forum,
    }
