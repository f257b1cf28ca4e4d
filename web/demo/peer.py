# SPDX-License-Identifier: Apache-2.0
"""A stranger that speaks ActivityPub and is on nobody's list."""

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from web.demo.agencies import Agency

ACTIVITY = "application/activity+json"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"]


@dataclass(frozen=True)
class Answer:
    """What a server said to a machine."""

    status: int
    text: str

    @property
    def sentence(self) -> str:
        """The refusal in words, whether it came as JSON or as plain text."""
        try:
            data = json.loads(self.text)
        except ValueError:
            return self.text.strip()
        return str(data.get("error", "")) if isinstance(data, dict) else ""


class Peer:
    """One person on a server of their own; the server shows their key to whoever asks."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self._port = port
        self.origin = f"http://{host}:{port}"
        self.actor = f"{self.origin}/u/visitor"
        self.asked: list[str] = []
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def get(self, agency: Agency, path: str, *, signed: bool = True) -> Answer:
        """Ask for an object."""
        headers = {"Accept": ACTIVITY}
        if signed:
            headers |= self._signature("get", agency.netloc, path, None)
        return await self._send(agency, "GET", path, headers, None)

    async def post(self, agency: Agency, path: str, activity: dict[str, Any]) -> Answer:
        """Deliver an activity, signed."""
        body = json.dumps(activity).encode()
        headers = self._signature("post", agency.netloc, path, body)
        return await self._send(agency, "POST", path, headers, body)

    def thread(self, forum: str, title: str, text: str) -> dict[str, Any]:
        """A Create of a thread in the forum with this id."""
        name = hashlib.sha256(title.encode()).hexdigest()[:12]
        to = {"to": [PUBLIC, forum], "cc": [f"{self.actor}/followers"], "audience": forum}
        return {
            "@context": CONTEXT,
            "id": f"{self.actor}#create-{name}",
            "type": "Create",
            "actor": self.actor,
            **to,
            "object": {
                "id": f"{self.origin}/p/{name}",
                "type": "Article",
                "attributedTo": self.actor,
                "name": title,
                "content": f"<p>{text}</p>",
                "published": "2026-01-05T09:00:00Z",
                **to,
            },
        }

    async def _send(
        self, agency: Agency, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> Answer:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            response = await client.request(
                method,
                f"http://127.0.0.1:{agency.port}{path}",
                headers={"Host": agency.netloc} | headers,
                content=body,
            )
        return Answer(response.status_code, response.text)

    def _signature(self, method: str, host: str, path: str, body: bytes | None) -> dict[str, str]:
        """The headers that sign a request (draft-cavage-http-signatures, RSA with SHA-256)."""
        headers = {"host": host, "date": formatdate(usegmt=True)}
        if body is not None:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers |= {"digest": f"SHA-256={digest}", "content-type": ACTIVITY}
        lines = [f"(request-target): {method} {path}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        signed = self._key.sign("\n".join(lines).encode(), padding.PKCS1v15(), hashes.SHA256())
        covered = " ".join(("(request-target)", *headers))
        del headers["host"]
        headers["signature"] = (
            f'keyId="{self.actor}#main-key",algorithm="rsa-sha256",headers="{covered}",'
            f'signature="{base64.b64encode(signed).decode()}"'
        )
        return headers

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request: the actor, or 404."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("latin-1")
            self.asked.append(path)
            found = path == "/u/visitor"
            body = json.dumps(self._actor()).encode() if found else b"{}"
            writer.write(
                f"HTTP/1.1 {'200 OK' if found else '404 Not Found'}\r\n"
                f"Content-Type: {ACTIVITY}\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            writer.close()

    def _actor(self) -> dict[str, Any]:
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "@context": CONTEXT,
            "id": self.actor,
            "type": "Person",
            "preferredUsername": "visitor",
            "name": "A visitor",
            "inbox": f"{self.actor}/inbox",
            "outbox": f"{self.actor}/outbox",
            "publicKey": {
                "id": f"{self.actor}#main-key",
                "owner": self.actor,
                "publicKeyPem": public.decode(),
            },
        }
