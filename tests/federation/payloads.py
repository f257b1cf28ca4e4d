# SPDX-License-Identifier: Apache-2.0
"""Real payloads, sent by their own servers to a forum of ours."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from federation.vocabulary.activities import is_activity
from federation.vocabulary.terms import ACTOR_TYPES, COLLECTION_TYPES, POST_TYPES, PUBLIC
from federation.vocabulary.values import ids_of, type_of, url_id_of
from server.forums import elsewhere, follows
from server.forums.elsewhere import ForumCard
from server.instance import Instance
from server.transaction import Transaction
from storage import members
from storage.forums import CopyState, ForumSteward, Visibility
from tests.hostile.commons import Commons

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = Path(os.environ.get("GUILDHALL_FIXTURES") or REPOSITORY.parent / "shared" / "fixtures")
# Key material, and another interface.
LEFT_OUT = {"crypto", "mastodon_client_api"}
Json = dict[str, Any]

_URL = re.compile(r"https?://(?!www\.w3\.org|w3id\.org)([A-Za-z0-9.-]+)")
_STEERING = frozenset({"Add", "Block", "Delete", "Lock", "Remove"})
_ON_POSTS = frozenset({"Like", "Dislike", "EmojiReact", "Lock", "QuoteRequest"})


def paths() -> list[str]:
    """Every payload of a server, by its name."""
    return sorted(
        str(path.relative_to(FIXTURES))
        for path in FIXTURES.rglob("*.json")
        if path.parent.name not in LEFT_OUT
    )


def payload(name: str, label: str = "") -> Json:
    """The document in a file, or inside the recorded request or response it holds.

    With a label every host is one of its own, which only this payload knows, and http.
    """
    text = (FIXTURES / name).read_text(encoding="utf-8")
    document: Json = orjson.loads(text)
    body = document.get("body")
    if isinstance(body, str):
        # Not all that was recorded was JSON.
        document = orjson.loads(body) if body.startswith("{") else {}
    elif isinstance(body, dict):
        document = body
    if not label:
        return document
    moved = _URL.sub(rf"http://{label}.\1", orjson.dumps(document).decode())
    found: Json = orjson.loads(moved)
    return found


def is_sent(document: Json) -> bool:
    """Whether it is an activity or an object: something that a server may send us."""
    kind = type_of(document)
    return is_activity(document) or (bool(kind) and kind not in COLLECTION_TYPES)


def hosts(names: dict[str, str]) -> set[str]:
    """Every host that the payloads name, each under the label of its payload."""
    return {
        urlsplit(f"//{label}.{found.lower()}").netloc
        for name, label in names.items()
        for found in _URL.findall((FIXTURES / name).read_text(encoding="utf-8"))
    }


def opener(uri: str, author: str, forum: str) -> Json:
    """A thread of whose words nothing depends."""
    return {
        "id": uri,
        "type": "Page",
        "name": "What this is about",
        "attributedTo": author,
        "to": [PUBLIC],
        "audience": forum,
        "published": "2026-11-23T09:00:00Z",
    }


def doing(kind: str, actor: str, thing: object, **more: object) -> Json:
    """An activity of the harness's own."""
    return {"id": f"{actor}#{kind.lower()}-1", "type": kind, "actor": actor, "object": thing} | more


@dataclass(frozen=True)
class Place:
    """Our forum, a thread in it, and our follow of a group: what payloads are turned towards."""

    forum: str
    thread: str
    follow: Json

    def towards(self, document: Json) -> Json | None:
        """A payload as its author sends it, about what is ours instead of theirs.

        A bare object comes in a Create, a bare actor in an Update; what a group announces is of
        that group's own forum, and stays so. None where nobody is named who could send it.
        """
        actor = url_id_of(document.get("actor")) if is_activity(document) else _author(document)
        if actor is None:
            return None
        if type_of(document) in ACTOR_TYPES:
            return doing("Update", actor, document)
        if not is_activity(document):
            to = {name: document[name] for name in ("to", "cc") if name in document}
            document = doing("Create", actor, document, **to)
        sent = document | {"actor": actor}
        if sent["type"] == "Announce":
            return sent
        sent["object"] = self._ours(sent, sent.get("object"))
        if (target := url_id_of(sent.get("target"))) is not None and sent["type"] in _STEERING:
            sent["target"] = f"{self.forum}/{target.rpartition('/')[2]}"
        return sent

    def _ours(self, document: Json, inner: object) -> object:
        """The object of an activity, put where we know it."""
        kind = document["type"]
        if kind in {"Accept", "Reject"}:
            return self.follow
        if isinstance(inner, dict) and is_activity(inner):
            return inner | {"object": self._ours(inner, inner.get("object"))}
        if kind == "Follow":
            return self.forum
        if kind in _ON_POSTS or (kind in {"Add", "Remove"} and isinstance(inner, str)):
            return self.thread
        if kind == "Flag":
            return [self.thread]
        if kind not in {"Create", "Update"} or not isinstance(inner, dict):
            return inner
        if type_of(inner) in ACTOR_TYPES:
            return inner
        ours = inner | {"audience": self.forum}
        return ours | {"inReplyTo": self.thread} if inner.get("inReplyTo") else ours

    def before(self, sent: Json) -> list[Json]:
        """What must have come for a payload to mean something: who sends it is known, the post is
        here, what is undone was done.
        """
        actor, inner = sent["actor"], sent.get("object")
        if sent["type"] == "Undo" and isinstance(inner, dict):
            earlier = inner | {"id": f"{actor}#undone", "actor": actor}
            return [*self.before(earlier), earlier]
        if sent["type"] == "Announce" and isinstance(inner, dict):
            about = announced_about(sent)
            return [
                doing("Announce", actor, uri) | {"id": f"{actor}#{number}"}
                for number, uri in enumerate(about)
            ]
        like = doing("Like", actor, self.thread)
        if type_of(inner) in ACTOR_TYPES and sent["type"] == "Update":
            return [like] if type_of(inner) != "Group" else []
        if sent["type"] not in _STEERING:
            return []
        gone = url_id_of(inner)
        if sent["type"] != "Delete" or gone is None or gone == actor:
            return [like]
        host = urlsplit(gone).netloc
        author = actor if host == urlsplit(actor).netloc else f"http://{host}/u/author"
        return [like, doing("Create", author, opener(gone, author, self.forum))]


def _author(document: Json) -> str | None:
    if type_of(document) in ACTOR_TYPES:
        return url_id_of(document)
    claimed = document.get("actor") or document.get("attributedTo")
    people = claimed if isinstance(claimed, list) else [claimed]
    people.sort(key=lambda one: type_of(one) not in {"Person", ""})
    return next((uri for one in people if (uri := url_id_of(one))), None)


def announced_about(announce: Json) -> list[str]:
    """The posts that an Announce is about and does not bring."""
    inner = announce.get("object")
    if type_of(inner) in POST_TYPES:
        return []
    while isinstance(inner, dict) and is_activity(inner):
        if inner["type"] in {"Create", "Update"}:
            post = inner.get("object")
            parent = url_id_of(post.get("inReplyTo")) if isinstance(post, dict) else None
            return [parent] if parent else []
        inner = inner.get("object")
    return list(ids_of(inner))


async def make_steward(gh: Commons, actor: str) -> None:
    """An actor who is known here looks after our forum."""
    async with gh.instance.transaction() as tx:
        person = await members.by_uri(tx.session, actor)
        if person is not None:
            row = ForumSteward(forum_id=gh.forum.id, member_id=person.id, created=tx.now)
            tx.session.add(row)


async def followed(instance: Instance, group: str) -> None:
    """A group elsewhere whose copy is current."""
    peer = urlsplit(group).netloc
    async with instance.transaction() as tx:
        held = await elsewhere.remember(tx, _card(tx, group, peer))
        held.copy_state = CopyState.CURRENT


async def follow(gh: Commons, group: str) -> Json:
    """A follow of ours that waits for its answer, as it was sent."""
    async with gh.instance.transaction() as tx:
        forum = await elsewhere.remember(tx, _card(tx, group, urlsplit(group).netloc))
        held = await follows.follow(tx, gh.admin, forum)
        uri = held.uri
    return doing("Follow", gh.admin.uri, group) | {"id": uri}


def _card(tx: Transaction, group: str, peer: str) -> ForumCard:
    return ForumCard(
        uri=group,
        handle=f"f{tx.ids.next()}",
        peer=peer,
        url=group,
        title="Somewhere",
        agency="",
        description_html="",
        visibility=Visibility.PUBLIC,
        language="en",
        inbox=f"{group}/inbox",
        shared_inbox=None,
        outbox="",
        moderators=f"{group}/moderators",
    )
