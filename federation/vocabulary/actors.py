# SPDX-License-Identifier: Apache-2.0
"""Actors: people, forums and services, with their public keys."""

import html
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from federation.vocabulary.errors import Malformed
from federation.vocabulary.terms import ACTOR_TYPES, GH
from federation.vocabulary.values import (
    flag_of,
    id_of,
    ids_of,
    image_of,
    is_http_url,
    language_of,
    mapped_text_of,
    moment_of,
    required_id,
    same_origin,
    text_of,
    type_of,
    url_id_of,
    url_of,
)

MAX_SUMMARY = 20_000
MAX_KEYS = 10
MAX_KEY_TEXT = 10_000

_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key an actor publishes: ``value`` is PEM (SPKI) or a multibase Multikey (FEP-521a)."""

    id: str
    owner: str
    kind: Literal["pem", "multikey"]
    value: str


@dataclass(frozen=True, slots=True)
class Actor:
    """A Person, Group, Service, Organization or Application (ActivityPub §4.1).

    ``summary`` is HTML as received; ``name``, ``role_title`` and ``agency`` are plain text.
    ``moderators`` is the collection a Group names in ``attributedTo`` (FEP-1b12). ``keys`` are only
    those that name this actor as owner and share its origin. ``discoverable`` is None where the
    actor does not say; ``indexable`` is then False (FEP-5feb). ``also_known_as`` may be any URI.
    """

    id: str
    type: str
    preferred_username: str
    name: str
    inbox: str
    shared_inbox: str | None
    outbox: str | None
    followers: str | None
    featured: str | None
    moderators: str | None
    url: str | None
    summary: str | None
    icon: str | None
    keys: tuple[PublicKey, ...]
    manually_approves: bool
    discoverable: bool | None
    indexable: bool
    webfinger: str | None
    moved_to: str | None
    also_known_as: tuple[str, ...]
    rfc9421: bool
    visibility: str | None
    role_title: str | None
    agency: str | None
    language: str | None
    published: datetime | None
    raw: dict[str, Any] = field(repr=False, compare=False)


def parse_actor(document: dict[str, Any]) -> Actor:
    """Read an actor; raises Malformed naming the member that is missing."""
    kind = type_of(document)
    if kind not in ACTOR_TYPES:
        raise Malformed("The document is not an actor.")
    actor_id = required_id(document, kind)
    inbox = url_id_of(document.get("inbox"))
    if inbox is None:
        raise Malformed(f"The {kind} has no inbox.")
    username = _username(document, kind, actor_id)
    endpoints = document.get("endpoints")
    # Discourse keeps the shared inbox on the actor itself.
    shared = endpoints if isinstance(endpoints, dict) else document
    return Actor(
        id=actor_id,
        type=kind,
        preferred_username=username,
        name=mapped_text_of(document, "name") or username,
        inbox=inbox,
        shared_inbox=url_id_of(shared.get("sharedInbox", document.get("sharedInbox"))),
        outbox=url_id_of(document.get("outbox")),
        followers=url_id_of(document.get("followers")),
        featured=url_id_of(document.get("featured")),
        moderators=_moderators(document) if kind == "Group" else None,
        url=url_of(document.get("url")),
        summary=mapped_text_of(document, "summary", MAX_SUMMARY),
        icon=image_of(document.get("icon")),
        keys=keys_of(document, actor_id),
        manually_approves=bool(
            flag_of(document, "manuallyApprovesFollowers", "as:manuallyApprovesFollowers")
        ),
        discoverable=flag_of(document, "discoverable", "toot:discoverable"),
        indexable=bool(flag_of(document, "indexable", "toot:indexable")),
        webfinger=(text_of(document.get("webfinger")) or "").removeprefix("acct:") or None,
        moved_to=url_id_of(document.get("movedTo")),
        also_known_as=ids_of(document.get("alsoKnownAs")),
        rfc9421=_implements(document, "rfc9421"),
        visibility=_own_term(document, "visibility"),
        role_title=_own_term(document, "roleTitle") or _property(document, "role"),
        agency=_own_term(document, "agency") or _property(document, "agency"),
        language=language_of(document),
        published=moment_of(document.get("published")),
        raw=document,
    )


def keys_of(document: dict[str, Any], owner: str) -> tuple[PublicKey, ...]:
    """Return the keys this document publishes for ``owner``, at most 10, embedded ones only.

    A key that names another owner or has an id on another origin says nothing about this actor and
    is left out (FEP-fe34).
    """
    found = [
        _key(entry, "owner", "publicKeyPem", owner) for entry in _entries(document, "publicKey")
    ] + [
        _key(entry, "controller", "publicKeyMultibase", owner)
        for entry in _entries(document, "assertionMethod")
        if type_of(entry) == "Multikey"
    ]
    return tuple(dict.fromkeys(key for key in found if key is not None))[:MAX_KEYS]


def _key(entry: dict[str, Any], owner_name: str, value_name: str, owner: str) -> PublicKey | None:
    key_id = url_id_of(entry)
    value = entry.get(value_name)
    if key_id is None or not isinstance(value, str) or not 0 < len(value) <= MAX_KEY_TEXT:
        return None
    if id_of(entry.get(owner_name, owner)) != owner or not same_origin(key_id, owner):
        return None
    return PublicKey(key_id, owner, "pem" if value_name == "publicKeyPem" else "multikey", value)


def _entries(document: dict[str, Any], name: str, limit: int = MAX_KEYS) -> list[dict[str, Any]]:
    value = document.get(name)
    items = value if isinstance(value, list) else [value]
    return [item for item in items[:limit] if isinstance(item, dict)]


def _username(document: dict[str, Any], kind: str, actor_id: str) -> str:
    username = text_of(document.get("preferredUsername"))
    if username:
        return username
    if kind == "Application":
        # Servers' own actors are known by their host where they give no name.
        return urlsplit(actor_id).netloc
    raise Malformed(f"The {kind} has no preferredUsername.")


def _moderators(document: dict[str, Any]) -> str | None:
    claimed = document.get("attributedTo")
    if isinstance(claimed, list):
        claimed = claimed[0] if len(claimed) == 1 else None
    if isinstance(claimed, dict) and type_of(claimed) in ACTOR_TYPES:
        # PeerTube names the channel's owner here.
        claimed = None
    return url_id_of(claimed) or url_id_of(document.get("moderators"))


def _implements(document: dict[str, Any], feature: str) -> bool:
    """Whether the actor or its software says it implements a feature (FEP-844e)."""
    for owner in [document, *_entries(document, "generator")]:
        listed = owner.get("implements")
        for item in listed[:50] if isinstance(listed, list) else [listed]:
            href = item.get("href", item.get("id")) if isinstance(item, dict) else item
            if isinstance(href, str) and is_http_url(href) and feature in href.lower():
                return True
    return False


def _own_term(document: dict[str, Any], name: str) -> str | None:
    return text_of(document.get("gh:" + name, document.get(GH + name))) or None


def _property(document: dict[str, Any], name: str) -> str | None:
    """Return the plain text of a profile field (FEP-fb2a), whose value is HTML at most peers."""
    for entry in _entries(document, "attachment", 50):
        label = text_of(entry.get("name")) or ""
        if type_of(entry) == "PropertyValue" and label.strip().lower() == name:
            value = text_of(entry.get("value"), MAX_SUMMARY) or ""
            return html.unescape(_TAG.sub("", value)).strip()[:500] or None
    return None
