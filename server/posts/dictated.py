# SPDX-License-Identifier: Apache-2.0
"""Posts that come as one text, as apps send them, taken apart."""

import re
from dataclasses import dataclass

from server import text
from server.posts.drafts import LONGEST_TITLE
from server.text.names import MAX_TAGS

_HANDLE = re.compile(r"[@!](?P<name>[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?)"
                     r"(?:@(?P<host>[^\W_](?:[\w.-]{0,250}[^\W_])?(?::[0-9]{1,5})?))?",
                     re.IGNORECASE)  # fmt: skip
_LEADING = re.compile(rf"\A(?:\s*{_HANDLE.pattern}(?=\s|\Z)[,:]?)+\s*".replace("?P<name>", "?:")
                      .replace("?P<host>", "?:"), re.IGNORECASE)  # fmt: skip
_CUT = "…"


@dataclass(frozen=True)
class Dictated:
    """What a text says: a title and a body in Markdown."""

    title: str
    source: str


def handles(source: str) -> list[str]:
    """The handles a text names, `name` or `name@host`, in lower case, each once."""
    return text.mentions(source.replace("!", "@"))


def without(source: str, handle: str) -> str:
    """The text without the first time it names this handle."""
    for match in _HANDLE.finditer(source):
        name = match["name"] if match["host"] is None else f"{match['name']}@{match['host']}"
        if name.lower() == handle:
            before, after = source[: match.start()], source[match.end() :]
            if not before.rstrip(" ").rpartition("\n")[2]:
                after = after.lstrip(" ,:")
            return f"{before}{after}".strip()
    return source.strip()


def answer(source: str) -> str:
    """A reply without the handles at its beginning, which only say whom it answers."""
    return _LEADING.sub("", source, count=1).strip() or source.strip()


def thread(source: str, title: str = "") -> Dictated:
    """A thread: its first line is the title, unless one came by itself; the rest is the body.

    A text of a single line is both. A first line too long for a title begins it, and stays.
    """
    source = source.strip()
    if title.strip():
        return Dictated(text.clean_line(title, LONGEST_TITLE), source)
    first, _, rest = source.partition("\n")
    line = text.clean_line(first.lstrip("# "), LONGEST_TITLE + 1)
    if len(line) > LONGEST_TITLE:
        short = line[: LONGEST_TITLE - 1].rpartition(" ")[0] or line[: LONGEST_TITLE - 1]
        return Dictated(f"{short}{_CUT}", source)
    return Dictated(line, rest.strip() or source)


def tags(source: str, *more: str) -> tuple[str, ...]:
    """The tags of a thread: those given, then the hashtags of its text."""
    found = dict.fromkeys([*more, *text.hashtags(source)])
    return tuple(found)[:MAX_TAGS]


def written(title: str, source: str) -> str:
    """A thread as one text again, as `thread` reads it."""
    return f"{title}\n\n{source}" if title else source
