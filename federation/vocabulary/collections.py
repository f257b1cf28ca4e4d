# SPDX-License-Identifier: Apache-2.0
"""Collections and their pages, as far as they are inline."""

from dataclasses import dataclass, field
from typing import Any

from federation.vocabulary.errors import Malformed
from federation.vocabulary.terms import COLLECTION_TYPES
from federation.vocabulary.values import is_http_url, type_of, url_id_of

MAX_ITEMS = 5_000


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection or page (ActivityStreams 2.0 §5).

    ``items`` are http(s) ids or embedded documents as received, those of an inline ``first`` page
    where the collection has none of its own; at most 5 000. ``id`` is None on an anonymous page.
    ``next`` is what follows the items given here.
    """

    id: str | None
    type: str
    total: int | None
    items: tuple[str | dict[str, Any], ...]
    first: str | None
    next: str | None
    part_of: str | None
    attributed_to: str | None
    raw: dict[str, Any] = field(repr=False, compare=False)


def parse_collection(document: dict[str, Any]) -> Collection:
    """Read a Collection, an OrderedCollection or a page of one; raises Malformed."""
    kind = type_of(document)
    if kind not in COLLECTION_TYPES:
        raise Malformed("The document is not a collection.")
    items = _items(document)
    following = url_id_of(document.get("next"))
    first = document.get("first")
    if not items and isinstance(first, dict):
        items = _items(first)
        following = following or url_id_of(first.get("next"))
    total = document.get("totalItems")
    counted = isinstance(total, int) and not isinstance(total, bool) and total >= 0
    return Collection(
        id=url_id_of(document),
        type=kind,
        total=total if counted else None,
        items=items,
        first=url_id_of(first),
        next=following,
        part_of=url_id_of(document.get("partOf")),
        attributed_to=url_id_of(document.get("attributedTo")),
        raw=document,
    )


def _items(document: dict[str, Any]) -> tuple[str | dict[str, Any], ...]:
    found = document.get("orderedItems", document.get("items"))
    entries = found if isinstance(found, list) else [found]
    return tuple(item for entry in entries[:MAX_ITEMS] if (item := _item(entry)) is not None)


def _item(entry: object) -> str | dict[str, Any] | None:
    if isinstance(entry, dict):
        # A Link is only its address.
        return entry if type_of(entry) != "Link" else _item(entry.get("href"))
    return entry if isinstance(entry, str) and is_http_url(entry) else None
