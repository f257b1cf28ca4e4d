# SPDX-License-Identifier: Apache-2.0
"""A server whose signing and verifying is left to other software."""

import base64
import hashlib
import itertools
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from tests.hostile.peer import PUBLIC, Asked, Keys, ScriptedPeer
from tests.peers import programs
from tests.peers.programs import APSIG, Json
from tests.peers.town import Town

_numbers = itertools.count(1)
COVERED = ["@method", "@path", "@authority", "date", "content-type", "content-digest"]


class Stranger(ScriptedPeer):
    """One person on a host of their own; what they send, `program` signs."""

    def __init__(self, host: str, program: tuple[str, ...], keys: Keys | None = None) -> None:
        super().__init__(host, keys or Keys.make(), software="friendica")
        self.program = program
        self.port = 0
        self.scheme = "sign_draft"
        self.person = self.actor("/u/vera")
        self.describe()

    async def signed(self, method: str, url: str, body: bytes = b"") -> dict[str, str]:
        """The headers that the other software makes for a request of this person."""
        host, slash, path = url.partition("://")[2].partition("/")
        answer = await programs.ask(
            self.program,
            self.scheme,
            method=method,
            url=url,
            host=host,
            path=slash + path,
            covered=COVERED,
            body=base64.b64encode(body).decode(),
            key=self.keys.rsa.pem().decode(),
            key_id=f"{self.person}#main-key",
        )
        headers: dict[str, str] = {n.lower(): v for n, v in answer["headers"].items()}
        return headers

    async def vouched(self, document: Json) -> Json:
        """The document with a proof that apsig made for this person."""
        answer = await programs.ask(
            APSIG,
            "sign_proof",
            document=document,
            key=self.keys.ed25519.pem().decode(),
            method=f"{self.person}#ed25519-key",
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        found: Json = answer["document"]
        return found

    async def deliver(self, town: Town, activity: Json) -> httpx.Response:
        """Send an activity to the shared inbox, signed."""
        url, body = f"{town.origin}/inbox", orjson.dumps(activity)
        return await town.send("POST", url, await self.signed("POST", url, body), body)

    def activity(self, kind: str, thing: object, **changes: Any) -> Json:
        """An activity of this person, with an id of its own."""
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{self.person}#{kind.lower()}-{next(_numbers)}",
            "type": kind,
            "actor": self.person,
            "object": thing,
            **changes,
        }

    def note(self, forum: str, **changes: Any) -> Json:
        """A Note of this person to a forum."""
        return {
            "id": f"{self.origin}/p/{next(_numbers)}",
            "type": "Note",
            "attributedTo": self.person,
            "to": [PUBLIC, forum],
            "cc": [],
            "audience": forum,
            "content": "<p>We write the rules down first.</p>",
            "published": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **changes,
        }

    def create(self, forum: str, **changes: Any) -> Json:
        """A Create of a Note to a forum."""
        note = self.note(forum, **changes)
        return self.activity("Create", note, to=note["to"], cc=note["cc"])


def changed(body: bytes) -> bytes:
    """The same with one byte changed, still JSON."""
    assert b"rules" in body
    return body.replace(b"rules", b"ruleS")


def with_body(asked: Asked, body: bytes) -> Asked:
    """A request with another body, and a Digest that fits it."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    headers = {**asked.headers, "digest": f"SHA-256={digest}"}
    return Asked(asked.method, asked.target, headers, body)


async def verified(
    town: Town, program: tuple[str, ...], host: str, requests: list[Asked]
) -> list[bool]:
    """Which requests of ours other software takes as signed by the keys they name.

    The keys are those that the agency shows to whoever asks.
    """
    asks = []
    for one in requests:
        key_id = one.headers["signature"].partition('keyId="')[2].partition('"')[0]
        key = (await town.document(key_id))["publicKey"]
        assert key["id"] == key_id
        asks.append(
            {
                "do": "verify_draft",
                "method": one.method,
                "url": f"http://{host}{one.target}",
                "headers": dict(one.headers),
                "body": base64.b64encode(one.body).decode(),
                "key": key["publicKeyPem"],
            }
        )
    return [answer["valid"] for answer in await programs.ask_all(program, asks)]


async def proofs_hold(town: Town, documents: list[Json]) -> list[bool]:
    """Which documents of ours carry a proof that apsig takes."""
    asks = []
    for document in documents:
        method = document["proof"]["verificationMethod"]
        owner = await town.document(method)
        keys = {key["id"]: key["publicKeyMultibase"] for key in owner["assertionMethod"]}
        asks.append({"do": "verify_proof", "document": document, "key": keys[method]})
    return [answer["valid"] for answer in await programs.ask_all(APSIG, asks)]
