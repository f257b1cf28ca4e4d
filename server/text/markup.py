# SPDX-License-Identifier: Apache-2.0
"""A linear reader of HTML tokens, for any input."""

import html
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

VOID = frozenset({"br", "hr", "img"})
# Elements whose text is code for a machine or hidden from readers: it goes with its element.
UNREAD = frozenset(
    {"head", "iframe", "noembed", "noframes", "noscript", "script", "style", "template", "xmp"}
)

# Every alternative is possessive or ends at the end of the input, so that no input makes the
# scan go back: the cost is linear.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?:[!?]|/(?![a-z]))[^>]*+>?"
    r"|<(?P<slash>/?)(?P<name>[a-z][^\s/>]*+)"
    r"(?P<attributes>(?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+)(?P<end>>?)",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)
_ATTRIBUTE = re.compile(
    r"([a-z-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))", re.IGNORECASE | re.ASCII
)
_UNREAD_END = {
    name: re.compile(rf"</{name}(?=[\s/>]|\Z)[^>]*+>?", re.IGNORECASE) for name in UNREAD
}
# What no text holds: PostgreSQL refuses NUL, and no encoder takes a lone surrogate.
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Token(NamedTuple):
    """A piece of HTML: `value` is the unescaped text, or a tag's raw attributes."""

    kind: Literal["text", "open", "close"]
    name: str
    value: str


def unescape(text: str) -> str:
    """Character references resolved, control characters and lone surrogates dropped."""
    plain = html.unescape(text).replace("\r\n", "\n").replace("\r", "\n")
    return UNWANTED.sub("", plain)


def tokens(markup: str) -> Iterator[Token]:
    """Texts and tags in order; comments, declarations and unread elements are left out."""
    position = 0
    while match := _TOKEN.search(markup, position):
        if match.start() > position:
            yield Token("text", "", unescape(markup[position : match.start()]))
        position = match.end()
        if match["name"] is None or not match["end"]:
            continue
        name = match["name"].lower()
        if match["slash"]:
            yield Token("close", name, "")
        elif name in UNREAD:
            end = _UNREAD_END[name].search(markup, position)
            position = end.end() if end else len(markup)
        else:
            yield Token("open", name, match["attributes"])
    if position < len(markup):
        yield Token("text", "", unescape(markup[position:]))


def attributes(raw: str) -> dict[str, str]:
    """The named values of a tag's raw attributes, unescaped; the first of a name wins."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(raw):
        found.setdefault(name.lower(), unescape(double or single or bare))
    return found


def opening(name: str, values: dict[str, str]) -> str:
    """An opening tag with escaped attribute values."""
    written = "".join(f' {key}="{html.escape(value)}"' for key, value in values.items())
    return f"<{name}{written}>"
