# SPDX-License-Identifier: Apache-2.0
"""Draft-cavage signatures are believed or refused."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey, VerificationKey
from federation.signatures.request import Request
from federation.signatures.verify import check, claimed_host, read_claim
from tests.federation.signatures.material import (
    BODY,
    HOST,
    KEY_ID,
    NOW,
    by_hand,
    claim_of,
    digest,
    http_date,
    received,
    refusal,
)


def test_a_signature_made_with_cryptography_alone_is_believed() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    date = http_date(NOW)
    text = f"(request-target): post /inbox\nhost: {HOST}\ndate: {date}\ndigest: {digest(BODY)}"
    signature = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    value = (
        f'keyId="{KEY_ID}", algorithm="rsa-sha256", headers="(request-target) host date digest",'
        f' signature="{base64.b64encode(signature).decode()}"'
    )
    claim = claim_of(received({"Date": date, "Digest": digest(BODY), "Signature": value}))
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    check(claim, VerificationKey.from_pem(pem.decode()))
    assert (claim.key_id, claim.scheme, claim.algorithm) == (KEY_ID, "draft", "rsa-sha256")


def test_the_claimed_host_is_known_before_any_rule_is_applied(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, "date", values={"date": http_date(NOW - timedelta(days=9))})
    headers["signature"] = headers["signature"].replace("lakeside.example.gov", "LAKESIDE.org:4101")
    assert claimed_host(received(headers)) == "commons.lakeside.org:4101"


@pytest.mark.parametrize(
    "key_id",
    [
        "acct:ana@lakeside",
        "/u/ana",
        "https://",
        "https://a@b/",
        "https://[::1",
        "ftp://a/b",
        "https://a\\b/",
        "https://a b/",
        "",
    ],
)
def test_a_key_id_that_is_no_web_address_is_refused(key_id: str, rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key)
    headers["signature"] = headers["signature"].replace(KEY_ID, key_id)
    for read in (claimed_host, claim_of):
        with pytest.raises(SignatureRefused) as caught:
            read(received(headers))
        assert caught.value.status == 400


def test_SIG_01_an_unsigned_request_is_refused(rsa_key: SigningKey) -> None:
    request = received({"date": http_date(NOW), "digest": digest(BODY)})
    assert refusal(request, rsa_key).status == 401
    with pytest.raises(SignatureRefused, match="not signed"):
        claimed_host(request)


def test_SIG_02_another_actors_key_is_refused(keys: dict[str, SigningKey]) -> None:
    assert refusal(received(by_hand(keys["rsa"])), keys["stranger"]).status == 401


def test_SIG_02_any_flipped_bit_of_the_signature_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key)
    start, _, encoded = headers["signature"].rpartition('signature="')
    signature = base64.b64decode(encoded.rstrip('"'))
    for position in (0, 100, len(signature) - 1):
        changed = bytearray(signature)
        changed[position] ^= 1
        value = f'{start}signature="{base64.b64encode(changed).decode()}"'
        assert refusal(received(headers | {"signature": value}), rsa_key).status == 401


def test_SIG_03_a_body_swapped_after_signing_is_refused(rsa_key: SigningKey) -> None:
    headers, other = by_hand(rsa_key), BODY.replace(b"Like", b"Flag")
    assert refusal(received(headers, body=other), rsa_key).status == 401
    swapped = headers | {"digest": digest(other)}
    assert refusal(received(swapped, body=other), rsa_key).status == 401


def test_SIG_03_a_second_unsigned_digest_vouches_for_nothing(rsa_key: SigningKey) -> None:
    other = BODY.replace(b"Like", b"Flag")
    right = digest(BODY).removeprefix("SHA-256=")
    headers = by_hand(
        rsa_key,
        "(request-target) host date content-digest",
        values={"content-digest": f"sha-256=:{right}:"},
    )
    check(claim_of(received(headers)), rsa_key.public)
    swapped = headers | {"digest": digest(other)}
    assert refusal(received(swapped, body=other), rsa_key).status == 401
    assert refusal(received(swapped), rsa_key).status == 401


def test_SIG_04_a_digest_that_is_not_signed_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, "(request-target) host date")
    assert refusal(received(headers), rsa_key).status == 401


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        (digest(BODY).replace("SHA-256", "sha-256"), True),
        (f"SHA-512=AAAA, {digest(BODY)}", True),
        (f"{digest(BODY)},{digest(BODY)}", True),
        (f"{digest(BODY)},{digest(b'other')}", False),
        (f"{digest(b'other')},{digest(BODY)}", False),
        ("SHA-512=AAAA", False),
        ("MD5=AAAA", False),
        ("SHA-256", False),
        ("SHA-256=", False),
        ("SHA-256=!!", False),
        ("", False),
    ],
)
def test_SIG_03_every_sha_256_digest_must_match_the_body(
    value: str, accepted: bool, rsa_key: SigningKey
) -> None:
    request = received(by_hand(rsa_key, values={"digest": value}))
    if accepted:
        check(claim_of(request), rsa_key.public)
    else:
        assert refusal(request, rsa_key).status in (400, 401)


def test_SIG_12_a_signature_without_the_target_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, "host date digest")
    assert refusal(received(headers), rsa_key).status == 401


def test_SIG_06_a_signature_without_the_host_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, "(request-target) date digest")
    assert refusal(received(headers), rsa_key).status == 401


def test_SIG_06_a_request_made_for_another_server_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, values={"host": "evil.example"})
    assert refusal(received(headers, host="evil.example"), rsa_key).status == 401
    assert refusal(received(headers), rsa_key).status == 401
    assert refusal(received(headers, host=f"{HOST}:8443"), rsa_key).status == 401


def test_the_case_of_the_host_does_not_matter_but_its_port_does(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, values={"host": "Riverton.localhost:4101"})
    request = received(headers, host="Riverton.localhost:4101")
    claim = read_claim(request, now=NOW, own_hosts={"riverton.localhost:4101"})
    check(claim, rsa_key.public)
    with pytest.raises(SignatureRefused):
        read_claim(request, now=NOW, own_hosts={"riverton.localhost"})


def test_SIG_12_a_query_added_to_a_post_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key)
    assert refusal(received(headers, target="/inbox?as=x"), rsa_key).status == 401
    assert refusal(received(headers, target="/f/permits/inbox"), rsa_key).status == 401


def test_SIG_12_a_signed_get_replayed_as_post_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, request_target="get /inbox")
    check(claim_of(received(headers, method="GET")), rsa_key.public)
    for method in ("POST", "HEAD", "DELETE"):
        assert refusal(received(headers, method=method), rsa_key).status == 401


def test_a_get_may_be_signed_with_or_without_its_query(rsa_key: SigningKey) -> None:
    for signed in ("get /f/permits/outbox?page=2", "get /f/permits/outbox"):
        headers = by_hand(rsa_key, "(request-target) host date", request_target=signed)
        del headers["digest"]
        request = received(headers, method="GET", target="/f/permits/outbox?page=2", body=None)
        check(claim_of(request), rsa_key.public)
    changed = received(headers, method="GET", target="/f/other/outbox?page=2", body=None)
    assert refusal(changed, rsa_key).status == 401


def test_a_body_on_a_get_needs_a_signed_digest_too(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, "(request-target) host date", request_target="get /inbox")
    assert refusal(received(headers, method="GET"), rsa_key).status == 401


def test_a_post_without_a_body_needs_the_digest_of_nothing(rsa_key: SigningKey) -> None:
    check(claim_of(received(by_hand(rsa_key, body=b""), body=None)), rsa_key.public)
    bare = by_hand(rsa_key, "(request-target) host date", body=b"")
    assert refusal(received(bare, body=None), rsa_key).status == 401


@pytest.mark.parametrize("name", ["signature", "date", "host", "digest", "content-type"])
def test_a_header_that_may_stand_once_is_refused_twice(name: str, rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key) | {"content-type": "application/activity+json"}
    request = received(headers)
    doubled = (*request.headers, ("host", HOST), (name, headers[name]))
    twice = Request("POST", "/inbox", HOST, "https", doubled, BODY)
    assert refusal(twice, rsa_key).status == 400


def test_a_host_header_that_differs_from_the_host_is_refused(rsa_key: SigningKey) -> None:
    request = received(by_hand(rsa_key))
    other = (*request.headers, ("host", "evil.example"))
    assert refusal(Request("POST", "/inbox", HOST, "https", other, BODY), rsa_key).status == 400


def test_repeated_headers_are_signed_joined_by_commas(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, "(request-target) host date digest x-a", values={"x-a": "1, 2"})
    pairs = [(name, value) for name, value in headers.items() if name != "x-a"]
    check(claim_of(received([*pairs, ("x-a", "1"), ("x-a", " 2 ")])), rsa_key.public)
    assert refusal(received(pairs), rsa_key).status == 401


def test_the_authorization_header_can_carry_the_signature(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key)
    moved = {name: value for name, value in headers.items() if name != "signature"}
    moved["authorization"] = f"Signature {headers['signature']}"
    check(claim_of(received(moved)), rsa_key.public)
    check(claim_of(received(moved | headers)), rsa_key.public)
    moved["authorization"] += ",expires=1"
    assert refusal(received(moved | headers), rsa_key).status == 400


def test_a_bearer_token_does_not_disturb_a_signature(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key) | {"authorization": "Bearer abc"}
    check(claim_of(received(headers)), rsa_key.public)


def test_the_algorithm_may_be_missing(keys: dict[str, SigningKey]) -> None:
    for kind in ("rsa", "ed25519"):
        claim = claim_of(received(by_hand(keys[kind], algorithm=None)))
        check(claim, keys[kind].public)
        assert claim.algorithm is None


@pytest.mark.parametrize("algorithm", ["rsa-sha1", "hmac-sha256", "rsa-sha512", "none", "ed448"])
def test_other_algorithms_are_refused_before_a_key_is_needed(
    algorithm: str, rsa_key: SigningKey
) -> None:
    with pytest.raises(SignatureRefused, match="algorithm"):
        claim_of(received(by_hand(rsa_key, algorithm=algorithm)))


def test_an_algorithm_of_another_kind_of_key_is_refused(keys: dict[str, SigningKey]) -> None:
    for algorithm, kind in (("rsa-sha256", "ed25519"), ("ed25519", "rsa")):
        claim = claim_of(received(by_hand(keys[kind], algorithm=algorithm)))
        with pytest.raises(SignatureRefused, match="fit the key"):
            check(claim, keys[kind].public)


def test_a_replay_is_recognised_by_the_claims_digest(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key)
    first = claim_of(received(headers))
    respelled = headers | {"signature": headers["signature"].replace(",", " , "), "x-a": "1"}
    later = http_date(NOW + timedelta(seconds=1))
    another = claim_of(received(by_hand(rsa_key, values={"date": later})))
    assert claim_of(received(respelled)).digest == first.digest
    assert another.digest != first.digest
    assert len(bytes.fromhex(first.digest)) == 32


@pytest.mark.parametrize("target", ["", "inbox", "*", "/inbox#x", "/in box", "/é", "/a\r\nb: c"])
def test_a_target_that_cannot_be_read_is_refused(target: str, rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, request_target=f"post {target}")
    assert refusal(received(headers, target=target), rsa_key).status == 400


def test_an_overlong_signature_header_is_refused(rsa_key: SigningKey) -> None:
    headers = by_hand(rsa_key, parameters=f'note="{"x" * 8200}",')
    assert refusal(received(headers), rsa_key).status == 400
