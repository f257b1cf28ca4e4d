# SPDX-License-Identifier: Apache-2.0
"""The names of ActivityPub: types, contexts, media types."""

import re
from typing import Any, Final

AS: Final = "https://www.w3.org/ns/activitystreams#"
PUBLIC: Final = AS + "Public"

AS_CONTEXT: Final = "https://www.w3.org/ns/activitystreams"
SECURITY_CONTEXT: Final = "https://w3id.org/security/v1"
INTEGRITY_CONTEXT: Final = "https://w3id.org/security/data-integrity/v2"
# Libraries that expand JSON-LD carry this one (Fedify does), and would ask for cid/v1.
MULTIKEY_CONTEXT: Final = "https://w3id.org/security/multikey/v1"
GH: Final = "urn:guildhall:ns#"

ACTIVITY_JSON: Final = "application/activity+json"
LD_JSON_PROFILE: Final = f'application/ld+json; profile="{AS_CONTEXT}"'
ACCEPT: Final = f"{ACTIVITY_JSON}, {LD_JSON_PROFILE}"

ACTOR_TYPES: Final = frozenset({"Person", "Service", "Group", "Organization", "Application"})

# What people write and share; every one of these has an author.
AUTHORED_TYPES: Final = frozenset(
    {
        "Article",
        "Audio",
        "ChatMessage",
        "Document",
        "Event",
        "Image",
        "Note",
        "Page",
        "Question",
        "Video",
    }
)
POST_TYPES: Final = AUTHORED_TYPES | {"Tombstone"}

COLLECTION_TYPES: Final = frozenset(
    {"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"}
)

# ActivityStreams 2.0 §3.1 and what forums and FEPs add (Lock, Resolve, Warn, QuoteRequest…).
ACTIVITY_TYPES: Final = frozenset(
    {
        "Accept",
        "Add",
        "Announce",
        "Arrive",
        "Block",
        "Create",
        "Delete",
        "Dislike",
        "EmojiReact",
        "Flag",
        "Follow",
        "Ignore",
        "Invite",
        "Join",
        "Leave",
        "Like",
        "Listen",
        "Lock",
        "Move",
        "Offer",
        "QuoteRequest",
        "Read",
        "Reject",
        "Remove",
        "Resolve",
        "TentativeAccept",
        "TentativeReject",
        "Travel",
        "Undo",
        "Update",
        "View",
        "Warn",
    }
)
# ActivityStreams 2.0 §2.4: these two happen to their actor alone.
INTRANSITIVE_TYPES: Final = frozenset({"Arrive", "Travel"})

KNOWN_TYPES: Final = ACTOR_TYPES | POST_TYPES | COLLECTION_TYPES | ACTIVITY_TYPES

_ACTOR_TERMS: Final[dict[str, Any]] = {
    "assertionMethod": {
        "@id": "https://w3id.org/security#assertionMethod",
        "@type": "@id",
        "@container": "@set",
    },
    "toot": "http://joinmastodon.org/ns#",
    "lemmy": "https://join-lemmy.org/ns#",
    "schema": "http://schema.org#",
    "gh": GH,
    "PropertyValue": "schema:PropertyValue",
    "value": "schema:value",
    "sensitive": "as:sensitive",
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "featured": {"@id": "toot:featured", "@type": "@id"},
    "moderators": {"@id": "lemmy:moderators", "@type": "@id"},
    "postingRestrictedToMods": "lemmy:postingRestrictedToMods",
    "language": "https://schema.org/inLanguage",
    "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
    "implements": {"@id": "https://w3id.org/fep/844e#implements", "@type": "@id"},
}
_OBJECT_TERMS: Final[dict[str, Any]] = {
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "commentsEnabled": "https://join-lemmy.org/ns#commentsEnabled",
    "language": "https://schema.org/inLanguage",
    "gts": "https://gotosocial.org/ns#",
    "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
    "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
    "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
}
_ACTIVITY_TERMS: Final[dict[str, Any]] = {"Lock": "https://join-lemmy.org/ns#Lock"}
_QUOTE_TERMS: Final[dict[str, Any]] = {
    "gts": "https://gotosocial.org/ns#",
    "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
    "interactingObject": {"@id": "gts:interactingObject", "@type": "@id"},
    "interactionTarget": {"@id": "gts:interactionTarget", "@type": "@id"},
}

# The "@context" of what we send, never changed in place. Terms are inline, so that a peer that
# expands JSON-LD needs no document beyond the well-known four.
ACTOR_CONTEXT: Final[list[str | dict[str, Any]]] = [
    AS_CONTEXT,
    SECURITY_CONTEXT,
    MULTIKEY_CONTEXT,
    INTEGRITY_CONTEXT,
    _ACTOR_TERMS,
]
OBJECT_CONTEXT: Final[list[str | dict[str, Any]]] = [AS_CONTEXT, INTEGRITY_CONTEXT, _OBJECT_TERMS]
QUOTE_CONTEXT: Final[list[str | dict[str, Any]]] = [AS_CONTEXT, INTEGRITY_CONTEXT, _QUOTE_TERMS]
# What an activity embeds brings its own context, so that its proof holds wherever it goes.
ACTIVITY_CONTEXT: Final[list[str | dict[str, Any]]] = [
    AS_CONTEXT,
    INTEGRITY_CONTEXT,
    _ACTIVITY_TERMS,
]
# What embeds words of others names what a proof is by itself and protects none of it: their
# context of data integrity may be of another version, which JSON-LD lets no protected term meet.
_SECURITY = "https://w3id.org/security#"
ANNOUNCE_CONTEXT: Final[list[str | dict[str, Any]]] = [
    AS_CONTEXT,
    {
        **_ACTIVITY_TERMS,
        "DataIntegrityProof": f"{_SECURITY}DataIntegrityProof",
        "proof": {"@id": f"{_SECURITY}proof", "@type": "@id", "@container": "@graph"},
        "cryptosuite": f"{_SECURITY}cryptosuite",
        "verificationMethod": {"@id": f"{_SECURITY}verificationMethod", "@type": "@id"},
        "proofPurpose": {"@id": f"{_SECURITY}proofPurpose", "@type": "@vocab"},
        "assertionMethod": f"{_SECURITY}assertionMethod",
        "proofValue": {"@id": f"{_SECURITY}proofValue", "@type": f"{_SECURITY}multibase"},
        "created": {
            "@id": "http://purl.org/dc/terms/created",
            "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
        },
    },
]

_PUBLIC_NAMES = frozenset({PUBLIC, "as:Public", "Public"})
_MAX_HEADER = 500
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  RFC 9110 §5.6.2 speaks of tokens
_PARAMETER = re.compile(rf'\s*;\s*({_TOKEN})=(?:"((?:[^"\\]|\\.)*+)"|({_TOKEN}))')
_MEDIA_TYPE = re.compile(rf"\s*({_TOKEN}/{_TOKEN})")


def is_activity_json(content_type: str) -> bool:
    """Whether this Content-Type is ActivityPub's (ActivityPub §3.2, FEP-fe34).

    ``application/activity+json`` with any parameters, or ``application/ld+json`` whose profile
    names ActivityStreams. Plain JSON is not: a host that takes uploads may serve anyone's.
    """
    start = _MEDIA_TYPE.match(content_type)
    if start is None or len(content_type) > _MAX_HEADER:
        return False
    parameters: dict[str, str] = {}
    position = start.end()
    while found := _PARAMETER.match(content_type, position):
        name, quoted, plain = found.groups()
        parameters.setdefault(name.lower(), plain if quoted is None else quoted)
        position = found.end()
    if content_type[position:].strip(" \t;"):
        return False
    media_type = start[1].lower()
    if media_type == ACTIVITY_JSON:
        return True
    return (
        media_type == "application/ld+json" and AS_CONTEXT in parameters.get("profile", "").split()
    )


def is_public(value: object) -> bool:
    """Whether a recipient, or any of a list, is the public collection (ActivityPub §5.6)."""
    if isinstance(value, list | tuple):
        return any(isinstance(item, str) and item in _PUBLIC_NAMES for item in value)
    return isinstance(value, str) and value in _PUBLIC_NAMES
