# SPDX-License-Identifier: Apache-2.0
"""QuoteRequest and what answers it, as documents (FEP-044f)."""

from dataclasses import dataclass
from typing import Any

from federation.forums import digest
from federation.vocabulary.terms import QUOTE_CONTEXT
from server.quotes import address


@dataclass(frozen=True)
class Asked:
    """Who asked for which of their posts to quote which of ours; ids all four."""

    request: str
    actor: str
    quoting: str
    quoted: str


def stamp(asked: Asked, number: int, author: str) -> dict[str, Any]:
    """QuoteAuthorization: the author of `quoted` allows `quoting` to show it."""
    return {
        "@context": QUOTE_CONTEXT,
        "id": address(asked.quoted, number),
        "type": "QuoteAuthorization",
        "attributedTo": author,
        "interactingObject": asked.quoting,
        "interactionTarget": asked.quoted,
    }


def accept(asked: Asked, number: int, author: str) -> dict[str, Any]:
    """Accept{QuoteRequest}; `result` is the stamp."""
    return _answer("Accept", asked, author) | {"result": address(asked.quoted, number)}


def reject(asked: Asked, actor: str, reason: str) -> dict[str, Any]:
    """Reject{QuoteRequest}, with the reason in words."""
    return _answer("Reject", asked, actor) | {"summary": reason}


def revoke(asked: Asked, number: int, author: str) -> dict[str, Any]:
    """Delete of a stamp: the post is not quoted any longer."""
    gone = address(asked.quoted, number)
    return {
        "@context": QUOTE_CONTEXT,
        "id": f"{author}#delete-quote-{number}",
        "type": "Delete",
        "actor": author,
        "object": {"id": gone, "type": "Tombstone", "formerType": "QuoteAuthorization"},
        "to": [asked.actor],
    }


def _answer(kind: str, asked: Asked, actor: str) -> dict[str, Any]:
    return {
        "@context": QUOTE_CONTEXT,
        "id": f"{actor}#{kind.lower()}-{digest(asked.request)}",
        "type": kind,
        "actor": actor,
        "object": {
            "id": asked.request,
            "type": "QuoteRequest",
            "actor": asked.actor,
            "object": asked.quoted,
            "instrument": asked.quoting,
        },
        "to": [asked.actor],
    }
