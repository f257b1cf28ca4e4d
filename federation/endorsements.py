# SPDX-License-Identifier: Apache-2.0
"""Endorsements as Like, with Undo, both ways."""

from typing import Any

from federation.forums import followers
from federation.vocabulary.terms import ACTIVITY_CONTEXT


def like(uri: str, actor: str, post: str, forum: str, *, author: str | None) -> dict[str, Any]:
    """Like of a post; `author` is None in forums that are not public, which name only the forum."""
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": uri,
        "type": "Like",
        "actor": actor,
        "object": post,
        "audience": forum,
        "to": [author, forum] if author else [forum, followers(forum)],
        "cc": [],
    }
