# SPDX-License-Identifier: Apache-2.0
"""Headers that sign an outgoing request."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from federation.signatures import rfc9421
from federation.signatures.digests import content_digest_header, digest_header
from federation.signatures.draft import encoded
from federation.signatures.keys import SigningKey

_ACTIVITY = "application/activity+json"
# What says something of the sender by itself (FEP-8fcf).
COVERED = frozenset({"collection-synchronization"})
_LABEL = "sig1"
_NONE: Mapping[str, str] = MappingProxyType({})


# As many as one activity goes to where many follow.
@lru_cache(maxsize=16_384)
def _split(url: str) -> tuple[str, str]:
    """The host, with its port where one is named, and what is asked for there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise ValueError("Only http and https URLs without credentials can be signed.")
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        raise ValueError("Only percent-encoded URLs can be signed.")
    return parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _content_type(extra: Mapping[str, str]) -> str:
    return next((v for name, v in extra.items() if name.lower() == "content-type"), _ACTIVITY)


# Said again and again while one activity goes to many.
@lru_cache(maxsize=8)
def _date(now: datetime) -> tuple[str, str]:
    return "Date", format_datetime(now.replace(microsecond=0).astimezone(UTC), usegmt=True)


@lru_cache(maxsize=64)
def _frame(
    headers: tuple[tuple[str, str], ...], covered: tuple[str, ...], kind: str, key_id: str
) -> tuple[str, str]:
    """What is signed behind the host, and what stands before a signature.

    The same for everybody whom one activity goes to: `headers` are those that do not change from
    one to the next, `covered` the names of those that do.
    """
    names = [name.lower() for name, _ in headers]
    listed = " ".join(("(request-target)", "host", *names, *(name.lower() for name in covered)))
    algorithm = "rsa-sha256" if kind == "rsa" else "hs2019"
    said = "".join(f"\n{name}: {value}" for name, (_, value) in zip(names, headers, strict=True))
    return said, f'keyId="{key_id}",algorithm="{algorithm}",headers="{listed}",signature="'


class Prepared(NamedTuple):
    """A request ready to be signed: `message` is what the key signs.

    Signing is the slow part (253 us with RSA-2048) and may be done in a thread.
    """

    key: SigningKey
    message: bytes
    headers: Mapping[str, str]
    before: str
    after: str

    def with_signature(self, signature: bytes) -> dict[str, str]:
        """The headers to send."""
        value = f"{self.before}{base64.b64encode(signature).decode()}{self.after}"
        return {**self.headers, "Signature": value}

    def signed(self) -> dict[str, str]:
        """The headers to send, signed here and now."""
        return self.with_signature(self.key.sign(self.message))


def _covered(extra: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in extra.items() if name.lower() in COVERED}


def _with(extra: Mapping[str, str], headers: dict[str, str]) -> dict[str, str]:
    if extra.keys() <= headers.keys():
        return headers
    taken = {"signature", *(name.lower() for name in headers)}
    return {name: v for name, v in extra.items() if name.lower() not in taken} | headers


def prepare_draft(
    *,
    method: str,
    url: str,
    body: bytes | None,
    key: SigningKey,
    key_id: str,
    now: datetime,
    extra: Mapping[str, str] | None = None,
) -> Prepared:
    """A request to be signed after draft-cavage: Host, Date, Signature, and with a body
    Digest and Content-Type.

    `now` is aware. `extra` is sent along, signed where it is one of COVERED and else unsigned; a
    Content-Type in it replaces the usual `application/activity+json` and is signed. ValueError
    for a URL that cannot be signed.
    """
    host, target = _split(url)
    if not extra:
        extra = covered = _NONE
    else:
        covered = _covered(extra)
    date = _date(now)
    same = (date,) if body is None else (date, *_about(body, extra))
    said, before = _frame(same, tuple(covered), key.kind, key_id)
    text = f"(request-target): {method.lower()} {target}\nhost: {host}{said}"
    for name, value in covered.items():
        text += f"\n{name.lower()}: {value}"
    headers = {"Host": host, **dict(same), **covered}
    return Prepared(key, encoded(text), _with(extra, headers), before, '"')


def _about(body: bytes, extra: Mapping[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    kind = _content_type(extra) if extra else _ACTIVITY
    return ("Digest", digest_header(body)), ("Content-Type", kind)


def prepare_rfc9421(
    *,
    method: str,
    url: str,
    body: bytes | None,
    key: SigningKey,
    key_id: str,
    now: datetime,
    extra: Mapping[str, str] | None = None,
) -> Prepared:
    """A request to be signed after RFC 9421: Host, Signature-Input, Signature, and with a
    body Content-Digest and Content-Type.

    Covered are the method, the target URI and the digest, which is what Mastodon 4.7 signs.
    `now` is aware; `extra` is sent along, signed where it is one of COVERED. ValueError for a URL
    that cannot be signed.
    """
    (host, target), extra = _split(url), extra or {}
    headers = {"Host": host}
    if body is not None:
        headers |= {
            "Content-Digest": content_digest_header(body),
            "Content-Type": _content_type(extra),
        }
    covered = _covered(extra)
    headers |= covered
    prepared = rfc9421.prepare(
        (method, f"{url.partition('://')[0].lower()}://{host}{target}", headers),
        kind=key.kind,
        key_id=key_id,
        created=now,
        also=[name.lower() for name in covered],
    )
    headers["Signature-Input"] = f"{_LABEL}={prepared.input}"
    return Prepared(key, prepared.base, _with(extra, headers), f"{_LABEL}=:", ":")


def sign_draft(**request: Any) -> dict[str, str]:
    """The headers to send, signed after draft-cavage; takes what `prepare_draft` takes."""
    return prepare_draft(**request).signed()


def sign_rfc9421(**request: Any) -> dict[str, str]:
    """The headers to send, signed after RFC 9421; takes what `prepare_rfc9421` takes."""
    return prepare_rfc9421(**request).signed()
