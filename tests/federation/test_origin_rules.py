# SPDX-License-Identifier: Apache-2.0
"""Which ids an actor may speak for: every way to write another origin."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import authority
from federation.authority import Unauthorised
from federation.errors import WireError
from federation.origins import origin_of
from federation.vocabulary.activities import Envelope
from federation.vocabulary.posts import parse_post

HOST = "good.example"
SIGNER = f"https://{HOST}/u/ana"
SAME = (
    f"https://{HOST}/x", f"https://{HOST.upper()}/x", f"https://{HOST}:443/x", f"HTTPS://{HOST}/x",
    f"https://{HOST}/x#part", f"https://{HOST}/x?at=https://evil.example/", f"{SIGNER}#like-1",
)  # fmt: skip
OTHER = (
    "", "x", "#like-1", "/x", f"//{HOST}/x", f"https:{HOST}/x", f"http://{HOST}/x",
    f"https://{HOST}:444/x", f"https://{HOST}.evil.example/x", f"https://evil.example/{HOST}",
    f"https://{HOST}@evil.example/x", f"https://evil.example#{HOST}/", f"https://sub.{HOST}/x",
    f"https://evil.example\\@{HOST}/x", f"https://{HOST}\\.evil.example/x", f"ftp://{HOST}/x",
    f"https://evil{HOST}/x", "https://example/x", "data:,x", "urn:uuid:1", "https:///x", "https://[x",
    f"https://{HOST}\t.evil.example/x", "https://gооd.example/x",
)  # fmt: skip


@pytest.mark.parametrize("uri", OTHER)
def test_AUT_06_an_id_of_another_origin_is_nobodys_own(uri: str) -> None:
    assert not authority.same_origin(uri, SIGNER)
    with pytest.raises(Unauthorised):
        authority.must_be_own_words(SIGNER, Envelope(uri, "Like", SIGNER, False))


@pytest.mark.parametrize("uri", SAME)
def test_AUT_06_an_id_of_the_same_origin_is(uri: str) -> None:
    authority.must_be_own_words(SIGNER, Envelope(uri, "Like", SIGNER, False))


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port as somebody may write them."""

    scheme: str
    host: str
    port: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.port}/x"


ORIGINS = st.builds(
    Origin,
    st.sampled_from(("http", "https", "HTTPS")),
    st.sampled_from(
        (HOST, HOST.title(), f"www.{HOST}", f"{HOST}.test", "evil.example", f"x{HOST}")
    ),
    st.sampled_from(("", ":443", ":80", ":8443")),
)


@given(one=ORIGINS, other=ORIGINS)
def test_AUT_06_origins_are_alike_by_scheme_host_and_port_only(one: Origin, other: Origin) -> None:
    def meant(origin: Origin) -> tuple[str, str, str]:
        scheme = origin.scheme.lower()
        port = origin.port.lstrip(":") or {"http": "80", "https": "443"}[scheme]
        return scheme, origin.host.lower(), port

    assert authority.same_origin(str(one), str(other)) is (meant(one) == meant(other))
    assert authority.same_origin(str(one), str(other)) is authority.same_origin(
        str(other), str(one)
    )


@given(uri=st.text(max_size=40) | st.sampled_from(OTHER + SAME))
def test_AUT_03_a_post_is_its_authors_by_origin_and_by_name(uri: str) -> None:
    """Whoever is named as its author, and under whatever id it comes."""
    document = {"id": f"https://{HOST}/p/1", "type": "Note", "attributedTo": uri, "content": "x"}
    try:
        post = parse_post(document)
        authority.must_own(SIGNER, post, ours="https://ours.example")
    except WireError:
        return
    except ValueError:
        return
    assert post.author == SIGNER
    assert origin_of(post.id) == origin_of(SIGNER)
