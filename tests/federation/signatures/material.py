# SPDX-License-Identifier: Apache-2.0
"""Public test vectors and hand-made signatures."""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey
from federation.signatures.request import Request
from federation.signatures.verify import Claim, check, read_claim

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
HOST = "commons.riverton.example.gov"
KEY_ID = "https://commons.lakeside.example.gov/u/ana#main-key"
BODY = b'{"type":"Like","object":"https://commons.riverton.example.gov/p/1"}'

_HERE = Path(__file__).resolve()


def crypto_fixture(name: str) -> Any:
    """One JSON file of the folder of vectors; skips the test where the folder is absent."""
    beside = _HERE.parents[4] / "shared" / "fixtures"
    folder = Path(os.environ.get("GUILDHALL_FIXTURES", beside)) / "crypto"
    if not (folder / name).is_file():
        pytest.skip(f"0 fixtures read: no {name}")
    print(f"1 fixture read: {name}")
    return json.loads((folder / name).read_text())


def http_date(moment: datetime) -> str:
    """A Date header's value."""
    return format_datetime(moment, usegmt=True)


def digest(body: bytes) -> str:
    """A Digest header's value, made without the code under test."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def claim_of(request: Request) -> Claim:
    """What a request claims, at our host and hour."""
    return read_claim(request, now=NOW, own_hosts={HOST})


def refusal(request: Request, key: SigningKey) -> SignatureRefused:
    """The refusal that a request meets, before or after its key is known."""
    with pytest.raises(SignatureRefused) as caught:
        check(claim_of(request), key.public)
    return caught.value


def received(
    headers: dict[str, str] | list[tuple[str, str]],
    *,
    method: str = "POST",
    target: str = "/inbox",
    body: bytes | None = BODY,
    host: str = HOST,
) -> Request:
    """A request as the server would hand it over."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    lower = tuple((name.lower(), value) for name, value in pairs if name.lower() != "host")
    return Request(method, target, host, "https", lower, body)


def by_hand(
    key: SigningKey,
    covered: str = "(request-target) host date digest",
    *,
    request_target: str = "post /inbox",
    values: dict[str, str] | None = None,
    parameters: str = "",
    algorithm: str | None = "rsa-sha256",
    body: bytes = BODY,
) -> dict[str, str]:
    """Headers with a draft-cavage signature composed here, not by the code under test.

    `values` replaces or adds what is signed and sent; `parameters` is added to the Signature
    header as it stands.
    """
    sent = {"host": HOST, "date": http_date(NOW), "digest": digest(body), **(values or {})}
    known = sent | {"(request-target)": request_target}
    text = "\n".join(f"{name}: {known[name]}" for name in covered.split())
    signature = base64.b64encode(key.sign(text.encode())).decode()
    label = f'algorithm="{algorithm}",' if algorithm else ""
    headers = {name: value for name, value in sent.items() if not name.startswith("(")}
    headers["signature"] = (
        f'keyId="{KEY_ID}",{label}{parameters}headers="{covered}",signature="{signature}"'
    )
    return headers
