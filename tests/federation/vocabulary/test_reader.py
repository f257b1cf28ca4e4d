# SPDX-License-Identifier: Apache-2.0
"""The strict JSON reader refuses what peers must not send."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read

CLEAN_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e15, 1e15)
    | CLEAN_TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(CLEAN_TEXT, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(CLEAN_TEXT, VALUES, max_size=6)
JSON_PIECES = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            "[",
            "]",
            '"',
            "\\",
            ":",
            ",",
            "1",
            "-",
            "e9",
            "NaN",
            '"a"',
            "\\ud800",
            "\\u0000",
        ]
    ),
    max_size=40,
).map("".join)


def nested(depth: int) -> bytes:
    """An object holding arrays, ``depth`` levels in all."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@given(st.binary() | JSON_PIECES.map(str.encode) | JSON_PIECES.map(lambda p: b'{"a":' + p.encode()))
@example(b"\xef\xbb\xbf{}")
@example('{"a":1}'.encode("utf-16"))
def test_any_bytes_are_an_object_or_malformed(raw: bytes) -> None:
    try:
        document = read(raw)
    except Malformed:
        return
    assert isinstance(document, dict)
    json.dumps(document, allow_nan=False, ensure_ascii=False).encode("utf-8")


@given(OBJECTS, st.booleans())
def test_clean_json_comes_back_as_it_was(document: dict[str, Any], escaped: bool) -> None:
    raw = json.dumps(document, ensure_ascii=escaped).encode("utf-8")
    assert read(raw) == document


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"id": "x", "id": "y"}', "repeats a key"),
        (b'{"a": [{"b": 1, "\\u0062": 2}]}', "repeats a key"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b'{"a": 9223372036854775808}', "64 bits"),
        (b'{"a": -9223372036854775809}', "64 bits"),
        (b'{"a": 1' + b"0" * 900_000 + b"}", "64 bits"),
        (b'{"a": 1.1e15}', "outside"),
        (b'{"a": 1e400}', "outside"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b'{"a": [{"\\udfff x": 1}]}', "lone surrogate"),
        (b'{"a": "\\u0000"}', "U+0000"),
        (b'{"a": "\x00"}', "not JSON"),
        (b'["a"]', "not a JSON object"),
        (b'"a"', "not a JSON object"),
        (b"", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (nested(65), "nested more than 64"),
        (b'{"a":"\\\\\\"",' + nested(65)[1:], "nested more than 64"),
        (b"[" * 100_000, "nested more than 64"),
        (b'{"object":' * 90_000, "nested more than 64"),
    ],
)
def test_what_is_not_strict_json_is_refused_by_name(raw: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason.replace("+", r"\+")):
        read(raw)


def test_the_limits_themselves_are_allowed() -> None:
    assert read(nested(64))["a"][0]
    assert read(b'{"a": [9223372036854775807, -9223372036854775808, 1e15]}')["a"][2] == 1e15


def test_brackets_inside_strings_are_not_depth() -> None:
    text = '[{"\\' * 200
    assert read(json.dumps({"a": text}).encode()) == {"a": text}


def test_many_shallow_brackets_are_not_depth() -> None:
    assert len(read(b'{"a":[' + b"[]," * 1000 + b"[]]}")["a"]) == 1001


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert read(b'{"a": "\\ud83d\\ude00 \\\\u0000"}') == {"a": "😀 \\u0000"}


def test_size_counts_bytes_and_the_limit_is_inclusive() -> None:
    raw = json.dumps({"a": "é"}, ensure_ascii=False).encode()
    assert read(raw, max_bytes=len(raw)) == {"a": "é"}
    with pytest.raises(Malformed, match=f"larger than {len(raw) - 1} bytes"):
        read(raw, max_bytes=len(raw) - 1)


def test_a_parser_out_of_stack_is_a_refusal() -> None:
    with pytest.raises(Malformed, match="not JSON"):
        read(nested(400_000), max_depth=1_000_000)
