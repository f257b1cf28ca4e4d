# SPDX-License-Identifier: Apache-2.0
"""No header breaks verification or sneaks past it."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey
from federation.signatures.request import Request
from federation.signatures.sign import sign_rfc9421
from federation.signatures.verify import check, claimed_host, read_claim
from tests.federation.signatures.material import BODY, HOST, KEY_ID, NOW, claim_of, digest, received

_SECONDS = int(NOW.timestamp())
_CONTENT_DIGEST = f"sha-256=:{digest(BODY).removeprefix('SHA-256=')}:"
_SIGNER = SigningKey.generate_ed25519()
_SENT = sign_rfc9421(
    method="POST", url=f"https://{HOST}/inbox", body=BODY, key=_SIGNER, key_id=KEY_ID, now=NOW
)

_NAMES = st.sampled_from(
    ["signature", "signature-input", "authorization", "date", "digest", "content-digest", "host"]
)
_PIECES = st.lists(
    st.sampled_from(
        [
            'keyId="https://a.example/k"',
            'headers="(request-target) host date digest"',
            'headers="x"',
            'signature="AAAA"',
            "created=1",
            'expires="9e9"',
            "Signature ",
            "sig1",
            "=",
            ":AAAA:",
            ",",
            ";",
            "(",
            ")",
            '"',
            '"@method"',
            '"@target-uri"',
            '"@status"',
            '"content-digest"',
            f";created={_SECONDS}",
            ';keyid="https://a.example/k"',
            _CONTENT_DIGEST,
            digest(BODY),
            "Mon, 02 Mar 2026 12:00:00 GMT",
            "\x00",
            "\u00e9",
            "\u2028",
            " ",
        ]
    ),
    max_size=12,
).map("".join)
_ANYTHING = st.one_of(_PIECES, st.text(max_size=60))


@example([("signature-input", "sig1=1"), ("signature", "sig1=1")], "POST", "/", HOST)
@example([("signature-input", 'sig1=("\u00e9")'), ("signature", "sig1=:AAAA:")], "POST", "/", HOST)
@given(
    st.lists(st.tuples(_NAMES, _ANYTHING), max_size=6),
    st.one_of(st.sampled_from(["GET", "POST"]), st.text(max_size=4)),
    st.one_of(st.just("/inbox"), st.text(max_size=6).map("/".__add__)),
    st.one_of(st.just(HOST), st.text(max_size=6)),
)
def test_SIG_11_no_header_makes_verification_fail_in_another_way(
    headers: list[tuple[str, str]], method: str, target: str, host: str
) -> None:
    request = Request(method, target, host, "https", tuple(headers), BODY)
    with pytest.raises(SignatureRefused) as caught:
        check(
            read_claim(request, now=NOW, own_hosts={HOST, host}),
            _SIGNER.public,
        )
    assert caught.value.status in (400, 401)
    with suppress(SignatureRefused):
        assert claimed_host(request)


@given(
    st.sampled_from(["Signature-Input", "Signature", "Content-Digest"]),
    st.integers(0, 400),
    st.integers(1, 127),
)
def test_SIG_02_an_altered_byte_is_never_believed(name: str, position: int, flip: int) -> None:
    value = _SENT[name]
    position %= len(value)
    changed = value[:position] + chr(ord(value[position]) ^ flip) + value[position + 1 :]
    before = claim_of(received(_SENT))
    check(before, _SIGNER.public)
    with suppress(SignatureRefused):
        claim = claim_of(received(_SENT | {name: changed}))
        check(claim, _SIGNER.public)
        # Only a difference that is none (a blank that is a tab) may pass.
        assert claim == before
