# SPDX-License-Identifier: Apache-2.0
"""Integrity proofs are made and checked as FEP-8b32 says."""

import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bovine.crypto.multibase import multibase_58btc_encode, multibase_decode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey, VerificationKey
from federation.signatures.proofs import add_proof, canonical_hash, check_proof, proof_method
from federation.vocabulary.terms import ANNOUNCE_CONTEXT
from tests.federation.signatures.material import KEY_ID, NOW, crypto_fixture

pytestmark = pytest.mark.fep("8b32")

# The key pair of the W3C data integrity vectors and of FEP-8b32's own.
_PRIVATE = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
_PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
_KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(multibase_decode(_PRIVATE)[2:]))
_LIKE = {
    "@context": "https://www.w3.org/ns/activitystreams",
    "id": "https://lakeside.example.gov/u/ana#like-1-1",
    "type": "Like",
    "actor": "https://lakeside.example.gov/u/ana",
    "object": {"id": "https://riverton.example.gov/p/1", "number": 12.6, "list": [1, None, True]},
}


def _fep_documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """The unsigned and the signed document of the FEP's first scenario."""
    text = "\n".join(crypto_fixture("fep-8b32_feature.json")["gherkin"])
    blocks = text.split('"""')
    return json.loads(blocks[1]), json.loads(blocks[3])


def _refused(document: dict[str, Any], now: datetime = NOW) -> str:
    with pytest.raises(SignatureRefused) as caught:
        check_proof(document, _KEY.public, now=now)
    assert caught.value.status == 401
    return str(caught.value)


def _signed(**extra: Any) -> dict[str, Any]:
    return add_proof(_LIKE | extra, key=_KEY, method=KEY_ID, created=NOW)


def _remade(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with its proof changed and signed again by hand; None removes a member."""
    config = {**document["proof"], **changes, "proofValue": None}
    config = {name: value for name, value in config.items() if value is not None}
    rest = {name: value for name, value in document.items() if name != "proof"}
    # Sorted keys without blanks are canonical for documents as plain as these.
    parts = [json.dumps(part, sort_keys=True, separators=(",", ":")) for part in (config, rest)]
    data = b"".join(hashlib.sha256(part.encode()).digest() for part in parts)
    value = multibase_58btc_encode(_KEY.sign(data))
    return rest | {"proof": config | {"proofValue": value}}


def test_the_document_of_fep_8b32_gets_exactly_its_proof() -> None:
    unsigned, signed = _fep_documents()
    made = add_proof(
        unsigned,
        key=_KEY,
        method=signed["proof"]["verificationMethod"],
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
    )
    assert made == signed


def test_the_signed_document_of_fep_8b32_is_believed() -> None:
    _, signed = _fep_documents()
    assert proof_method(signed) == "https://server.example/users/alice#ed25519-key"
    check_proof(signed, VerificationKey.from_multikey(_PUBLIC), now=NOW)


def test_the_signed_credential_of_the_w3c_is_believed() -> None:
    signed = crypto_fixture("w3c_eddsa-jcs-2022_signedJCS.json")
    pair = crypto_fixture("w3c_keyPair.json")
    check_proof(signed, VerificationKey.from_multikey(pair["publicKeyMultibase"]), now=NOW)
    with pytest.raises(SignatureRefused):
        check_proof(signed, SigningKey.generate_ed25519().public, now=NOW)


def test_a_proof_we_make_is_believed_and_leaves_the_original_alone() -> None:
    before = copy.deepcopy(_LIKE)
    signed = _signed()
    check_proof(signed, _KEY.public, now=NOW)
    assert before == _LIKE
    assert proof_method(signed) == KEY_ID
    assert signed["@context"] == [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v2",
    ]
    assert signed["proof"]["created"] == "2026-03-02T12:00:00Z"


def test_a_document_with_a_proof_is_signed_anew() -> None:
    edited = add_proof(_signed() | {"type": "Dislike"}, key=_KEY, method=KEY_ID, created=NOW)
    check_proof(edited, _KEY.public, now=NOW)
    assert edited["@context"] == _signed()["@context"]


def test_a_proof_survives_being_written_as_json_in_another_order() -> None:
    text = json.dumps(_signed(content="Grüße 👋 \u2028", summary="a/b"), sort_keys=True, indent=2)
    check_proof(json.loads(text), _KEY.public, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Undo"},
        {"actor": "https://lakeside.example.gov/u/bea"},
        {"object": {**_LIKE["object"], "number": 12.7}},  # type: ignore[dict-item]
        {"extra": None},
        {"@context": ["https://evil.example/ns", *_signed()["@context"]]},
        {"@context": "https://www.w3.org/ns/activitystreams"},
    ],
)
def test_SIG_02_a_document_changed_after_signing_is_refused(change: dict[str, Any]) -> None:
    _refused(_signed() | change)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verificationMethod", "https://lakeside.example.gov/u/bea#key"),
        ("created", "2026-03-02T12:00:01Z"),
        ("expires", "2027-03-02T12:00:01Z"),
        ("nonce", "1"),
        ("proofValue", "z" + "1" * 64),
        ("proofValue", "z0OIl"),
        ("proofValue", "zü"),
        ("proofValue", "z"),
        ("proofValue", "z" + "2" * 5000),
        ("proofValue", "uAAAA"),
        ("proofValue", 1),
    ],
)
def test_SIG_02_a_proof_changed_after_signing_is_refused(name: str, value: object) -> None:
    signed = _signed()
    _refused(signed | {"proof": signed["proof"] | {name: value}})


@pytest.mark.parametrize(
    "changes",
    [
        {"created": "2026-03-02T12:00:00.000Z"},
        {"created": "2026-03-02T13:00:00+01:00"},
        {"created": None},
        {"expires": "2026-03-02T12:00:00Z"},
        {"@context": None},
        {"@context": "https://www.w3.org/ns/activitystreams"},
        {"nonce": "surprise"},
    ],
)
def test_a_proof_is_checked_as_it_was_written(changes: dict[str, Any]) -> None:
    document = _signed()
    if changes.get("@context"):
        # The proof's context replaces the document's before hashing.
        leading = _remade(document | {"@context": changes["@context"]}, **changes)
        document = leading | {"@context": document["@context"]}
    else:
        document = _remade(document, **changes)
    check_proof(document, _KEY.public, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"proofPurpose": "authentication"},
        {"proofPurpose": None},
        {"type": "Ed25519Signature2020"},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"expires": "2026-03-02T11:59:59Z"},
        {"expires": "soon"},
        {"expires": 5},
        {"created": "2026-03-02T13:00:01Z"},
        {"created": "2026-03-02T12:00:00"},
        {"@context": ["https://w3id.org/security/data-integrity/v2"]},
    ],
)
def test_a_proof_rightly_signed_that_breaks_a_rule_is_refused(changes: dict[str, Any]) -> None:
    _refused(_remade(_signed(), **changes))


def test_SIG_08_a_proof_expires_on_time() -> None:
    document = _remade(_signed(), expires="2026-03-02T12:30:00Z")
    check_proof(document, _KEY.public, now=NOW + timedelta(minutes=30))
    assert "expired" in _refused(document, NOW + timedelta(minutes=31))


def test_of_several_proofs_the_first_of_our_suite_counts() -> None:
    signed = _signed()
    other = {"type": "DataIntegrityProof", "cryptosuite": "mldsa44-jcs-2024", "proofValue": "zA"}
    several = signed | {"proof": ["noise", other, signed["proof"]]}
    check_proof(several, _KEY.public, now=NOW)
    assert proof_method(several) == KEY_ID
    wrong = signed["proof"] | {"proofValue": "z" + "1" * 64}
    _refused(signed | {"proof": [wrong, signed["proof"]]})


@pytest.mark.parametrize("proof", [None, [], {}, "x", 5, [None], {"type": "DataIntegrityProof"}])
def test_a_document_without_a_proof_of_ours_names_no_method(proof: object) -> None:
    document = _LIKE | {"proof": proof}
    assert proof_method(document) is None
    assert proof_method(_LIKE) is None
    assert "no eddsa-jcs-2022 proof" in _refused(document)


def test_a_proof_needs_an_ed25519_key(keys: dict[str, SigningKey]) -> None:
    with pytest.raises(ValueError, match="Ed25519"):
        add_proof(_LIKE, key=keys["rsa"], method=KEY_ID, created=NOW)
    with pytest.raises(SignatureRefused, match="fit the key"):
        check_proof(_signed(), keys["rsa"].public, now=NOW)


def _nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53 + 1,
        -(2**53) - 1,
        10**400,
        "\ud800",
        {1: 2},
        b"",
        _nested(5000),
    ],
    ids=["nan", "infinity", "large", "small", "huge", "surrogate", "key", "bytes", "depth"],
)
def test_what_canonical_json_cannot_express_is_neither_signed_nor_believed(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        _signed(extra=value)
    assert "canonical" in _refused(_signed() | {"extra": value})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e15, 1e15),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


_ASCII = st.text(st.characters(max_codepoint=127), max_size=8)
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ASCII, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(_ASCII, _PLAIN, max_size=5))
def test_the_quick_writer_makes_the_bytes_of_the_canonical_one(document: dict[str, Any]) -> None:
    assert canonical_hash(document, is_plain=True) == canonical_hash(document, is_plain=False)


def test_every_character_of_a_document_is_written_as_canonical_json_has_it() -> None:
    """Whatever may be escaped in JSON: controls, marks, and what lies beyond the first plane."""
    letters = [*map(chr, range(0xD800)), *map(chr, range(0xE000, 0x11000)), chr(0x10FFFF)]
    document = {"content": "".join(letters), "".join(map(chr, range(128))): [0, -0, 2**53]}
    assert canonical_hash(document, is_plain=True) == canonical_hash(document, is_plain=False)


@pytest.mark.parametrize(
    "document",
    [
        {"fraction": 1e21, "small": 1e-7},
        {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3},
        {"half": "\ud83d"},
    ],
)
def test_what_the_quick_writer_has_otherwise_is_left_to_the_canonical_one(
    keys: dict[str, SigningKey], document: dict[str, Any]
) -> None:
    key = keys["ed25519"]
    try:
        canonical_hash(document, is_plain=False)
    except ValueError:
        with pytest.raises(ValueError, match="surrogates"):
            add_proof(document, key=key, method=KEY_ID, created=NOW)
        return
    signed = add_proof(document, key=key, method=KEY_ID, created=NOW)
    parts = ({k: v for k, v in signed["proof"].items() if k != "proofValue"}, signed)
    said = b"".join(
        canonical_hash({k: v for k, v in part.items() if k != "proof"}, is_plain=False)
        for part in parts
    )
    assert multibase_58btc_encode(key.sign(said)) == signed["proof"]["proofValue"]


@given(st.dictionaries(st.text(), _JSON, max_size=5))
def test_any_document_is_believed_after_a_journey_as_json(
    document: dict[str, Any],
) -> None:
    signed = add_proof(document, key=_KEY, method=KEY_ID, created=NOW)
    check_proof(json.loads(json.dumps(signed)), _KEY.public, now=NOW)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "@context",
                "created",
                "expires",
                "proofPurpose",
                "verificationMethod",
                "proofValue",
                "cryptosuite",
                "type",
            ]
        ),
        _JSON | st.sampled_from(["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"]),
        min_size=1,
    )
)
def test_no_proof_makes_checking_fail_in_another_way(changes: dict[str, Any]) -> None:
    signed = _signed()
    proof = signed["proof"] | changes
    if proof == signed["proof"]:
        return
    _refused(signed | {"proof": proof})
    proof_method(signed | {"proof": proof})


def test_a_context_that_says_what_a_proof_is_stays_as_it_is() -> None:
    """What embeds words of others must protect no term: theirs may be of another version."""
    document = {"@context": ANNOUNCE_CONTEXT, "id": "https://a.example/f/water#a-1"}
    proven = add_proof(document, key=_KEY, method=KEY_ID, created=NOW)
    assert proven["@context"] == ANNOUNCE_CONTEXT
    check_proof(proven, _KEY.public, now=NOW)
