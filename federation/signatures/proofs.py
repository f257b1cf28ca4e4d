# SPDX-License-Identifier: Apache-2.0
"""Integrity proofs that travel inside a document."""

import hashlib
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from bovine.crypto.helper import jcs_sha256
from bovine.crypto.multibase import multibase_58btc_encode, multibase_decode

from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey, VerificationKey

_ACTIVITYSTREAMS = "https://www.w3.org/ns/activitystreams"
_DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
_SUITE = "eddsa-jcs-2022"
_TOLERANCE = timedelta(hours=1)
_LARGEST_INTEGER = 2**53
_LONGEST_VALUE = 128


def add_proof(
    document: Mapping[str, Any], *, key: SigningKey, method: str, created: datetime
) -> dict[str, Any]:
    """A copy of `document` with an eddsa-jcs-2022 proof (FEP-8b32); an older proof is replaced.

    The context of data integrity is added where the document's own does not say what a proof is,
    so nothing may be changed after. `method` is the key's URL, `created` is aware. ValueError if
    `key` is not Ed25519 or the document holds what canonical JSON cannot express.
    """
    if key.kind != "ed25519":
        raise ValueError("An integrity proof needs an Ed25519 key.")
    signed = {name: value for name, value in document.items() if name != "proof"}
    signed["@context"] = context = _with_data_integrity(signed.get("@context"))
    config = {
        "@context": context,
        "type": "DataIntegrityProof",
        "cryptosuite": _SUITE,
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    value = multibase_58btc_encode(key.sign(_hash(config, signed)))
    return signed | {"proof": config | {"proofValue": value}}


def proof_method(document: Mapping[str, Any]) -> str | None:
    """The verification method a document's proof names; None without a proof we can check."""
    proof = _proof(document)
    method = proof.get("verificationMethod") if proof else None
    return method if isinstance(method, str) else None


def check_proof(document: Mapping[str, Any], key: VerificationKey, *, now: datetime) -> None:
    """Verify a document's eddsa-jcs-2022 proof; SignatureRefused (401) unless it holds.

    Of several proofs the first of this suite counts. Whether `key` is the one that the proof
    names, and whether its owner may speak for the document, is for the caller to decide.
    """
    proof = _proof(document)
    if proof is None:
        raise SignatureRefused("The document has no eddsa-jcs-2022 proof.")
    if proof.get("proofPurpose") != "assertionMethod":
        raise SignatureRefused("The proof was not made as an assertion.")
    if key.kind != "ed25519":
        raise SignatureRefused("The proof's suite does not fit the key.")
    _must_be_timely(proof, now)
    signature = _signature(proof)
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    signed = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in config:
        leading, whole = _listed(config["@context"]), _listed(signed.get("@context", []))
        if whole[: len(leading)] != leading:
            raise SignatureRefused("The proof's context is not the document's.")
        signed["@context"] = config["@context"]
    try:
        data = _hash(config, signed)
    except ValueError as error:
        raise SignatureRefused("The document has no canonical form.") from error
    if not key.verify(signature, data):
        raise SignatureRefused("The proof is not valid for this document.")


def _proof(document: Mapping[str, Any]) -> dict[str, Any] | None:
    for proof in _listed(document.get("proof", [])):
        if (
            isinstance(proof, dict)
            and proof.get("type") == "DataIntegrityProof"
            and proof.get("cryptosuite") == _SUITE
        ):
            return proof
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _with_data_integrity(context: Any) -> list[Any]:
    entries = [_ACTIVITYSTREAMS] if context is None else list(_listed(context))
    if any(isinstance(entry, dict) and "DataIntegrityProof" in entry for entry in entries):
        return entries
    return entries if _DATA_INTEGRITY in entries else [*entries, _DATA_INTEGRITY]


def _must_be_timely(proof: Mapping[str, Any], now: datetime) -> None:
    created, expires = _moment(proof, "created"), _moment(proof, "expires")
    if created is not None and created > now + _TOLERANCE:
        raise SignatureRefused("The proof was created in the future.")
    if expires is not None and expires < now:
        raise SignatureRefused("The proof has expired.")


def _moment(proof: Mapping[str, Any], name: str) -> datetime | None:
    if name not in proof:
        return None
    try:
        moment = datetime.fromisoformat(proof[name])
    except (TypeError, ValueError) as error:
        raise SignatureRefused(f"The proof's {name} cannot be read.") from error
    if moment.tzinfo is None:
        raise SignatureRefused(f"The proof's {name} has no time zone.")
    return moment


def _signature(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > _LONGEST_VALUE:
        raise SignatureRefused("The proof's value cannot be read.")
    try:
        return multibase_decode(value)
    except ValueError as error:
        raise SignatureRefused("The proof's value cannot be read.") from error


def _hash(config: dict[str, Any], document: dict[str, Any]) -> bytes:
    """The 64 bytes that are signed (vc-di-eddsa, 3.3.4); ValueError without a canonical form."""
    is_plain = _is_plain([config, document])
    try:
        return b"".join(canonical_hash(part, is_plain=is_plain) for part in (config, document))
    except RecursionError as error:
        raise ValueError("The document is nested too deeply.") from error


def canonical_hash(document: dict[str, Any], *, is_plain: bool) -> bytes:
    """SHA-256 of the canonical form (RFC 8785) of a document that has one.

    Of one that `is_plain` the general writer of JSON makes the same bytes, in a twentieth of the
    time that the canonical one takes.
    """
    if is_plain:
        # Nested deeper than it goes, or half a character: the other tells what that is.
        with suppress(orjson.JSONEncodeError):
            return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()
    return jcs_sha256(document)


def _is_plain(root: Any) -> bool:
    """Whether nothing in it is written in another way by canonical JSON than by any.

    That goes for fractions, and for the order of names that are not ASCII. ValueError without a
    canonical form: it knows doubles only (RFC 8785), so larger integers would lose digits, and
    two different documents would share one signature.
    """
    waiting, is_plain = [root], True
    while waiting:
        match waiting.pop():
            case bool() | str() | None:
                pass
            case int() as number if abs(number) <= _LARGEST_INTEGER:
                pass
            case float() as number if math.isfinite(number):
                is_plain = False
            case list() as members:
                waiting.extend(members)
            case dict() as members if all(isinstance(name, str) for name in members):
                is_plain = is_plain and all(map(str.isascii, members))
                waiting.extend(members.values())
            case other:
                raise ValueError(f"{type(other).__name__} has no canonical form.")
    return is_plain
