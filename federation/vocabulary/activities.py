# SPDX-License-Identifier: Apache-2.0
"""Activities and what they carry, read to a bounded depth."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from federation.vocabulary.actors import Actor, parse_actor
from federation.vocabulary.collections import parse_collection
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import MAX_RECIPIENTS, MAX_SUMMARY, Post, parse_post
from federation.vocabulary.terms import (
    ACTIVITY_TYPES,
    ACTOR_TYPES,
    COLLECTION_TYPES,
    INTRANSITIVE_TYPES,
    KNOWN_TYPES,
)
from federation.vocabulary.values import (
    flag_of,
    id_of,
    is_http_url,
    mapped_text_of,
    moment_of,
    recipients_of,
    required_id,
    type_of,
    url_id_of,
    url_of,
)

MAX_NESTED_ACTIVITIES = 3
MAX_OBJECTS = 50


@dataclass(frozen=True, slots=True)
class Reference:
    """The id of something that is not here, or whose embedded copy cannot be read."""

    id: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Something an actor did or asks for (ActivityStreams 2.0 §4.2).

    ``object`` is a tuple where several came (PieFed's batches, Mastodon's Flag), None only for
    types that need none. ``id`` is "" only on an embedded activity without one. An empty
    ``summary`` differs from none: Lemmy marks a moderator's Delete by its presence. ``content`` is
    a Flag's reason at Mastodon.
    """

    id: str
    type: str
    actor: str
    object: "Thing | tuple[Thing, ...] | None"
    target: str | None
    origin: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    audience: tuple[str, ...]
    published: datetime | None
    summary: str | None
    content: str | None
    end_time: datetime | None
    remove_data: bool
    result: str | None
    in_reply_to: str | None
    raw: dict[str, Any] = field(repr=False, compare=False)


Thing = Activity | Post | Actor | Reference


def is_activity(document: dict[str, Any]) -> bool:
    """Whether this is an activity by its type or, where that is unknown, by its members."""
    return _is_activity(type_of(document), document)


def _is_activity(kind: str, document: dict[str, Any]) -> bool:
    if kind in KNOWN_TYPES:
        return kind in ACTIVITY_TYPES
    return bool(kind) and "actor" in document and "object" in document


def parse_activity(document: dict[str, Any]) -> Activity:
    """Read an activity and up to two more inside it; raises Malformed naming what is missing."""
    if not is_activity(document):
        raise Malformed("The document is not an activity.")
    required_id(document, type_of(document))
    return _activity(document, MAX_NESTED_ACTIVITIES)


# Not frozen: one is made for each delivery, and that would take four times as long.
@dataclass(slots=True)
class Envelope:
    """Who sends what: all that is looked at before an activity is stored.

    ``is_farewell`` is a Delete of the actor itself.
    """

    id: str
    type: str
    actor: str
    is_farewell: bool


def parse_envelope(document: dict[str, Any]) -> Envelope:
    """Read the outside of an activity; raises Malformed exactly where ``parse_activity`` does.

    What it carries is read only where it has no id, since then it must be readable by itself.
    """
    kind = type_of(document)
    if not _is_activity(kind, document):
        raise Malformed("The document is not an activity.")
    own = required_id(document, kind)
    actor = _actor_of(document, kind)
    carried = document.get("object")
    subject = url_id_of(carried)
    is_batch = isinstance(carried, list) or (
        kind == "Announce" and type_of(carried) in COLLECTION_TYPES
    )
    if subject is None or is_batch:
        things = _objects(document, kind, MAX_NESTED_ACTIVITIES - 1)
        _must_carry(things, kind)
        subject = getattr(things, "id", None)
    return Envelope(own, kind, actor, kind == "Delete" and subject == actor)


def _must_carry(carried: Thing | tuple[Thing, ...] | None, kind: str) -> None:
    if carried is None and kind in ACTIVITY_TYPES - INTRANSITIVE_TYPES:
        raise Malformed(f"The {kind} has no object.")


# A peer's actors come again and again.
_is_actor = lru_cache(maxsize=1_024)(is_http_url)


def _actor_of(document: dict[str, Any], kind: str) -> str:
    actor = id_of(document.get("actor"))
    if actor is None or not _is_actor(actor):
        raise Malformed(f"The {kind} has no actor that is an http or https address.")
    return actor


def _activity(document: dict[str, Any], depth: int) -> Activity:
    kind = type_of(document)
    actor = _actor_of(document, kind)
    carried = _objects(document, kind, depth - 1)
    _must_carry(carried, kind)
    return Activity(
        id=url_id_of(document) or "",
        type=kind,
        actor=actor,
        object=carried,
        target=url_id_of(document.get("target")),
        origin=url_id_of(document.get("origin")),
        to=recipients_of(document.get("to"), MAX_RECIPIENTS),
        cc=recipients_of(document.get("cc"), MAX_RECIPIENTS),
        audience=recipients_of(document.get("audience"), MAX_RECIPIENTS),
        published=moment_of(document.get("published")),
        summary=mapped_text_of(document, "summary", MAX_SUMMARY),
        content=mapped_text_of(document, "content", MAX_SUMMARY),
        # Lemmy called it "expires" before 0.19.
        end_time=moment_of(document.get("endTime", document.get("expires"))),
        remove_data=bool(flag_of(document, "removeData", "lemmy:removeData")),
        result=url_id_of(document.get("result")),
        in_reply_to=url_id_of(document.get("inReplyTo")),
        raw=document,
    )


def _objects(document: dict[str, Any], kind: str, depth: int) -> Thing | tuple[Thing, ...] | None:
    value = document.get("object")
    if kind == "Announce" and type_of(value) in COLLECTION_TYPES and isinstance(value, dict):
        # PieFed may announce a batch as a collection.
        value = list(parse_collection(value).items) or value
    if not isinstance(value, list):
        return None if value is None else _thing(value, depth)
    if len(value) > MAX_OBJECTS:
        raise Malformed(f"The {kind} holds more than {MAX_OBJECTS} objects.")
    things = tuple(_thing(item, depth) for item in value)
    return things[0] if len(things) == 1 else things or None


def _thing(value: object, depth: int) -> Thing:
    """Read an object of an activity.

    One that has an id and cannot be read becomes a Reference: what counts is then what its origin
    answers under that id.
    """
    if not isinstance(value, dict):
        return _reference(value)
    try:
        return _embedded(value, depth)
    except Malformed:
        if url_id_of(value) is None:
            raise
        return _reference(value)


def _embedded(document: dict[str, Any], depth: int) -> Thing:
    kind = type_of(document)
    if is_activity(document):
        return _activity(document, depth) if depth > 0 else _reference(document)
    if kind in ACTOR_TYPES:
        return parse_actor(document)
    if kind == "Link":
        return _reference(url_of(document))
    if not kind or kind in COLLECTION_TYPES:
        return _reference(document)
    return parse_post(document, embedded=True)


def _reference(value: object) -> Reference:
    found = url_id_of(value)
    if found is None:
        raise Malformed("An object inside an activity has no id.")
    return Reference(found)
