# SPDX-License-Identifier: Apache-2.0
"""Filters and their matches as Mastodon's entities."""

from typing import Any

from server.filters import Action, Held, Match, Phrase, Single
from web.api.entities.accounts import moment

Json = dict[str, Any]


def drawn(held: Held) -> Json:
    """A filter with what it looks for."""
    return _bare(held) | {
        "keywords": [drawn_phrase(one) for one in held.phrases],
        "statuses": [drawn_single(one) for one in held.singles],
    }


def _bare(held: Held) -> Json:
    row = held.row
    return {
        "id": str(row.id),
        "title": row.title,
        "context": held.contexts,
        "expires_at": moment(row.until) if row.until else None,
        "filter_action": row.action,
    }


def drawn_phrase(phrase: Phrase) -> Json:
    """A word or phrase that is looked for."""
    return {"id": str(phrase.id), "keyword": phrase.keyword, "whole_word": phrase.whole}


def drawn_single(single: Single) -> Json:
    """A status that is filtered by itself."""
    return {"id": str(single.id), "status_id": str(single.post)}


def matched(match: Match) -> Json:
    """Which filter fits a status, and by which phrases."""
    return {
        "filter": _bare(match.held),
        "keyword_matches": list(match.phrases),
        "status_matches": [str(post) for post in match.posts],
    }


def in_first_version(held: Held, phrase: Phrase) -> Json:
    """A phrase as a filter of its own, which is what Mastodon 3 knew."""
    row = held.row
    return {
        "id": str(phrase.id),
        "phrase": phrase.keyword,
        "context": held.contexts,
        "expires_at": moment(row.until) if row.until else None,
        "irreversible": row.action == Action.HIDE,
        "whole_word": phrase.whole,
    }
