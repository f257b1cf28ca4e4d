# SPDX-License-Identifier: Apache-2.0
"""A scripted ActivityPub server that says what a test has it say."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from federation.signatures.keys import SigningKey
from federation.signatures.proofs import add_proof
from federation.signatures.sign import sign_draft
from tests.hostile.serving import serving

ACTIVITY = "application/activity+json"
AS = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{AS}#Public"
NODEINFO = "http://nodeinfo.diaspora.software/ns/schema/2.1"
Json = dict[str, Any]


@dataclass(frozen=True)
class Keys:
    """The keys one server signs with; `spare` is for rotations and forgeries."""

    rsa: SigningKey
    ed25519: SigningKey
    spare: SigningKey

    @classmethod
    def make(cls) -> "Keys":
        return cls(
            SigningKey.generate_rsa(), SigningKey.generate_ed25519(), SigningKey.generate_rsa()
        )


@dataclass(frozen=True)
class Page:
    """One answer; `seconds` is how long it takes."""

    body: bytes = b""
    status: int = 200
    kind: str = ACTIVITY
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A request that was received."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Json:
        found: Json = orjson.loads(self.body)
        return found


@dataclass
class ScriptedPeer:
    """One virtual host: its pages by path, and every request it got."""

    host: str
    keys: Keys
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    software: str = "mastodon"
    inbox_answer: Callable[[Asked], Page] = lambda _: Page(status=202)

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    @property
    def fetched(self) -> list[str]:
        """The targets that were asked for, NodeInfo left out."""
        return [
            asked.target
            for asked in self.requests
            if asked.method == "GET" and "nodeinfo" not in asked.target
        ]

    @property
    def delivered(self) -> list[Json]:
        """What was posted to any inbox here, in order."""
        return [asked.document for asked in self.requests if asked.method == "POST"]

    def answer(self, asked: Asked) -> Page:
        self.requests.append(asked)
        if asked.method == "POST":
            return self.inbox_answer(asked)
        return self.pages.get(asked.target, Page(b"Nothing is here.", 404, "text/plain"))

    def put(self, url: str, document: Json, **changes: Any) -> str:
        """Serve a document at a URL (or path) of this host; answers the URL."""
        path = url.removeprefix(self.origin)
        self.pages[path] = Page(orjson.dumps(document), **changes)
        return f"{self.origin}{path}"

    def redirect(self, path: str, location: str) -> str:
        self.pages[path] = Page(status=302, headers=(("Location", location),))
        return f"{self.origin}{path}"

    def describe(self) -> None:
        """Serve NodeInfo."""
        self.put(
            "/.well-known/nodeinfo",
            {"links": [{"rel": NODEINFO, "href": f"{self.origin}/nodeinfo/2.1"}]},
            kind="application/json",
        )
        software = {"name": self.software, "version": "1"}
        self.put("/nodeinfo/2.1", {"software": software}, kind="application/json")

    def actor(self, path: str = "/u/mallory", kind: str = "Person", **changes: Any) -> str:
        """Serve an actor with both keys; answers its id."""
        uri = f"{self.origin}{path}"
        document: Json = {
            "@context": [AS, "https://w3id.org/security/v1"],
            "id": uri,
            "type": kind,
            "preferredUsername": path.rpartition("/")[2],
            "name": path.rpartition("/")[2].title(),
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
            "followers": f"{uri}/followers",
            "endpoints": {"sharedInbox": f"{self.origin}/inbox"},
            "publicKey": {
                "id": f"{uri}#main-key",
                "owner": uri,
                "publicKeyPem": self.keys.rsa.public.pem(),
            },
            "assertionMethod": [
                {
                    "id": f"{uri}#ed25519-key",
                    "type": "Multikey",
                    "controller": uri,
                    "publicKeyMultibase": self.keys.ed25519.public.multikey(),
                }
            ],
        }
        self.put(uri, {**document, **changes})
        return uri

    def webfinger(self, name: str, href: str, subject: str = "") -> None:
        """Serve a WebFinger answer for `@name@host`."""
        found = {
            "subject": subject or f"acct:{name}@{self.host}",
            "links": [{"rel": "self", "type": ACTIVITY, "href": href}],
        }
        target = f"/.well-known/webfinger?resource=acct%3A{name}%40{self.host}"
        self.put(target, found, kind="application/jrd+json")

    def proven(self, document: Json, actor: str, now: datetime) -> Json:
        """The document with this server's own integrity proof for an actor."""
        return add_proof(
            document, key=self.keys.ed25519, method=f"{actor}#ed25519-key", created=now
        )

    def sign(
        self,
        url: str,
        body: bytes | None,
        now: datetime,
        *,
        method: str = "POST",
        key_id: str = "",
        key: SigningKey | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """The headers of an honest signature, by default as Mallory; `extra` is signed too."""
        return sign_draft(
            method=method,
            url=url,
            body=body,
            key=key or self.keys.rsa,
            key_id=key_id or f"{self.origin}/u/mallory#main-key",
            now=now,
            extra=extra,
        )


class World:
    """Every scripted host behind one port, told apart by the Host header."""

    def __init__(self, peers: list[ScriptedPeer]) -> None:
        self._peers = {peer.host: peer for peer in peers}
        self.port = 0
        self._served = serving(self)

    def resolve(self) -> dict[str, str]:
        """The hosts as the setting wants them."""
        return {host: f"127.0.0.1:{self.port}" for host in self._peers}

    async def __aenter__(self) -> "World":
        self.port = await self._served.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._served.__aexit__(None, None, None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        path = scope["raw_path"].decode().partition("?")[0]
        asked = Asked(scope["method"], f"{path}?{query}" if query else path, headers, body)
        peer = self._peers.get(urlsplit(f"//{headers.get('host', '')}").hostname or "")
        page = peer.answer(asked) if peer else Page(status=421)
        if page.seconds:
            await asyncio.sleep(page.seconds)
        await send(
            {
                "type": "http.response.start",
                "status": page.status,
                "headers": [
                    (b"content-type", page.kind.encode()),
                    *((name.encode(), value.encode()) for name, value in page.headers),
                ],
            }
        )
        await send({"type": "http.response.body", "body": page.body})


def mallory(peer: ScriptedPeer) -> str:
    """The first person of a host."""
    return f"{peer.origin}/u/mallory"


def vera(peer: ScriptedPeer) -> str:
    """The second person of a host."""
    return f"{peer.origin}/u/vera"
