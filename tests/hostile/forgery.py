# SPDX-License-Identifier: Apache-2.0
"""Signatures made by hand, right or wrong in any one way."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from federation.signatures.keys import SigningKey


def http_date(moment: datetime) -> str:
    """The value of a Date header."""
    return format_datetime(moment, usegmt=True)


def digest(body: bytes) -> str:
    """The value of a Digest header."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def signed(
    key: SigningKey,
    key_id: str,
    lines: Sequence[tuple[str, str]],
    *,
    algorithm: str = "rsa-sha256",
    times: str = "",
) -> dict[str, str]:
    """Headers whose draft signature covers exactly these lines, in this order.

    Pseudo-headers (in parentheses) are signed and not sent; `times` are further parameters.
    """
    text = "\n".join(f"{name}: {value}" for name, value in lines).encode()
    value = base64.b64encode(key.sign(text)).decode()
    names = " ".join(name for name, _ in lines)
    sent = {name: value for name, value in lines if not name.startswith("(")}
    parameters = f'keyId="{key_id}",algorithm="{algorithm}",headers="{names}"{times}'
    return sent | {"signature": f'{parameters},signature="{value}"'}
