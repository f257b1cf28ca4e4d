# SPDX-License-Identifier: Apache-2.0
"""The other servers as a benchmark handles them: started, asked, signing."""

import asyncio
import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench.measures import fetch, get
from bench.processes import Program, python, start
from bench.sink import Arrivals
from bench.wait import until_it_answers
from web.demo.ports import free_port

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_PKCS, _SHA = padding.PKCS1v15(), hashes.SHA256()


class Elsewhere:
    """A running sink, and the key that all its actors sign with."""

    def __init__(self, folder: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / "public.pem").write_bytes(pem)
        self.port = free_port()
        command = python("bench.sink", str(self.port), str(folder / "public.pem"))
        self.program: Program = start(command, folder / "sink.log", {})
        until_it_answers(self.port, get("sink.example", "/-/arrivals"), self.program)

    def at(self, hosts: list[str]) -> dict[str, str]:
        """Where these hosts are reached, as the setting wants it."""
        return dict.fromkeys(hosts, f"127.0.0.1:{self.port}")

    def arrivals(self) -> Arrivals:
        _, body = asyncio.run(fetch(self.port, get("sink.example", "/-/arrivals")))
        return Arrivals(**json.loads(body))

    def forget(self) -> None:
        asyncio.run(fetch(self.port, get("sink.example", "/-/forget")))

    def signed(
        self, method: str, host: str, path: str, actor: str, body: bytes | None
    ) -> dict[str, str]:
        """The headers of an honest request by one of its actors (draft-cavage-12)."""
        given = {"host": host, "date": format_datetime(datetime.now(UTC), usegmt=True)}
        if body is not None:
            given["digest"] = f"SHA-256={_digest(body)}"
        lines = {"(request-target)": f"{method.lower()} {path}"} | given
        text = "\n".join(f"{name}: {value}" for name, value in lines.items()).encode()
        signature = base64.b64encode(self._key.sign(text, _PKCS, _SHA)).decode()
        del given["host"]
        value = (
            f'keyId="{actor}#main-key",algorithm="rsa-sha256",'
            f'headers="{" ".join(lines)}",signature="{signature}"'
        )
        return given | {"signature": value}

    def stop(self) -> None:
        self.program.stop()


def _digest(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def holds(request: str, keys: dict[str, rsa.RSAPublicKey]) -> bool:
    """Whether a delivery that arrived is really signed, its body included (draft-cavage-12)."""
    whole = request.encode("latin-1")
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): v.strip() for name, _, v in (line.partition(":") for line in rest)}
    method, path, _ = first.split(" ")
    said = dict(_PARAMETER.findall(headers.get("signature", "")))
    key = keys.get(said.get("keyId", ""))
    if key is None or headers.get("digest") != f"SHA-256={_digest(body)}":
        return False
    covered = said["headers"].split()
    if not {"(request-target)", "host", "date", "digest"} <= set(covered):
        return False
    target = f"{method.lower()} {path}"
    text = "\n".join(
        f"{name}: {target if name == '(request-target)' else headers[name]}" for name in covered
    )
    try:
        key.verify(base64.b64decode(said["signature"]), text.encode("latin-1"), _PKCS, _SHA)
    except InvalidSignature:
        return False
    return True
