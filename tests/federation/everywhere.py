# SPDX-License-Identifier: Apache-2.0
"""Every server that the payloads name, behind one port."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from federation.signatures.keys import SigningKey
from federation.signatures.sign import sign_draft
from federation.vocabulary.activities import is_activity
from federation.vocabulary.terms import ACTOR_TYPES, POST_TYPES
from federation.vocabulary.values import ids_of, type_of, url_id_of
from tests.federation.payloads import Json, opener
from tests.hostile.commons import INBOX
from tests.hostile.serving import serving


@dataclass
class Everywhere:
    """Every host that the payloads name, behind one port: what they hold is served at its id."""

    key: SigningKey
    documents: dict[str, Json] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._served = serving(self)

    async def __aenter__(self) -> "Everywhere":
        self.port = await self._served.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._served.__aexit__(None, None, None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body", False):
            continue
        host = dict(scope["headers"])[b"host"].decode()
        query = scope["query_string"].decode()
        path = scope["raw_path"].decode().partition("?")[0]
        url = f"http://{host}{path}" + (f"?{query}" if query else "")
        self.requests.append(url)
        # A bare origin is an id too, and is asked for with a slash.
        found = self.documents.get(url) or self.documents.get(url.removesuffix("/"))
        found = None if scope["method"] == "POST" else found
        status = 202 if scope["method"] == "POST" else 200 if found else 404
        kind = [(b"content-type", b"application/activity+json")]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": orjson.dumps(found) if found else b""})

    def know(self, document: object) -> None:
        """Serve all that a document holds, and whom it names as an actor or an author."""
        for one in document if isinstance(document, list) else [document]:
            if isinstance(one, dict):
                self._know(one)

    def _know(self, document: Json) -> None:
        for name in ("object", "items", "orderedItems", "actor", "attributedTo"):
            self.know(document.get(name))
        group = type_of(document) == "Announce"
        for named in (*ids_of(document.get("actor")), *ids_of(document.get("attributedTo"))):
            self.actor(named, "Group" if group else "Person")
        uri, kind = url_id_of(document), type_of(document)
        if uri is not None and kind in ACTOR_TYPES:
            self.actor(uri, kind, document)
        elif uri is not None and (kind in POST_TYPES or is_activity(document)):
            self.documents.setdefault(uri, document)

    def post(self, uri: str, group: str) -> None:
        """Serve a thread in a group under an id that the payloads name and do not hold."""
        author = f"http://{urlsplit(uri).netloc}/u/author"
        self.actor(author, "Person")
        self.documents.setdefault(uri, opener(uri, author, group))

    def actor(self, uri: str, kind: str, document: Json | None = None) -> None:
        """Serve an actor as the payloads describe it, under a key that we can sign with."""
        uri = uri.partition("#")[0]
        if uri in self.documents and (document is None or "inbox" not in document):
            return
        name = re.sub(r"[^a-z0-9_]", "", uri.rpartition("/")[2].lower()) or "someone"
        plain: Json = {
            "id": uri,
            "type": kind,
            "preferredUsername": name,
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
        }
        key = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": self.key.public.pem()}
        self.documents[uri] = {**plain, **(document or {}), "publicKey": key}

    def sign(self, document: Json, now: datetime, signer: str = "") -> tuple[bytes, dict[str, str]]:
        """The bytes of an activity, and the headers of its delivery to our shared inbox."""
        body = orjson.dumps(document)
        key_id = f"{signer or url_id_of(document.get('actor'))}#main-key"
        headers = sign_draft(
            method="POST", url=INBOX, body=body, key=self.key, key_id=key_id, now=now
        )
        return body, headers
