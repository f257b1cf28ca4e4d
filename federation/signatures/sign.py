# SPDX-License-Identifier: Apache-2.0
"""Headers that sign an outgoing request."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import SplitResult, urlsplit

from federation.signatures import rfc9421
from federation.signatures.digests import content_digest_header, digest_header
from federation.signatures.draft import signing_string
from federation.signatures.keys import SigningKey

_ACTIVITY = "application/activity+json"
_LABEL = "sig1"


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise ValueError("Only http and https URLs without credentials can be signed.")
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        raise ValueError("Only percent-encoded URLs can be signed.")
    return parts


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _content_type(extra: Mapping[str, str]) -> str:
    return next((v for name, v in extra.items() if name.lower() == "content-type"), _ACTIVITY)


def _with(extra: Mapping[str, str], headers: dict[str, str]) -> dict[str, str]:
    taken = {name.lower() for name in headers}
    return {name: v for name, v in extra.items() if name.lower() not in taken} | headers


def sign_draft(
    *,
    method: str,
    url: str,
    body: bytes | None,
    key: SigningKey,
    key_id: str,
    now: datetime,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers to send, signed after draft-cavage: Host, Date, Signature, and with a body
    Digest and Content-Type.

    `now` is aware. `extra` is sent along unsigned; a Content-Type in it replaces the usual
    `application/activity+json` and is signed. ValueError for a URL that cannot be signed.
    """
    parts, extra = _split(url), extra or {}
    headers = {
        "Host": parts.netloc,
        "Date": format_datetime(now.astimezone(UTC), usegmt=True),
    }
    if body is not None:
        headers |= {"Digest": digest_header(body), "Content-Type": _content_type(extra)}
    lines = [("(request-target)", f"{method.lower()} {_target(parts)}")]
    lines += [(name.lower(), value) for name, value in headers.items()]
    signature = base64.b64encode(key.sign(signing_string(lines))).decode()
    headers["Signature"] = ",".join(
        (
            f'keyId="{key_id}"',
            f'algorithm="{"rsa-sha256" if key.kind == "rsa" else "hs2019"}"',
            f'headers="{" ".join(name for name, _ in lines)}"',
            f'signature="{signature}"',
        )
    )
    return _with(extra, headers)


def sign_rfc9421(
    *,
    method: str,
    url: str,
    body: bytes | None,
    key: SigningKey,
    key_id: str,
    now: datetime,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers to send, signed after RFC 9421: Host, Signature-Input, Signature, and with a
    body Content-Digest and Content-Type.

    Covered are the method, the target URI and the digest, which is what Mastodon 4.7 signs.
    `now` is aware; `extra` is sent along unsigned. ValueError for a URL that cannot be signed.
    """
    parts, extra = _split(url), extra or {}
    headers = {"Host": parts.netloc}
    if body is not None:
        headers |= {
            "Content-Digest": content_digest_header(body),
            "Content-Type": _content_type(extra),
        }
    prepared = rfc9421.prepare(
        (method, f"{parts.scheme}://{parts.netloc}{_target(parts)}", headers),
        kind=key.kind,
        key_id=key_id,
        created=now,
    )
    signature = base64.b64encode(key.sign(prepared.base)).decode()
    headers["Signature-Input"] = f"{_LABEL}={prepared.input}"
    headers["Signature"] = f"{_LABEL}=:{signature}:"
    return _with(extra, headers)
