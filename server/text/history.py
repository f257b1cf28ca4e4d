# SPDX-License-Identifier: Apache-2.0
"""What changed between two texts, and quoting one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal

# Lines that are compared one by one, and words within them: the work is quadratic at worst.
MAX_LINES = 2_000
MAX_WORDS = 300

Kind = Literal["same", "removed", "added"]

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+.!|~-])")


@dataclass(frozen=True)
class Change:
    """A stretch of text that stayed, went or came."""

    kind: Kind
    text: str


def changes(old: str, new: str) -> list[Change]:
    """The differences of two sources, by lines and, in small passages, by words.

    The texts that stayed or went make up the old source, those that stayed or came the new one.
    Of more than MAX_LINES lines between their common beginning and end all went and came.
    """
    before, after = _LINE.findall(old), _LINE.findall(new)
    head = _common(before, after)
    tail = _common(reversed(before[head:]), reversed(after[head:]))
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    found = [Change("same", "".join(before[:head]))]
    if max(map(len, middle)) > MAX_LINES:
        found += _replaced(*middle)
    else:
        found += _by_lines(*middle)
    found.append(Change("same", "".join(before[len(before) - tail :])))
    return _joined(found)


def _common(one: Iterable[str], other: Iterable[str]) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _replaced(old: list[str], new: list[str]) -> list[Change]:
    return [Change("removed", "".join(old)), Change("added", "".join(new))]


def _by_lines(old: list[str], new: list[str]) -> Iterator[Change]:
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield Change("same", "".join(old[a:b]))
        else:
            yield from _by_words("".join(old[a:b]), "".join(new[c:d]))


def _by_words(old: str, new: str) -> Iterator[Change]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if max(len(before), len(after)) > MAX_WORDS:
        yield from _replaced(before, after)
        return
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Change("same", "".join(before[a:b]))
        else:
            yield from _replaced(before[a:b], after[c:d])


def _joined(found: list[Change]) -> list[Change]:
    """Without empty stretches, and neighbours of a kind as one."""
    joined: list[Change] = []
    for change in found:
        if joined and joined[-1].kind == change.kind:
            joined[-1] = Change(change.kind, joined[-1].text + change.text)
        elif change.text:
            joined.append(change)
    return joined


def quote(source: str, who: str) -> str:
    """A Markdown source as a quotation to reply to, under a line that names its author."""
    name = _MARKS.sub(r"\\\1", " ".join(who.split()))
    lines = [f"**{name}** wrote:", "", *source.strip().splitlines()]
    return "".join(f"> {line}".rstrip() + "\n" for line in lines) + "\n"
