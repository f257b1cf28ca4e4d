# SPDX-License-Identifier: Apache-2.0
"""Any ActivityPub document, read as what it is."""

from typing import Any

from federation.vocabulary.activities import (
    Activity,
    Reference,
    Thing,
    is_activity,
    parse_activity,
)
from federation.vocabulary.actors import Actor, PublicKey, keys_of, parse_actor
from federation.vocabulary.collections import Collection, parse_collection
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import Attachment, Post, Tag, parse_post
from federation.vocabulary.terms import ACTOR_TYPES, COLLECTION_TYPES
from federation.vocabulary.values import type_of

__all__ = [
    "Activity",
    "Actor",
    "Attachment",
    "Collection",
    "Malformed",
    "Post",
    "PublicKey",
    "Reference",
    "Tag",
    "Thing",
    "keys_of",
    "parse_activity",
    "parse_actor",
    "parse_any",
    "parse_collection",
    "parse_post",
]


def parse_any(document: dict[str, Any]) -> Activity | Actor | Collection | Post:
    """Read a document by its type; one of unknown type that is no activity is a Post.

    Raises Malformed where it has no type or lacks a member its type needs.
    """
    kind = type_of(document)
    if kind in ACTOR_TYPES:
        return parse_actor(document)
    if kind in COLLECTION_TYPES:
        return parse_collection(document)
    if is_activity(document):
        return parse_activity(document)
    return parse_post(document)
