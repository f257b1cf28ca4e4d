# SPDX-License-Identifier: Apache-2.0
"""An offer to mentor as a post in a forum says it (FEP-0837).

Everybody who follows the forum may read it, so there is nothing of a card in it but what the post
says in words, and nobody can ask by it: whoever wants to, answers, or finds the card.
"""

from typing import Any

from federation.vocabulary.marketplace import MARKETPLACE_TERMS, OFFERED
from federation.vocabulary.terms import OBJECT_CONTEXT
from federation.vocabulary.values import type_of

_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, MARKETPLACE_TERMS]


def to_members(uri: str) -> dict[str, Any]:
    """What the Article of an offer says beyond one of a thread; `uri` is its page."""
    published = {"id": f"{uri}#primary", **OFFERED}
    return {"@context": _CONTEXT, "purpose": "offer", "publishes": published}


def from_members(raw: dict[str, Any]) -> bool:
    """Whether a received post offers something."""
    return raw.get("purpose") == "offer" and type_of(raw.get("publishes")) == "Intent"
