# SPDX-License-Identifier: Apache-2.0
"""Handles and tags in what people write."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from server.text.conversion import prose

MAX_MENTIONS = 20
MAX_HASHTAGS = 20
MAX_TAGS = 10
MAX_TAG_LENGTH = 40

# "@name" or "@name@host[:port]". The repeats are bounded, so that no text makes the search slow.
_MENTION = re.compile(
    r"(?<![\w@/.=&?%+~-])@(?P<name>[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?)"
    r"(?:@(?P<host>[^\W_](?:[\w.-]{0,250}[^\W_])?(?::[0-9]{1,5})?))?(?![\w@])",
    re.IGNORECASE,
)
_HASHTAG = re.compile(r"(?<![\w&/#@])#(\S{1,200})")
_BETWEEN = re.compile(r"[\s,]+")


class Mentioned(NamedTuple):
    """A handle in a text: where it stands, its name as written, and itself in lower case."""

    start: int
    end: int
    name: str
    handle: str


def mentioned(text: str) -> Iterator[Mentioned]:
    """The handles of a plain text, in order."""
    for match in _MENTION.finditer(text):
        name, host = match["name"], match["host"]
        if not name.isascii():
            continue
        handle = f"{name}@{host}" if host else name
        yield Mentioned(match.start(), match.end(), name, handle.lower())


def mentions(source: str) -> list[str]:
    """The handles a Markdown source names outside code and links, each once, at most 20.

    Each is "name" or "name@host[:port]", in lower case.
    """
    found: dict[str, None] = {}
    for text in prose(source):
        for mention in mentioned(text):
            found.setdefault(mention.handle)
            if len(found) == MAX_MENTIONS:
                return list(found)
    return list(found)


def _is_word(character: str) -> bool:
    # Vowel signs (category M) are part of words, though not alphanumeric.
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def _word_length(text: str) -> int:
    return next((i for i, character in enumerate(text) if not _is_word(character)), len(text))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def hashtags(source: str) -> list[str]:
    """The hashtags a Markdown source holds outside code and links, without "#", at most 20.

    A hashtag has at most 40 letters, digits and underscores, and is not a number.
    """
    found: dict[str, None] = {}
    for text in prose(source):
        for match in _HASHTAG.finditer(text):
            word = _folded(match[1][: _word_length(match[1])])
            if 0 < len(word) <= MAX_TAG_LENGTH and any(map(str.isalpha, word)):
                found.setdefault(word)
                if len(found) == MAX_HASHTAGS:
                    return list(found)
    return list(found)


def clean_tags(raw: str) -> list[str]:
    """The tags of a form field, separated by commas or spaces: lower case, each once.

    A tag begins with a letter or digit, goes on with letters, digits, hyphens and underscores,
    and has at most 40 characters. Raises ValueError, with a sentence for the person, for a tag
    that is not so and for more than 10 tags.
    """
    found: dict[str, None] = {}
    for word in _BETWEEN.split(raw[:5_000]):
        tag = _folded(word.removeprefix("#"))
        if not tag:
            continue
        if len(tag) > MAX_TAG_LENGTH:
            raise ValueError(f"A tag can have at most {MAX_TAG_LENGTH} characters.")
        if not tag[0].isalnum() or not all(c == "-" or _is_word(c) for c in tag):
            raise ValueError("A tag can have letters, digits, hyphens and underscores only.")
        found.setdefault(tag)
        if len(found) > MAX_TAGS:
            raise ValueError(f"A post can have at most {MAX_TAGS} tags.")
    return list(found)
