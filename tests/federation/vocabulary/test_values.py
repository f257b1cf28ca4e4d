# SPDX-License-Identifier: Apache-2.0
"""Single values are read in every shape peers send."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.vocabulary import values
from federation.vocabulary.terms import PUBLIC

ANA = "https://a.example/u/ana"
BEN = "https://b.example/u/ben"
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([ANA, "http://[", "2024-01-01T00:00:00Z", "as:Note", "en"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "href",
                    "url",
                    "mediaType",
                    "language",
                    "identifier",
                    "content",
                    "contentMap",
                    "name",
                    "source",
                ]
            )
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_no_value_makes_a_reader_fail(value: Any) -> None:
    assert values.id_of(value) is None or isinstance(values.id_of(value), str)
    assert len(values.ids_of(value)) <= values.MAX_IDS
    assert all(map(values.is_http_url, values.recipients_of(value, 10)))
    assert isinstance(values.type_of(value), str)
    moment = values.moment_of(value)
    assert moment is None or moment.tzinfo is UTC
    for url in (values.url_of(value), values.image_of(value)):
        assert url is None or values.is_http_url(url)
    if isinstance(value, dict):
        assert len(values.content_of(value)) == 2
        language = values.language_of(value)
        assert language is None or len(language) <= 35


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "https://a.example/u/ana#main-key",
        "http://riverton.localhost:4101/@ana",
        "HTTPS://A.example?x=1",
        "https://[2001:db8::1]:8443/x",
        "https://a.example/t/été",
    ],
)
def test_http_addresses_are_ids(url: str) -> None:
    assert values.is_http_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "//a.example/x",
        "https://",
        "https:///x",
        "https://user@a.example/x",
        "https://good.example\\@evil.example/",
        "https://a.example/a b",
        "https://a.example/\n",
        "https://a.example/\x85",
        "https://a.example:99999/",
        "https://a.example:0/",
        "https://a.example:/x",
        "https://\u212aelvin.example/",
        "https://[2001:db8::1/x",
        "https://a.example/" + "x" * 2048,
        "acct:ana@a.example",
        None,
        7,
    ],
)
def test_anything_else_is_not_an_address(url: object) -> None:
    assert not values.is_http_url(url)


def test_origins_compare_scheme_host_and_port() -> None:
    assert values.same_origin("https://a.example/x", "HTTPS://A.EXAMPLE:443/y#z")
    assert not values.same_origin("https://a.example/x", "http://a.example/x")
    assert not values.same_origin("https://a.example/x", "https://a.example:8443/x")
    assert not values.same_origin("https://a.example/x", "https://b.a.example/x")
    assert not values.same_origin("x", "x")


def test_ids_are_read_from_strings_objects_and_lists() -> None:
    assert values.id_of(ANA) == ANA
    assert values.id_of({"id": ANA, "type": "Person"}) == ANA
    assert values.id_of([{"id": ANA}, BEN]) == ANA
    assert values.id_of("") is None
    assert values.ids_of(ANA) == (ANA,)
    assert values.ids_of([ANA, {"id": BEN}, 3, None, ANA]) == (ANA, BEN)
    assert len(values.ids_of([f"{ANA}{n}" for n in range(300)])) == 200


def test_recipients_name_the_public_collection_one_way() -> None:
    assert values.recipients_of(["as:Public", "Public", ANA, "mailto:x"], 9) == (PUBLIC, ANA)


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        ("Note", "Note"),
        ("as:Note", "Note"),
        ("https://www.w3.org/ns/activitystreams#Note", "Note"),
        (["vcard:individual", "Person"], "Person"),
        (["Note", "Person"], "Note"),
        (["zot:X", "zot:Y"], "zot:X"),
        ([], ""),
        (None, ""),
        ({"id": "Note"}, ""),
    ],
)
def test_types_are_normalised(kinds: object, kind: str) -> None:
    assert values.type_of({"type": kinds}) == kind


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00.123456789Z", datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-23T10:00:00.5+02:00", datetime(2026, 11, 23, 8, 0, 0, 500000, tzinfo=UTC)),
        ("2026-11-23 10:00-0330", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)),
        ("2026-11-23T10:00:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("2026-02-30T10:00:00Z", None),
        ("2026-11-23T10:00:00+99:00", None),
        ("2026-11-23T10:00:61Z", None),
        ("٢٠٢٦-11-23T10:00:00Z", None),
        ("2026-11-23", None),
        ("yesterday", None),
        (1700000000, None),
    ],
)
def test_moments_are_utc_or_nothing(text: object, moment: datetime | None) -> None:
    assert values.moment_of(text) == moment


def test_a_page_is_preferred_among_several_urls() -> None:
    video = {"type": "Link", "mediaType": "video/mp4", "href": "https://a.example/v.mp4"}
    page = {"type": "Link", "mediaType": "text/html", "href": "https://a.example/w/1"}
    assert values.url_of([video, page]) == "https://a.example/w/1"
    assert values.url_of([{"href": "magnet:?xt=1"}, video]) == "https://a.example/v.mp4"
    assert values.url_of({"type": "Image", "url": [video]}) == "https://a.example/v.mp4"
    assert values.url_of("javascript:alert(1)") is None


@pytest.mark.parametrize(
    ("document", "language"),
    [
        ({"language": {"identifier": "pt-BR", "name": "x"}}, "pt-BR"),
        ({"language": [{"identifier": "fr"}, {"identifier": "de"}]}, "fr"),
        ({"inLanguage": "es", "contentMap": {"en": "x"}}, "es"),
        ({"language": {"identifier": "und"}, "contentMap": {"en": "x"}}, "en"),
        ({"language": '"><script>'}, None),
        ({}, None),
    ],
)
def test_the_language_is_found_where_peers_put_it(
    document: dict[str, Any], language: str | None
) -> None:
    assert values.language_of(document) == language


@pytest.mark.parametrize(
    ("document", "content"),
    [
        (
            {"content": "<p>a</p>", "source": {"content": "a", "mediaType": "text/markdown"}},
            ("<p>a</p>", "a"),
        ),
        (
            {"content": "<p>a</p>", "source": {"content": "[b]a", "mediaType": "text/bbcode"}},
            ("<p>a</p>", None),
        ),
        ({"content": "**a**", "mediaType": "text/markdown; charset=utf-8"}, (None, "**a**")),
        ({"content": "1 < 2\n&", "mediaType": "text/plain"}, ("<p>1 &lt; 2<br>&amp;</p>", None)),
        ({"content": None, "contentMap": {"en": "b", "de": "c"}, "language": "de"}, ("c", None)),
        ({"content": ["a"]}, ("a", None)),
        ({"content": {"x": 1}}, (None, None)),
    ],
)
def test_content_is_html_and_markdown(
    document: dict[str, Any], content: tuple[str | None, str | None]
) -> None:
    assert values.content_of(document) == content


def test_long_content_is_cut() -> None:
    text, _ = values.content_of({"content": "x" * 300_000})
    assert text is not None
    assert len(text) == 200_000
