# SPDX-License-Identifier: Apache-2.0
"""What we sign is what we and others verify."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest

from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey
from federation.signatures.sign import sign_draft, sign_rfc9421
from federation.signatures.verify import check, read_claim
from tests.federation.signatures.material import BODY, HOST, KEY_ID, NOW, digest, received

Sign = Callable[..., dict[str, str]]

_BOTH = pytest.mark.parametrize(
    ("sign", "scheme"), [(sign_draft, "draft"), (sign_rfc9421, "rfc9421")]
)
_KINDS = pytest.mark.parametrize("kind", ["rsa", "ed25519"])


@_BOTH
@_KINDS
@pytest.mark.parametrize("body", [BODY, b""])
def test_a_signed_post_is_believed(
    sign: Sign, scheme: str, kind: str, body: bytes, keys: dict[str, SigningKey]
) -> None:
    headers = sign(
        method="post",
        url=f"https://{HOST}/inbox",
        body=body,
        key=keys[kind],
        key_id=KEY_ID,
        now=NOW,
    )
    assert headers["Host"] == HOST
    assert headers["Content-Type"] == "application/activity+json"
    claim = read_claim(received(headers, body=body), now=NOW, own_hosts={HOST})
    check(claim, keys[kind].public)
    assert (claim.scheme, claim.key_id) == (scheme, KEY_ID)


@_BOTH
@_KINDS
def test_a_signed_get_with_a_query_is_believed_by_ourselves(
    sign: Sign, scheme: str, kind: str, keys: dict[str, SigningKey]
) -> None:
    target = "/f/permits/outbox?page=2&min=1"
    headers = sign(
        method="GET",
        url=f"https://{HOST}{target}#part",
        body=None,
        key=keys[kind],
        key_id=KEY_ID,
        now=NOW,
        extra={"Accept": "application/activity+json"},
    )
    assert headers["Accept"] == "application/activity+json"
    assert not {"Digest", "Content-Digest", "Content-Type"} & headers.keys()
    request = received(headers, method="GET", target=target, body=None)
    claim = read_claim(request, now=NOW + timedelta(minutes=5), own_hosts={HOST})
    check(claim, keys[kind].public)
    assert claim.scheme == scheme


@_BOTH
def test_what_we_signed_does_not_fit_another_request(
    sign: Sign, scheme: str, rsa_key: SigningKey
) -> None:
    headers = sign(
        method="POST", url=f"https://{HOST}/inbox", body=BODY, key=rsa_key, key_id=KEY_ID, now=NOW
    )
    for request in (
        received(headers, target="/inbox?x"),
        received(headers, method="PUT"),
        received(headers, body=BODY + b" "),
    ):
        with pytest.raises(SignatureRefused):
            check(read_claim(request, now=NOW, own_hosts={HOST}), rsa_key.public)


def test_a_draft_signature_is_what_lemmy_and_piefed_ask_for(rsa_key: SigningKey) -> None:
    headers = sign_draft(
        method="POST",
        url="https://lemmy.example:8443/inbox",
        body=BODY,
        key=rsa_key,
        key_id=KEY_ID,
        now=NOW,
    )
    assert headers["Host"] == "lemmy.example:8443"
    assert headers["Date"] == "Mon, 02 Mar 2026 12:00:00 GMT"
    assert headers["Digest"] == digest(BODY)
    start, _, signature = headers["Signature"].rpartition(",")
    assert start == (
        f'keyId="{KEY_ID}",algorithm="rsa-sha256",'
        'headers="(request-target) host date digest content-type"'
    )
    signed = (
        "(request-target): post /inbox\nhost: lemmy.example:8443\n"
        f"date: Mon, 02 Mar 2026 12:00:00 GMT\ndigest: {digest(BODY)}\n"
        "content-type: application/activity+json"
    )
    value = base64.b64decode(signature.removeprefix('signature="').removesuffix('"'))
    assert rsa_key.public.verify(value, signed.encode())


def test_a_message_signature_covers_what_mastodon_covers(rsa_key: SigningKey) -> None:
    headers = sign_rfc9421(
        method="POST",
        url="https://mastodon.example/inbox",
        body=BODY,
        key=rsa_key,
        key_id=KEY_ID,
        now=NOW,
    )
    inner = (
        '("@method" "@target-uri" "content-digest")'
        f';created={int(NOW.timestamp())};keyid="{KEY_ID}";alg="rsa-v1_5-sha256"'
    )
    assert headers["Signature-Input"] == f"sig1={inner}"
    signed = (
        '"@method": POST\n"@target-uri": https://mastodon.example/inbox\n'
        f'"content-digest": {headers["Content-Digest"]}\n"@signature-params": {inner}'
    )
    value = base64.b64decode(headers["Signature"].removeprefix("sig1=:").removesuffix(":"))
    assert rsa_key.public.verify(value, signed.encode())


@_BOTH
def test_a_content_type_given_replaces_the_usual_one(
    sign: Sign, scheme: str, rsa_key: SigningKey
) -> None:
    headers = sign(
        method="POST",
        url=f"https://{HOST}/inbox",
        body=BODY,
        key=rsa_key,
        key_id=KEY_ID,
        now=NOW,
        extra={"content-type": "application/json", "Date": "never", "User-Agent": "test"},
    )
    assert headers["Content-Type"] == "application/json"
    assert "content-type" not in headers
    assert headers["User-Agent"] == "test"
    claim = read_claim(received(headers), now=NOW, own_hosts={HOST})
    check(claim, rsa_key.public)


@_BOTH
def test_what_says_something_of_the_sender_is_signed(
    sign: Sign, scheme: str, rsa_key: SigningKey
) -> None:
    name = "Collection-Synchronization"
    headers = sign(
        method="POST",
        url=f"https://{HOST}/inbox",
        body=BODY,
        key=rsa_key,
        key_id=KEY_ID,
        now=NOW,
        extra={name: 'digest="00"'},
    )
    check(read_claim(received(headers), now=NOW, own_hosts={HOST}), rsa_key.public)
    changed = headers | {name: 'digest="01"'}
    with pytest.raises(SignatureRefused):
        check(read_claim(received(changed), now=NOW, own_hosts={HOST}), rsa_key.public)


@_BOTH
@pytest.mark.parametrize(
    "url",
    ["/inbox", "ftp://a/b", "https://me:pw@a.example/", "https://a.example/ü", "https://a/ b"],
)
def test_a_url_that_cannot_stand_in_a_request_is_not_signed(
    sign: Sign, scheme: str, url: str, rsa_key: SigningKey
) -> None:
    with pytest.raises(ValueError, match="URLs"):
        sign(method="GET", url=url, body=None, key=rsa_key, key_id=KEY_ID, now=NOW)
