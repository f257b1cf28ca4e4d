# SPDX-License-Identifier: Apache-2.0
"""Posts: whatever people write and share, of any type."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeGuard

from federation.vocabulary.errors import Malformed
from federation.vocabulary.terms import (
    ACTIVITY_TYPES,
    ACTOR_TYPES,
    AUTHORED_TYPES,
    COLLECTION_TYPES,
)
from federation.vocabulary.values import (
    content_of,
    flag_of,
    image_of,
    language_of,
    mapped_text_of,
    media_type_of,
    moment_of,
    recipients_of,
    required_id,
    text_of,
    type_of,
    url_id_of,
    url_of,
)

MAX_SUMMARY = 20_000
MAX_TAGS = 50
MAX_ATTACHMENTS = 20
MAX_RECIPIENTS = 500
MAX_OPTIONS = 50

TagKind = Literal["mention", "hashtag", "emoji", "link"]
_TAG_KINDS: dict[str, TagKind] = {
    "Mention": "mention",
    "Hashtag": "hashtag",
    "Emoji": "emoji",
    "Link": "link",
}


@dataclass(frozen=True, slots=True)
class Tag:
    """A mention (``href`` is the actor), ``#hashtag``, emoji (its picture) or link (FEP-e232)."""

    kind: TagKind
    name: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, picture or link beside a post; ``name`` describes it."""

    type: str
    url: str
    media_type: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """A Note, Article, Page, Event, Question, Video, Tombstone or object of an unknown type.

    ``html`` and ``summary`` are as received: they must pass the sanitiser. ``author`` is given for
    every type that people write and may be None for the others. ``id`` is "" only for an unknown
    type embedded without one. An empty ``summary`` differs from none. ``options`` are what a poll
    gives to choose from. ``stamp`` is where leave to show the ``quote`` stands (FEP-044f).
    """

    id: str
    type: str
    author: str | None
    name: str | None
    html: str | None
    markdown: str | None
    summary: str | None
    in_reply_to: str | None
    context: str | None
    audience: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    url: str | None
    published: datetime | None
    updated: datetime | None
    language: str | None
    sensitive: bool
    tags: tuple[Tag, ...]
    comments_enabled: bool
    likes_total: int | None
    replies: str | None
    deleted: datetime | None
    former_type: str | None
    quote: str | None
    stamp: str | None
    attachments: tuple[Attachment, ...]
    options: tuple[str, ...]
    raw: dict[str, Any] = field(repr=False, compare=False)


def parse_post(document: dict[str, Any], *, embedded: bool = False) -> Post:
    """Read a post; raises Malformed naming the member that is missing.

    ``embedded`` allows an object of unknown type to have no id (an Agreement inside an Offer).
    """
    kind = type_of(document)
    if not kind:
        raise Malformed("The document has no type.")
    if kind in ACTOR_TYPES | ACTIVITY_TYPES | COLLECTION_TYPES:
        raise Malformed("The document is not a post.")
    named = kind in AUTHORED_TYPES or kind == "Tombstone" or not embedded
    post_id = required_id(document, kind) if named else url_id_of(document) or ""
    author = _author(document, kind)
    if author is None and kind in AUTHORED_TYPES:
        raise Malformed(f"The {kind} has no attributedTo that is an http or https address.")
    content, markdown = content_of(document)
    return Post(
        id=post_id,
        type=kind,
        author=author,
        name=mapped_text_of(document, "name"),
        html=content,
        markdown=markdown,
        summary=mapped_text_of(document, "summary", MAX_SUMMARY),
        in_reply_to=url_id_of(document.get("inReplyTo")),
        context=url_id_of(document.get("context")),
        audience=recipients_of(document.get("audience"), MAX_RECIPIENTS),
        to=recipients_of(document.get("to"), MAX_RECIPIENTS),
        cc=recipients_of(document.get("cc"), MAX_RECIPIENTS),
        url=url_of(document.get("url")),
        published=moment_of(document.get("published")),
        updated=moment_of(document.get("updated")),
        language=language_of(document),
        sensitive=bool(flag_of(document, "sensitive", "as:sensitive")),
        tags=_tags(document.get("tag")),
        comments_enabled=_comments_enabled(document),
        likes_total=_total(document.get("likes")),
        replies=_collection_id(document.get("replies")),
        deleted=moment_of(document.get("deleted")),
        former_type=text_of(document.get("formerType")),
        quote=_quote(document),
        stamp=url_id_of(document.get("quoteAuthorization")),
        attachments=_attachments(document.get("attachment")),
        options=_options(document),
        raw=document,
    )


def _author(document: dict[str, Any], kind: str) -> str | None:
    """Return who wrote it: of several the first person; never a group beside a person.

    Mobilizon names the group in ``attributedTo`` and the person in ``actor``.
    """
    claimed = document.get("attributedTo")
    if kind in {"Article", "Event"} and (actor := url_id_of(document.get("actor"))):
        return actor
    if not isinstance(claimed, list):
        return url_id_of(claimed) or url_id_of(document.get("actor"))
    people = sorted(claimed[:20], key=lambda item: _unlike_a_person(type_of(item)))
    return next((author for item in people if (author := url_id_of(item))), None)


def _unlike_a_person(kind: str) -> int:
    return {"Person": 0, "Service": 1, "Organization": 1, "Application": 1, "": 2}.get(kind, 3)


def _tags(value: object) -> tuple[Tag, ...]:
    items = value if isinstance(value, list) else [value]
    found = [_tag(item) for item in items[:MAX_TAGS] if isinstance(item, dict)]
    return tuple(tag for tag in found if tag is not None)


def _tag(item: dict[str, Any]) -> Tag | None:
    kind = _TAG_KINDS.get(type_of(item))
    name = (text_of(item.get("name")) or "").strip()
    href = url_of(item.get("href"))
    if kind == "mention" or kind == "link":
        return Tag(kind, name, href) if href else None
    if kind is None or not name:
        return None
    if kind == "emoji":
        return Tag(kind, name, image_of(item.get("icon")))
    bare = name.lstrip("#")
    return Tag(kind, "#" + bare, href) if bare else None


def _attachments(value: object) -> tuple[Attachment, ...]:
    items = value if isinstance(value, list) else [value]
    found = (_attachment(item) for item in items[:MAX_ATTACHMENTS])
    return tuple(item for item in found if item is not None)


def _attachment(item: object) -> Attachment | None:
    url = url_of(item)
    if url is None:
        return None
    if not isinstance(item, dict):
        return Attachment("Link", url, None, None)
    # GoToSocial puts the description in the summary.
    name = mapped_text_of(item, "name") or mapped_text_of(item, "summary")
    return Attachment(type_of(item) or "Link", url, media_type_of(item), name)


def _options(document: dict[str, Any]) -> tuple[str, ...]:
    """What a poll gives to choose from, one of them or any (ActivityStreams 2.0 §3.3)."""
    for name in ("oneOf", "anyOf"):
        found = document.get(name)
        items = found if isinstance(found, list) else [found]
        names = [mapped_text_of(item, "name") for item in items[:MAX_OPTIONS] if _is_object(item)]
        if any(names):
            return tuple(name for name in names if name)
    return ()


def _is_object(item: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(item, dict)


def _comments_enabled(document: dict[str, Any]) -> bool:
    enabled = flag_of(document, "commentsEnabled", "lemmy:commentsEnabled")
    return enabled is not False and document.get("repliesModerationOption") != "closed"


def _total(value: object) -> int | None:
    total = value.get("totalItems") if isinstance(value, dict) else None
    whole = isinstance(total, int) and not isinstance(total, bool) and total >= 0
    return total if whole else None


def _collection_id(value: object) -> str | None:
    # PieFed may list the replies themselves here.
    return None if isinstance(value, list) else url_id_of(value)


def _quote(document: dict[str, Any]) -> str | None:
    """Return what the post quotes (FEP-044f and the names used before it)."""
    for name in ("quote", "quoteUrl", "quoteUri", "_misskey_quote"):
        quoted = url_id_of(document.get(name))
        if quoted is not None:
            return quoted
    return None
