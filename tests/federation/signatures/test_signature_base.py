# SPDX-License-Identifier: Apache-2.0
"""What was signed is the same by the short way and by the library."""

import base64
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from federation.signatures import rfc9421
from federation.signatures.errors import SignatureRefused
from federation.signatures.request import Request

FIELDS = {
    "content-digest": "sha-256=:AAAA:",
    "content-type": "application/activity+json",
    "date": "Mon, 23 Nov 2026 09:00:00 GMT",
    "digest": "SHA-256=AAAA",
    "host": "",
    "set-cookie": "a=b",
    "x-odd": "a\tb",
}
DERIVED = ["@method", "@target-uri", "@authority", "@path", "@query", "@scheme", "@odd"]
COVERED = st.lists(st.sampled_from([*DERIVED, *FIELDS, "missing"]), min_size=1, max_size=6)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'))
PARAMETERS = st.fixed_dictionaries(
    {"keyid": TEXT},
    optional={
        "created": st.integers(0, 2**40),
        "expires": st.integers(0, 2**40),
        "alg": st.sampled_from(["rsa-v1_5-sha256", "ed25519", "hmac-sha256"]),
        "nonce": TEXT,
        "tag": TEXT,
    },
)
TARGETS = ["/inbox", "/u/ana/inbox", "/", "/a%20b", "/a%2", "/inbox?x=1", "/a//b", "/./a", "/A~b"]
HOSTS = [
    "gh.example",
    "gh.example:8000",
    "GH.example",
    "gh.example:80",
    "gh.example:08000",
    "[::1]",
]


@given(
    st.sampled_from(["POST", "GET", "post", "OPTIONS", "CONNECT"]),
    st.sampled_from(TARGETS),
    st.sampled_from(HOSTS) | st.just("gh.example:80800"),
    st.sampled_from(["http", "https"]),
    COVERED,
    PARAMETERS,
    st.dictionaries(st.sampled_from(list(FIELDS)), TEXT, max_size=2),
)
@example("POST", "/inbox", "gh.example", "https", ["@method", "@target-uri"], {"keyid": "k"}, {})
def test_the_short_way_builds_what_the_library_builds(
    method: str,
    target: str,
    host: str,
    scheme: str,
    covered: list[str],
    parameters: dict[str, Any],
    changed: dict[str, str],
) -> None:
    shown = "".join(
        f';{n}="{v}"' if isinstance(v, str) else f";{n}={v}" for n, v in parameters.items()
    )
    listed = " ".join(f'"{name}"' for name in covered)
    headers = {
        **FIELDS,
        **changed,
        "host": host,
        "signature-input": f"sig1=({listed}){shown}",
        "signature": f"sig1=:{base64.b64encode(b'x').decode()}:",
    }
    request = Request(method, target, host, scheme, tuple(headers.items()), b"")
    try:
        signature = rfc9421.parse(request)[0]
    except SignatureRefused:
        return
    short = rfc9421._plain_base(request, signature)
    if short is not None:
        assert short == rfc9421._any_base(request, signature)


def test_what_peers_send_takes_the_short_way() -> None:
    headers = (
        ("content-digest", "sha-256=:AAAA:"),
        ("signature-input", 'sig1=("@method" "@target-uri" "content-digest");created=1;keyid="k"'),
        ("signature", "sig1=:eA==:"),
    )
    request = Request("POST", "/inbox", "gh.example", "https", headers, b"")
    assert rfc9421._plain_base(request, rfc9421.parse(request)[0]) == (
        b'"@method": POST\n"@target-uri": https://gh.example/inbox\n'
        b'"content-digest": sha-256=:AAAA:\n'
        b'"@signature-params": ("@method" "@target-uri" "content-digest");created=1;keyid="k"'
    )
