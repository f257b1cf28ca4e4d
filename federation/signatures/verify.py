# SPDX-License-Identifier: Apache-2.0
"""What a signed request claims, and whether it is true."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from federation.signatures import draft, rfc9421
from federation.signatures.digests import must_match_body
from federation.signatures.errors import SignatureRefused, malformed
from federation.signatures.keys import KeyKind, VerificationKey
from federation.signatures.request import Request

Scheme = Literal["draft", "rfc9421"]

_DRAFT_ALGORITHMS: dict[str | None, tuple[KeyKind, ...]] = {
    None: ("rsa", "ed25519"),
    "hs2019": ("rsa", "ed25519"),
    "rsa-sha256": ("rsa",),
    "ed25519": ("ed25519",),
}
_RFC9421_ALGORITHMS: dict[str | None, tuple[KeyKind, ...]] = {
    None: ("rsa", "ed25519"),
    "rsa-v1_5-sha256": ("rsa",),
    "ed25519": ("ed25519",),
}
_NETLOC = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)"
)
# Headers of which a second copy would leave open which one was meant.
_STAND_ONCE = (
    "signature",
    "signature-input",
    "authorization",
    "date",
    "digest",
    "content-digest",
    "content-type",
    "content-length",
)


# Not frozen, which would make each four times as slow to build; nobody changes one.
@dataclass(slots=True)
class Claim:
    """A request's signature that meets every rule but is not yet verified.

    `key_id` is an http(s) URL and whatever the sender wrote; `digest` is the SHA-256, in hex, of
    the signature itself, the same for an exact replay; `covered` are the names of what it signs.
    """

    key_id: str
    scheme: Scheme
    algorithm: str | None
    digest: str
    covered: tuple[str, ...]
    _kinds: tuple[KeyKind, ...] = field(repr=False)
    _signature: bytes = field(repr=False)
    _signed: tuple[bytes, ...] = field(repr=False)


@dataclass(slots=True)
class _Times:
    """The clock and its tolerance, in seconds since 1970 and seconds."""

    now: float
    window: float

    def must_be_near(self, moment: float, name: str) -> None:
        if abs(moment - self.now) > self.window:
            raise SignatureRefused(f"The signature's {name} is too far from this server's clock.")

    def must_not_be_past(self, moment: float) -> None:
        if moment < self.now:
            raise SignatureRefused("The signature has expired.")


@lru_cache(maxsize=1024)
def _host_of(key_id: str) -> str | None:
    """The host and port of a key id, lower case; None unless it is an http(s) URL."""
    if not re.fullmatch(r"[\x21-\x7e]+", key_id):
        return None
    try:
        parts = urlsplit(key_id)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _NETLOC.fullmatch(parts.netloc):
        return None
    return parts.netloc.lower()


def _claimed_keys(request: Request) -> list[str]:
    if request.single("signature-input") is not None:
        return [signature.key_id for signature in rfc9421.parse(request)]
    return [draft.of(request).key_id]


def claimed_host(request: Request) -> str:
    """The host (with its port, lower case) of the key the request claims to be signed with.

    Nothing else is checked, so that peer policy can come first. SignatureRefused 401 when there
    is no signature, 400 when it cannot be read.
    """
    if request.claimed is not None:
        return request.claimed
    for key_id in _claimed_keys(request):
        if host := _host_of(key_id):
            request.claimed = host
            return host
    raise malformed("The signature's key id is not an http or https URL.")


def read_claim(
    request: Request,
    *,
    now: datetime,
    own_hosts: Collection[str],
    window: timedelta = timedelta(hours=1),
) -> Claim:
    """Apply every rule that needs no key; SignatureRefused (400 or 401) if one is broken.

    `own_hosts` are the values of Host we answer to, with their ports. Accepted are draft-cavage
    and RFC 9421 (which counts if both are there); of several RFC 9421 signatures the first that
    meets the rules and claims the host that `claimed_host` names.
    """
    request.must_be_readable()
    if not request.is_unambiguous:
        for name in _STAND_ONCE:
            request.single(name)
    host = request.host.lower()
    if host not in own_hosts and host not in {own.lower() for own in own_hosts}:
        raise SignatureRefused("The request is addressed to another host.")
    host = claimed_host(request)
    must_match_body(request)
    times = _Times(now.timestamp(), window.total_seconds())
    if request.single("signature-input") is None:
        return _draft_claim(request, times)
    refused: SignatureRefused | None = None
    for signature in rfc9421.parse(request):
        if _host_of(signature.key_id) != host:
            continue
        try:
            return _rfc9421_claim(request, signature, times)
        except SignatureRefused as error:
            refused = refused or error
    raise refused or SignatureRefused("The request is not signed.")


def check(claim: Claim, key: VerificationKey) -> None:
    """Verify a claim with the key it names; SignatureRefused (401) if it is false."""
    if key.kind not in claim._kinds:
        raise SignatureRefused("The signature's algorithm does not fit the key.")
    for signed in claim._signed:
        if key.verify(claim._signature, signed):
            return
    raise SignatureRefused("The signature is not valid for this request.")


def _needs_digest(request: Request) -> bool:
    return bool(request.body) or request.method.upper() not in ("GET", "HEAD")


def _must_cover(covered: Collection[str], *names: str) -> None:
    """At least one of `names` must be signed."""
    for name in names:
        if name in covered:
            return
    raise SignatureRefused(f"The signature must cover {' or '.join(names)}.")


# What an actor's software covers is the same in all it sends; a refusal is not kept.
@lru_cache(maxsize=256)
def _draft_must_cover(covered: tuple[str, ...], *, with_digest: bool) -> None:
    _must_cover(covered, "(request-target)")
    _must_cover(covered, "host")
    _must_cover(covered, "date", "(created)")
    if with_digest:
        _must_cover(covered, "digest", "content-digest")


@lru_cache(maxsize=64)
def _http_date(value: str) -> float:
    """Seconds since 1970 of an HTTP date (RFC 9110, 5.6.7); independent of the locale."""
    match = _HTTP_DATE.fullmatch(value)
    if match is None or match[2] not in _MONTHS:
        raise malformed("The Date header cannot be read.")
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        moment = datetime(
            year, _MONTHS.index(match[2]) + 1, day, hour, minute, min(second, 59), tzinfo=UTC
        )
    except ValueError as error:
        raise malformed("The Date header cannot be read.") from error
    return moment.timestamp()


def _draft_claim(request: Request, times: _Times) -> Claim:
    signature = draft.of(request)
    if signature.algorithm not in _DRAFT_ALGORITHMS:
        raise SignatureRefused("The signature's algorithm is not accepted here.")
    _draft_must_cover(signature.covered, with_digest=_needs_digest(request))
    signed = draft.signed_strings(request, signature)
    if "date" in signature.covered:
        times.must_be_near(_http_date(request.single("date") or ""), "Date")
    if signature.created is not None:
        times.must_be_near(float(signature.created), "creation time")
    if signature.expires is not None:
        times.must_not_be_past(float(signature.expires))
    return Claim(
        key_id=signature.key_id,
        scheme="draft",
        algorithm=signature.algorithm,
        digest=hashlib.sha256(signature.signature).hexdigest(),
        covered=signature.covered,
        _kinds=_DRAFT_ALGORITHMS[signature.algorithm],
        _signature=signature.signature,
        _signed=signed,
    )


def _rfc9421_claim(request: Request, signature: rfc9421.MessageSignature, times: _Times) -> Claim:
    if signature.algorithm not in _RFC9421_ALGORITHMS:
        raise SignatureRefused("The signature's algorithm is not accepted here.")
    covered = signature.covered
    _must_cover(covered, "@method")
    if "@target-uri" not in covered:
        _must_cover(covered, "@authority")
        _must_cover(covered, "@path")
        if "?" in request.target:
            _must_cover(covered, "@query")
    if _needs_digest(request):
        _must_cover(covered, "content-digest")
    if signature.created is None:
        raise SignatureRefused("The signature must say when it was created.")
    times.must_be_near(signature.created, "creation time")
    if signature.expires is not None:
        times.must_not_be_past(signature.expires)
    return Claim(
        key_id=signature.key_id,
        scheme="rfc9421",
        algorithm=signature.algorithm,
        digest=hashlib.sha256(signature.signature).hexdigest(),
        covered=tuple(signature.covered),
        _kinds=_RFC9421_ALGORITHMS[signature.algorithm],
        _signature=signature.signature,
        _signed=(rfc9421.signature_base(request, signature),),
    )
