# SPDX-License-Identifier: Apache-2.0
"""Reads bytes from outside as strict JSON, or refuses."""

import re
from itertools import accumulate
from json import JSONDecoder
from typing import Any, NoReturn

from federation.vocabulary.errors import Malformed

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_INTEGER = 2**63
MAX_FLOAT = 1e15

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_UNCLEAN_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")


def read(raw: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return the JSON object in ``raw`` (RFC 8259 and the limits of I-JSON, RFC 7493).

    ``max_bytes`` counts bytes; ``max_depth`` counts nested arrays and objects, the top one
    included. Raises Malformed for anything else: another encoding than UTF-8, more bytes or depth,
    a repeated key, NaN or an infinity, an integer beyond ±2^63, another number beyond ±1e15,
    a lone surrogate or U+0000, a top level that is not an object.
    """
    if len(raw) > max_bytes:
        raise Malformed(f"The document is larger than {max_bytes} bytes.")
    _check_depth(raw, max_depth)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The document is not UTF-8.") from error
    try:
        document = _document(text)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed("The document is not JSON.") from error
    if not isinstance(document, dict):
        raise Malformed("The document is not a JSON object.")
    # Strict UTF-8 holds no surrogate and strict JSON no bare U+0000: only escapes bring them in.
    if "\\u" in text and _UNCLEAN_ESCAPE.search(text):
        _check_text(document)
    return document


def _document(text: str) -> object:
    """What the text holds; ValueError where it is not JSON."""
    # Nearly all is one object with nothing around it, and need not be searched for blanks.
    if text.startswith("{"):
        document, end = _DECODER.raw_decode(text)
        if end == len(text):
            return document
    return _DECODER.decode(text)


def _check_depth(raw: bytes, limit: int) -> None:
    """Refuse nesting beyond ``limit`` before a parser recurses into it.

    Up to the first syntax error this sees strings and brackets exactly as the parser does, and the
    parser reads no further than that.
    """
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return
    brackets = _STRINGS.sub(b"", raw).translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > limit:
        raise Malformed(f"The document is nested more than {limit} deep.")


def _check_text(document: dict[str, Any]) -> None:
    """Refuse lone surrogates and U+0000 in any string or key."""
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if _UNCLEAN.search(value):
                raise Malformed("A text holds a lone surrogate or U+0000.")
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("An object repeats a key.")
    return value


def _integer(digits: str) -> int:
    # The length is looked at first: turning millions of digits into an integer is slow.
    if len(digits) > 20 or not -MAX_INTEGER <= (number := int(digits)) < MAX_INTEGER:
        raise Malformed("An integer is outside the range of 64 bits.")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not -MAX_FLOAT <= number <= MAX_FLOAT:
        raise Malformed("A number is outside ±1e15.")
    return number


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not a number in JSON.")


_DECODER = JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
