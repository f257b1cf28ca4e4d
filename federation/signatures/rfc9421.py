# SPDX-License-Identifier: Apache-2.0
"""HTTP Message Signatures (RFC 9421), read and composed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import http_sf
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.algorithms import ED25519, RSA_V1_5_SHA256
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from federation.signatures.errors import SignatureRefused, malformed
from federation.signatures.keys import KeyKind
from federation.signatures.request import Request

ALGORITHMS: Mapping[KeyKind, str] = {"rsa": "rsa-v1_5-sha256", "ed25519": "ed25519"}

_MOST_LABELS = 4
_MOST_COMPONENTS = 32
_PLAIN_ALGORITHMS = frozenset({None, *ALGORITHMS.values()})
_PLAIN_FIELDS = frozenset({"content-digest", "content-type", "date", "digest"})
_PLAIN_METHOD = re.compile(r"[A-Z]{1,20}")
# A default port would be left out: what has a port of two or three digits is left to the library.
_PLAIN_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[1-9][0-9]{3,4})?")
_PLAIN_TARGET = re.compile(r"(?:/[A-Za-z0-9_~-]+)+")
_PLAIN_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_UNREADABLE = "The Signature-Input and Signature headers cannot be read."


@dataclass(frozen=True)
class MessageSignature:
    """One labelled signature of a request; times in seconds since 1970."""

    label: str
    key_id: str
    algorithm: str | None
    covered: tuple[str, ...]
    signature: bytes
    created: int | None
    expires: int | None
    input: str


@dataclass(frozen=True)
class _Message:
    method: str
    url: str
    headers: dict[str, str]


class _Recorder(HTTPSignatureAlgorithm):
    """Keeps the signature base instead of verifying, so that it can be had before the key."""

    def __init__(self, public_key: list[bytes], private_key: object = None) -> None:
        self.bases = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        self.bases.append(message)


class _Rsa(_Recorder):
    algorithm_id = "rsa-v1_5-sha256"


class _Ed25519(_Recorder):
    algorithm_id = "ed25519"


class _Bases(HTTPSignatureKeyResolver):
    def __init__(self) -> None:
        self.bases: list[bytes] = []

    def resolve_public_key(self, key_id: str) -> list[bytes]:
        return self.bases


class _Reader(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Leave times to the caller, who has the clock."""


def _dictionary(value: str) -> dict[str, Any]:
    def refuse_duplicate(key: str, context: str) -> None:
        raise malformed(_UNREADABLE)

    try:
        members = http_sf.parse(
            value.encode("ascii"), tltype="dictionary", on_duplicate_key=refuse_duplicate
        )
    except ValueError as error:
        raise malformed(_UNREADABLE) from error
    if not isinstance(members, dict) or len(members) > _MOST_LABELS:
        raise malformed(_UNREADABLE)
    return members


def _one(label: str, member: tuple[Any, dict[str, Any]], signature: object) -> MessageSignature:
    components, parameters = member
    if not isinstance(components, list) or len(components) > _MOST_COMPONENTS:
        raise malformed(_UNREADABLE)
    types = {"keyid": str, "alg": str, "nonce": str, "tag": str, "created": int, "expires": int}
    for name, value in parameters.items():
        if type(value) is not types.get(name):
            raise malformed(_UNREADABLE)
    # Parameters select a part of a component (one member, one query parameter): that is less
    # than the component, so they never count and nobody we federate with sends them.
    if not all(type(name) is str and not extra for name, extra in components):
        raise malformed(_UNREADABLE)
    if type(signature) is not bytes or "keyid" not in parameters:
        raise malformed(_UNREADABLE)
    return MessageSignature(
        label=label,
        key_id=parameters["keyid"],
        algorithm=parameters.get("alg"),
        covered=tuple(name for name, _ in components),
        signature=signature,
        created=parameters.get("created"),
        expires=parameters.get("expires"),
        input=http_sf.ser({label: member}),
    )


def parse(request: Request) -> list[MessageSignature]:
    """Read the signatures of a request; SignatureRefused (400) if none can be read.

    Four labels are the most; one that we cannot read (a proxy's, say) spoils no other.
    """
    return list(_parsed(request.single("signature-input") or "", request.single("signature") or ""))


# Headers are read once for the host they claim and again for what they cover.
@lru_cache(maxsize=128)
def _parsed(input_header: str, signature_header: str) -> tuple[MessageSignature, ...]:
    inputs, signatures = _dictionary(input_header), _dictionary(signature_header)
    if not inputs or inputs.keys() != signatures.keys():
        raise malformed(_UNREADABLE)
    readable: list[MessageSignature] = []
    refused: SignatureRefused | None = None
    for label, member in inputs.items():
        try:
            readable.append(_one(label, member, signatures[label][0]))
        except SignatureRefused as error:
            refused = refused or error
    if refused and not readable:
        raise refused
    return tuple(readable)


def signature_base(request: Request, signature: MessageSignature) -> bytes:
    """The bytes that were signed (RFC 9421, 2.5); SignatureRefused if they cannot be built."""
    return _plain_base(request, signature) or _any_base(request, signature)


def _plain_base(request: Request, signature: MessageSignature) -> bytes | None:
    """The same for what nearly everybody covers, where nothing has to be normalised; else None."""
    values = {
        "@method": request.method,
        "@target-uri": f"{request.scheme}://{request.host}{request.target}",
        "@authority": request.host,
        "@path": request.target,
    }
    plain = (
        signature.algorithm in _PLAIN_ALGORITHMS
        and len(set(signature.covered)) == len(signature.covered)
        and _PLAIN_METHOD.fullmatch(request.method)
        and _PLAIN_HOST.fullmatch(request.host)
        and _PLAIN_TARGET.fullmatch(request.target)
    )
    if not plain:
        return None
    lines = []
    for name in signature.covered:
        value = values.get(name)
        if value is None:
            found = request.lines(name) if name in _PLAIN_FIELDS else []
            if len(found) != 1 or not _PLAIN_VALUE.fullmatch(found[0]):
                return None
            value = found[0]
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {signature.input.partition("=")[2]}')
    return "\n".join(lines).encode("ascii")


def _any_base(request: Request, signature: MessageSignature) -> bytes:
    """The same by the library, for whatever can be covered."""
    headers = {
        name: ", ".join(lines)
        for name in signature.covered
        if not name.startswith("@") and (lines := request.lines(name))
    }
    headers["signature-input"] = signature.input
    headers["signature"] = http_sf.ser({signature.label: signature.signature})
    url = f"{request.scheme}://{request.host.lower()}{request.target}"
    bases = _Bases()
    reader = _Reader(
        signature_algorithm=_Ed25519 if signature.algorithm == "ed25519" else _Rsa,
        key_resolver=bases,
    )
    try:
        reader.verify(_Message(request.method.upper(), url, headers), max_age=None)
    except HTTPMessageSignaturesException as error:
        raise SignatureRefused("What the signature covers cannot be read.") from error
    return bases.bases[0]


@dataclass(frozen=True)
class Prepared:
    """A signature about to be made: what to sign, and what to say about it."""

    base: bytes
    input: str


def prepare(
    message: tuple[str, str, dict[str, str]],
    *,
    kind: KeyKind,
    key_id: str,
    created: datetime,
    also: Sequence[str] = (),
) -> Prepared:
    """What to sign for a message of method, URL and headers, as Mastodon 4.7 covers it.

    `also` are further headers to cover, in lower case. ValueError if the URL is not one that may
    stand in a request.
    """
    method, url, headers = message
    signer = HTTPMessageSigner(signature_algorithm=RSA_V1_5_SHA256 if kind == "rsa" else ED25519)
    covered = ["@method", "@target-uri"]
    if "Content-Digest" in headers:
        covered.append("content-digest")
    covered += also
    try:
        prepared = signer.prepare(
            _Message(method.upper(), url, headers),
            key_id=key_id,
            created=created,
            covered_component_ids=covered,
            use_existing_digest="Content-Digest" in headers,
        )
    except HTTPMessageSignaturesException as error:
        raise ValueError("The request cannot be signed.") from error
    return Prepared(prepared.signature_base, prepared.signature_params)
