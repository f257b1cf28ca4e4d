# SPDX-License-Identifier: Apache-2.0
"""Actors are read with their keys and hints."""

from typing import Any

from federation.vocabulary.documents import PublicKey, parse_actor
from federation.vocabulary.terms import GH

ANA = "https://a.example/u/ana"
FORUM = "https://a.example/f/permits"
PERSON: dict[str, Any] = {
    "id": ANA,
    "type": "Person",
    "preferredUsername": "ana",
    "inbox": ANA + "/inbox",
}


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The document less one member."""
    return {key: value for key, value in document.items() if key != name}


def test_an_actors_members_are_read() -> None:
    actor = parse_actor(
        {
            **PERSON,
            "name": "Ana " + "R" * 600,
            "endpoints": {"sharedInbox": "https://a.example/inbox"},
            "manuallyApprovesFollowers": True,
            "indexable": True,
            "webfinger": "acct:ana@a.example",
            "alsoKnownAs": "https://b.example/u/ana",
            "icon": [{"type": "Image", "url": f"https://a.example/{n}.png"} for n in (1, 2)],
            "gh:roleTitle": "Permit lead",
            "attachment": [
                {"type": "PropertyValue", "name": "Role", "value": "ignored"},
                {"type": "PropertyValue", "name": "Agency", "value": "<b>Parks</b> &amp; Water"},
            ],
            "generator": {
                "type": "Application",
                "implements": [{"href": "https://datatracker.ietf.org/doc/html/rfc9421"}],
            },
        }
    )
    assert len(actor.name) == 500
    assert actor.shared_inbox == "https://a.example/inbox"
    assert actor.manually_approves
    assert actor.indexable
    assert actor.discoverable is None
    assert actor.webfinger == "ana@a.example"
    assert actor.also_known_as == ("https://b.example/u/ana",)
    assert actor.icon == "https://a.example/2.png"
    assert (actor.role_title, actor.agency) == ("Permit lead", "Parks & Water")
    assert actor.rfc9421


def test_an_actor_that_says_little_has_no_hints() -> None:
    actor = parse_actor({**PERSON, "attributedTo": FORUM})
    assert (actor.name, actor.rfc9421, actor.indexable, actor.moderators) == (
        "ana",
        False,
        False,
        None,
    )


def test_a_servers_own_actor_may_have_no_name() -> None:
    root = {"id": "https://a.example:8443/", "type": "Application", "inbox": FORUM}
    assert parse_actor(root).preferred_username == "a.example:8443"


def test_a_groups_moderators_are_a_collection_and_never_its_owner() -> None:
    group = {**PERSON, "type": "Group", "gh:visibility": "agencies"}
    mods = FORUM + "/moderators"
    owner = {"type": "Person", "id": ANA}
    assert parse_actor({**group, "attributedTo": mods}).moderators == mods
    assert parse_actor({**group, "attributedTo": [owner]}).moderators is None
    assert parse_actor({**group, "attributedTo": owner, "moderators": mods}).moderators == mods
    assert parse_actor(group).visibility == "agencies"
    assert parse_actor({**group, "gh:visibility": None, GH + "visibility": "x"}).visibility is None


def test_keys_are_read_in_both_forms_and_only_the_actors_own() -> None:
    pem = {"id": ANA + "#main-key", "owner": ANA, "publicKeyPem": "PEM"}
    multikey = {
        "id": ANA + "#ed25519",
        "type": "Multikey",
        "controller": ANA,
        "publicKeyMultibase": "z6Mk",
    }
    others = [
        {**pem, "owner": "https://b.example/u/ben"},
        {**pem, "id": "https://b.example/u/ben#main-key"},
        {**pem, "publicKeyPem": "x" * 10_001},
        {**pem, "publicKeyPem": None},
        without(pem, "id"),
        "https://a.example/key",
    ]
    actor = parse_actor(
        {
            **PERSON,
            "publicKey": [pem, *others],
            "assertionMethod": [
                multikey,
                {**multikey, "controller": FORUM},
                {**multikey, "type": "JsonWebKey"},
            ],
        }
    )
    assert actor.keys == (
        PublicKey(ANA + "#main-key", ANA, "pem", "PEM"),
        PublicKey(ANA + "#ed25519", ANA, "multikey", "z6Mk"),
    )
    many = [{**pem, "id": f"{ANA}#{n}"} for n in range(30)]
    assert len(parse_actor({**PERSON, "publicKey": many}).keys) == 10
