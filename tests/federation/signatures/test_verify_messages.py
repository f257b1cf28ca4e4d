# SPDX-License-Identifier: Apache-2.0
"""RFC 9421 signatures are believed or refused."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from federation.signatures import rfc9421
from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey, VerificationKey
from federation.signatures.verify import check, claimed_host, read_claim
from tests.federation.signatures.material import (
    BODY,
    HOST,
    KEY_ID,
    NOW,
    by_hand,
    claim_of,
    crypto_fixture,
    digest,
    received,
    refusal,
)

_SECONDS = int(NOW.timestamp())
_ALL = "@method @target-uri content-digest"
_CONTENT_DIGEST = f"sha-256=:{digest(BODY).removeprefix('SHA-256=')}:"

# RFC 9421, B.1.4 and B.2.6.
_PUBLIC = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
_VECTOR_SIGNATURE = (
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
)
_VECTOR_INPUT = (
    '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
_VECTOR_HEADERS = {
    "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-length": "18",
    "signature-input": f"sig-b26={_VECTOR_INPUT}",
    "signature": f"sig-b26=:{_VECTOR_SIGNATURE}:",
}
_VECTOR = received(
    _VECTOR_HEADERS,
    target="/foo?param=Value&Pet=dog",
    body=b'{"hello": "world"}',
    host="example.com",
)


def _ed25519(public: str) -> VerificationKey:
    # The fixed first bytes are the SPKI wrapping of an Ed25519 key (RFC 8410).
    der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(public)
    body = base64.b64encode(der).decode()
    return VerificationKey.from_pem(f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----")


def _values(target: str, method: str) -> dict[str, str]:
    path, mark, query = target.partition("?")
    return {
        "@method": method,
        "@target-uri": f"https://{HOST}{target}",
        "@authority": HOST,
        "@path": path,
        "@query": "?" + query if mark else "?",
        "@scheme": "https",
        "content-digest": _CONTENT_DIGEST,
        "date": "x",
    }


def _signed(
    key: SigningKey,
    covered: str = _ALL,
    *,
    method: str = "POST",
    target: str = "/inbox",
    parameters: str | None = None,
    label: str = "sig1",
) -> dict[str, str]:
    """Headers with a signature base composed here, not by the code under test."""
    if parameters is None:
        parameters = f';created={_SECONDS};keyid="{KEY_ID}"'
    values = _values(target, method)
    names = covered.split()
    inner = "(" + " ".join(f'"{name}"' for name in names) + ")" + parameters
    lines = [f'"{name}": {values[name]}' for name in names] + [f'"@signature-params": {inner}']
    signature = base64.b64encode(key.sign("\n".join(lines).encode())).decode()
    return {
        "content-digest": _CONTENT_DIGEST,
        "date": "x",
        "signature-input": f"{label}={inner}",
        "signature": f"{label}=:{signature}:",
    }


def test_the_vector_of_rfc_9421_b_2_6_is_verified() -> None:
    (signature,) = rfc9421.parse(_VECTOR)
    base = rfc9421.signature_base(_VECTOR, signature)
    assert base.decode().splitlines()[-1] == f'"@signature-params": {_VECTOR_INPUT}'
    assert _ed25519(_PUBLIC).verify(signature.signature, base)
    assert not _ed25519(_PUBLIC).verify(signature.signature, base.replace(b"POST", b"PUT"))


def test_the_stored_vector_has_the_same_signature_base() -> None:
    stored: dict[str, Any] = crypto_fixture("rfc9421_B.2.6_ed25519.json")
    (signature,) = rfc9421.parse(_VECTOR)
    assert rfc9421.signature_base(_VECTOR, signature).decode() == stored["signature_base"]


def test_the_vector_is_no_good_at_an_inbox_because_it_covers_too_little() -> None:
    (signature,) = rfc9421.parse(_VECTOR)
    headers = _VECTOR_HEADERS | {
        "signature-input": f"sig-b26={_VECTOR_INPUT.replace('test-key-ed25519', KEY_ID)}"
    }
    request = received(headers, target=_VECTOR.target, body=_VECTOR.body, host="example.com")
    then = NOW - timedelta(seconds=_SECONDS - (signature.created or 0))
    with pytest.raises(SignatureRefused, match="must cover"):
        read_claim(request, now=then, own_hosts={"example.com"})


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("covered", [_ALL, "@method @authority @path content-digest"])
def test_a_signature_composed_by_hand_is_believed(
    kind: str, covered: str, keys: dict[str, SigningKey]
) -> None:
    claim = claim_of(received(_signed(keys[kind], covered)))
    check(claim, keys[kind].public)
    assert (claim.key_id, claim.scheme, claim.algorithm) == (KEY_ID, "rfc9421", None)
    assert claimed_host(received(_signed(keys[kind], covered))) == "commons.lakeside.example.gov"


@pytest.mark.parametrize(
    "covered",
    [
        "",
        "date",
        "@target-uri content-digest",
        "@method content-digest",
        "@method @path content-digest",
        "@method @authority content-digest",
        "@method @target-uri",
    ],
)
def test_SIG_04_a_signature_that_covers_too_little_is_refused(
    covered: str, rsa_key: SigningKey
) -> None:
    assert refusal(received(_signed(rsa_key, covered)), rsa_key).status == 401


def test_SIG_03_a_body_swapped_after_a_message_was_signed_is_refused(rsa_key: SigningKey) -> None:
    headers, other = _signed(rsa_key), BODY.replace(b"Like", b"Flag")
    assert refusal(received(headers, body=other), rsa_key).status == 401
    swapped = f"sha-256=:{digest(other).removeprefix('SHA-256=')}:"
    both = headers | {"content-digest": swapped}
    assert refusal(received(both, body=other), rsa_key).status == 401
    extra = headers | {"digest": digest(other)}
    assert refusal(received(extra, body=other), rsa_key).status == 401


@pytest.mark.parametrize(
    "value",
    [
        "sha-512=:AAAA:",
        "sha-256=x",
        "sha-256=:AAAA:",
        f"sha-256=:AAAA:, {_CONTENT_DIGEST}",
        "sha-256",
        "sha-256=(:AAAA:)",
        "=",
        "",
    ],
)
def test_SIG_03_a_content_digest_without_a_matching_sha_256_is_refused(
    value: str, rsa_key: SigningKey
) -> None:
    headers = _signed(rsa_key) | {"content-digest": value}
    assert refusal(received(headers), rsa_key).status in (400, 401)


def test_SIG_12_a_query_or_method_changed_after_signing_is_refused(rsa_key: SigningKey) -> None:
    for covered in (_ALL, "@method @authority @path content-digest"):
        headers = _signed(rsa_key, covered)
        assert refusal(received(headers, target="/inbox?as=x"), rsa_key).status == 401
        assert refusal(received(headers, method="PUT"), rsa_key).status == 401


def test_a_query_is_covered_by_its_own_component(rsa_key: SigningKey) -> None:
    covered = "@method @authority @path @query content-digest"
    headers = _signed(rsa_key, covered, target="/inbox?page=2")
    check(claim_of(received(headers, target="/inbox?page=2")), rsa_key.public)
    assert refusal(received(headers, target="/inbox?page=3"), rsa_key).status == 401


def test_SIG_06_a_message_signed_for_another_server_is_refused(rsa_key: SigningKey) -> None:
    request = received(_signed(rsa_key), host="evil.example")
    assert refusal(request, rsa_key).status == 401
    claim = read_claim(request, now=NOW, own_hosts={"evil.example"})
    with pytest.raises(SignatureRefused):
        check(claim, rsa_key.public)


@pytest.mark.parametrize(
    "parameters",
    [
        f';keyid="{KEY_ID}"',
        f';created={_SECONDS - 3700};keyid="{KEY_ID}"',
        f';created={_SECONDS + 3700};keyid="{KEY_ID}"',
        f';created={_SECONDS};expires=1000;keyid="{KEY_ID}"',
        f';created={_SECONDS};keyid="{KEY_ID}";alg="hmac-sha256"',
        f';created={_SECONDS};keyid="{KEY_ID}";alg="rsa-pss-sha512"',
        f';created={_SECONDS};keyid="{KEY_ID}";alg="ed25519"',
        f";created={_SECONDS}",
        f';created={_SECONDS};keyid="key"',
        f';created="{_SECONDS}";keyid="{KEY_ID}"',
        f';created={_SECONDS}.5;keyid="{KEY_ID}"',
        f';created;keyid="{KEY_ID}"',
        f";created={_SECONDS};keyid=token",
        f';created={_SECONDS};keyid="{KEY_ID}";surprise=1',
    ],
)
def test_SIG_08_parameters_that_are_missing_stale_or_strange_are_refused(
    parameters: str, rsa_key: SigningKey
) -> None:
    request = received(_signed(rsa_key, parameters=parameters))
    assert refusal(request, rsa_key).status in (400, 401)


@pytest.mark.parametrize("minutes", [-50, 0, 50])
def test_SIG_07_a_message_made_within_the_window_is_accepted(
    minutes: int, rsa_key: SigningKey
) -> None:
    parameters = f';created={_SECONDS + minutes * 60};keyid="{KEY_ID}";alg="rsa-v1_5-sha256"'
    check(claim_of(received(_signed(rsa_key, parameters=parameters))), rsa_key.public)


def test_of_several_labels_the_first_that_meets_the_rules_counts(rsa_key: SigningKey) -> None:
    good = _signed(rsa_key)
    for proxy in (
        f'("@authority");created={_SECONDS};keyid="proxy"',
        f'("@authority");created={_SECONDS};keyid="{KEY_ID}"',
        f'("@query-param";name="a");created={_SECONDS};keyid="proxy"',
    ):
        headers = good | {
            "signature-input": f"proxy={proxy}, {good['signature-input']}",
            "signature": f"{good['signature']}, proxy=:AAAA:",
        }
        check(claim_of(received(headers)), rsa_key.public)
        assert claimed_host(received(headers)) == "commons.lakeside.example.gov"
        assert claim_of(received(headers)).digest == claim_of(received(good)).digest


def test_a_label_of_another_host_than_the_claimed_one_never_counts(rsa_key: SigningKey) -> None:
    good = _signed(rsa_key)
    allowed = f'("date");created={_SECONDS};keyid="https://allowed.example/key"'
    headers = good | {
        "signature-input": f"first={allowed}, {good['signature-input']}",
        "signature": f"first=:AAAA:, {good['signature']}",
    }
    assert claimed_host(received(headers)) == "allowed.example"
    assert refusal(received(headers), rsa_key).status == 401


def test_more_than_four_labels_are_refused(rsa_key: SigningKey) -> None:
    good = _signed(rsa_key)
    inner, value = good["signature-input"].removeprefix("sig1="), good["signature"][5:]
    for count, accepted in ((4, True), (5, False)):
        headers = good | {
            "signature-input": ", ".join(f"s{n}={inner}" for n in range(count)),
            "signature": ", ".join(f"s{n}={value}" for n in range(count)),
        }
        if accepted:
            check(claim_of(received(headers)), rsa_key.public)
        else:
            assert refusal(received(headers), rsa_key).status == 400


def test_SIG_11_with_both_schemes_at_once_the_newer_one_counts(rsa_key: SigningKey) -> None:
    draft = by_hand(rsa_key)
    mixed = draft | {"signature-input": _signed(rsa_key)["signature-input"]}
    assert refusal(received(mixed), rsa_key).status == 400
    moved = {"authorization": f"Signature {draft['signature']}"}
    claim = claim_of(received(_signed(rsa_key) | moved))
    assert claim.scheme == "rfc9421"


def test_a_component_with_parameters_covers_nothing(rsa_key: SigningKey) -> None:
    headers = _signed(rsa_key)
    headers["signature-input"] = headers["signature-input"].replace(
        '"content-digest"', '"content-digest";key="sha-256"'
    )
    assert refusal(received(headers), rsa_key).status == 400
