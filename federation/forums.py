# SPDX-License-Identifier: Apache-2.0
"""Forums as ActivityPub's Group, and following them, both ways."""

import hashlib
from typing import Any

from federation.members import generator, moment, stub
from federation.urls import host_of_uri
from federation.vocabulary.actors import Actor
from federation.vocabulary.terms import ACTIVITY_CONTEXT, ANNOUNCE_CONTEXT, PUBLIC
from server.forums.elsewhere import ForumCard
from storage.forums import Forum, Visibility
from storage.keys import ActorKey


def followers(forum: str) -> str:
    """A forum's followers collection, which is also its audience."""
    return f"{forum}/followers"


def group(forum: Forum, keys: list[ActorKey], origin: str) -> dict[str, Any]:
    """The whole Group of a forum of ours (FEP-1b12)."""
    actor = forum.uri
    is_public = forum.visibility == Visibility.PUBLIC
    return stub(actor, "Group", forum.handle, keys, f"{origin}/inbox") | {
        "name": forum.title,
        "summary": forum.description_html,
        "source": {"content": forum.description_source, "mediaType": "text/markdown"},
        "url": forum.url,
        "outbox": f"{actor}/outbox",
        "followers": followers(actor),
        "featured": f"{actor}/featured",
        "attributedTo": f"{actor}/moderators",
        "postingRestrictedToMods": False,
        "manuallyApprovesFollowers": not is_public,
        "discoverable": is_public,
        "indexable": is_public,
        "sensitive": False,
        "language": [{"identifier": forum.language, "name": forum.language}],
        "published": moment(forum.created),
        "updated": moment(forum.updated),
        "webfinger": f"{forum.handle}@{host_of_uri(actor)}",
        "gh:agency": forum.agency,
        "gh:visibility": forum.visibility,
        "generator": generator(origin),
    }


def forum_card(actor: Actor, peer_name: str = "") -> ForumCard:
    """What a Group document says of a forum; unknown visibilities count as the narrower one."""
    closed = actor.visibility not in {None, Visibility.PUBLIC.value}
    return ForumCard(
        uri=actor.id,
        handle=actor.preferred_username,
        peer=host_of_uri(actor.id),
        url=actor.url or actor.id,
        title=actor.name,
        agency=actor.agency or peer_name,
        description_html=actor.summary or "",
        visibility=Visibility.AGENCIES if closed else Visibility.PUBLIC,
        language=actor.language or "en",
        inbox=actor.inbox,
        shared_inbox=actor.shared_inbox,
        outbox=actor.outbox or "",
        moderators=actor.moderators or "",
        created=actor.published,
        whole=actor.outbox is not None,
        moved_to=actor.moved_to,
    )


def follow(uri: str, actor: str, forum: str) -> dict[str, Any]:
    """Follow{forum} by a person."""
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": uri,
        "type": "Follow",
        "actor": actor,
        "object": forum,
        "to": [forum],
    }


def answer(kind: str, forum: str, follower: str, uri: str, reason: str = "") -> dict[str, Any]:
    """Accept or Reject of a Follow, with the whole Follow inside."""
    inner = follow(uri, follower, forum)
    del inner["@context"]
    document = {
        "@context": ACTIVITY_CONTEXT,
        "id": f"{forum}#{kind.lower()}-{digest(uri)}",
        "type": kind,
        "actor": forum,
        "object": inner,
        "to": [follower],
    }
    if reason:
        document["summary"] = reason
    return document


def refusal(forum: str, author: str, activity: str, reason: str) -> dict[str, Any]:
    """Reject of what somebody sent to a forum, with the reason in words."""
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": f"{forum}#reject-{digest(activity)}",
        "type": "Reject",
        "actor": forum,
        "object": activity,
        "to": [author],
        "summary": reason,
    }


def undo(actor: str, inner: dict[str, Any], to: list[str]) -> dict[str, Any]:
    """Undo with the whole inner activity embedded."""
    embedded = {key: value for key, value in inner.items() if key not in {"@context", "proof"}}
    suffix = str(inner["id"]).rpartition("#")[2]
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": f"{actor}#undo-{suffix}",
        "type": "Undo",
        "actor": actor,
        "object": embedded,
        "to": to,
        "cc": inner.get("cc", []),
    }


def announce_head(forum: str, inner_id: str, *, is_public: bool) -> dict[str, Any]:
    """Announce{activity} without its object, which is spliced in as received."""
    audience = followers(forum)
    return {
        "@context": ANNOUNCE_CONTEXT,
        "id": f"{forum}#a-{digest(inner_id)}",
        "type": "Announce",
        "actor": forum,
        "to": [PUBLIC] if is_public else [audience],
        "cc": [audience] if is_public else [],
    }


def boost(forum: str, number: int, post: str, published: str) -> dict[str, Any]:
    """Announce{id} of an opener, for followers that understand nothing else."""
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": f"{forum}/announce/{number}",
        "type": "Announce",
        "actor": forum,
        "to": [PUBLIC],
        "cc": [followers(forum)],
        "object": post,
        "published": published,
    }


def undo_boost(forum: str, number: int, post: str, published: str) -> dict[str, Any]:
    """Undo{Announce} of an opener: its boost is taken back, by the id that the boost has."""
    inner = boost(forum, number, post, published)
    document = undo(forum, inner, inner["to"])
    return document | {"id": f"{forum}#undo-announce-{number}"}


def update_group(
    forum: Forum, document: dict[str, Any], actor: str | None = None
) -> dict[str, Any]:
    """Update{Group} by the forum itself, or by the person who changed it.

    Lemmy takes it from a person only, and within an Announce.
    """
    is_public = forum.visibility == Visibility.PUBLIC
    audience = followers(forum.uri)
    when = int(forum.updated.timestamp() * 1000)
    by = f"{actor}#update-{forum.handle}-{when}" if actor else f"{forum.uri}#update-{when}"
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": by,
        "type": "Update",
        "actor": actor or forum.uri,
        "object": document,
        "to": [PUBLIC, forum.uri] if is_public else [audience, forum.uri],
        "cc": [audience] if is_public else [],
        "audience": forum.uri,
    }


def digest(value: str) -> str:
    """A short, stable name for an id: 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(value.encode()).hexdigest()[:32]
