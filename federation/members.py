# SPDX-License-Identifier: Apache-2.0
"""People as ActivityPub's Person, both ways."""

from datetime import datetime
from typing import Any

from federation.signatures.keys import VerificationKey
from federation.urls import host_of_uri
from federation.vocabulary.actors import Actor
from federation.vocabulary.terms import ACTIVITY_CONTEXT, ACTOR_CONTEXT, PUBLIC
from server.members.elsewhere import PersonCard
from storage.keys import ActorKey
from storage.members import Member

RFC9421 = "https://datatracker.ietf.org/doc/html/rfc9421"


def moment(value: datetime) -> str:
    """RFC 3339 in UTC with whole milliseconds, as every date we send."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"


def key_members(actor: str, keys: list[ActorKey]) -> dict[str, Any]:
    """`publicKey` (RSA) and `assertionMethod` (Ed25519, FEP-521a) of one of our actors.

    Keys come newest first. Old ones stay listed for proofs as long as they are stored; there is
    room for one RSA key only, since most software reads no list.
    """
    found: dict[str, Any] = {}
    for key in keys:
        if key.kind == "rsa" and key.retired is None and "publicKey" not in found:
            found["publicKey"] = {
                "id": key.key_id,
                "type": "CryptographicKey",
                "owner": actor,
                "publicKeyPem": key.public,
            }
        elif key.kind == "ed25519":
            method = {
                "id": key.key_id,
                "type": "Multikey",
                "controller": actor,
                "publicKeyMultibase": VerificationKey.from_pem(key.public).multikey(),
            }
            found.setdefault("assertionMethod", []).append(method)
    return found


def generator(origin: str) -> dict[str, Any]:
    """FEP-844e: what our software understands."""
    return {
        "type": "Application",
        "id": f"{origin}/instance",
        "name": "Guildhall",
        "implements": [{"href": RFC9421, "name": "RFC-9421: HTTP Message Signatures"}],
    }


def stub(actor: str, kind: str, handle: str, keys: list[ActorKey], shared: str) -> dict[str, Any]:
    """What anybody may know of an actor: enough to check its signatures and to deliver."""
    return {
        "@context": ACTOR_CONTEXT,
        "id": actor,
        "type": kind,
        "preferredUsername": handle,
        "inbox": f"{actor}/inbox",
        "endpoints": {"sharedInbox": shared},
        **key_members(actor, keys),
    }


def person(
    member: Member, keys: list[ActorKey], origin: str, picture: str | None
) -> dict[str, Any]:
    """The whole Person of a local member."""
    actor = member.uri
    fields = [("Role", member.role_title), ("Agency", member.agency)]
    document = stub(actor, "Person", member.handle, keys, f"{origin}/inbox") | {
        "name": member.name,
        "summary": member.bio_html,
        "url": member.url,
        "outbox": f"{actor}/outbox",
        "followers": f"{actor}/followers",
        "following": f"{actor}/following",
        "manuallyApprovesFollowers": False,
        "discoverable": True,
        "indexable": True,
        "published": moment(member.created),
        "updated": moment(member.updated),
        "webfinger": f"{member.handle}@{host_of_uri(actor)}",
        "attachment": [
            {"type": "PropertyValue", "name": name, "value": value}
            for name, value in fields
            if value
        ],
        "gh:roleTitle": member.role_title,
        "gh:agency": member.agency,
        "generator": generator(origin),
    }
    if picture is not None:
        document["icon"] = {"type": "Image", "mediaType": "image/webp", "url": picture}
    return document


def update_person(member: Member, document: dict[str, Any]) -> dict[str, Any]:
    """Update{Person} by the person."""
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": f"{member.uri}#update-{int(member.updated.timestamp() * 1000)}",
        "type": "Update",
        "actor": member.uri,
        "object": document,
        "to": [PUBLIC],
        "cc": [f"{member.uri}/followers"],
    }


def person_card(actor: Actor) -> PersonCard:
    """What an actor document says of a person."""
    host = host_of_uri(actor.id)
    return PersonCard(
        uri=actor.id,
        handle=actor.preferred_username,
        peer=host,
        url=actor.url or actor.id,
        name=actor.name,
        role_title=actor.role_title or "",
        agency=actor.agency or "",
        bio_html=actor.summary or "",
        avatar_url=actor.icon,
        inbox=actor.inbox,
        shared_inbox=actor.shared_inbox,
        created=actor.published,
        whole=actor.outbox is not None,
        indexable=actor.indexable,
        moved_to=actor.moved_to,
    )
