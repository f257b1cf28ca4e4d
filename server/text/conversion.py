# SPDX-License-Identifier: Apache-2.0
"""Markdown to well-formed HTML, not yet safe."""

import re
import threading
import xml.etree.ElementTree as etree
from collections.abc import Iterator
from functools import lru_cache

from markdown import Markdown
from markdown.extensions.sane_lists import SaneListExtension
from markdown.treeprocessors import Treeprocessor

from server.text.bounds import BoundedMarkdown
from server.text.markup import UNWANTED, unescape

# Characters a body may have.
MAX_SOURCE = 50_000

_UNLINKED = frozenset({"a", "code", "pre"})
_TAG = re.compile(r"<(/?)([a-z0-9]+)[^>]*>")


class _LowerHeadings(Treeprocessor):
    """Moves headings two levels down: the page owns the first two."""

    def run(self, root: etree.Element) -> None:
        for element in root.iter():
            if re.fullmatch("h[1-6]", element.tag):
                element.tag = f"h{min(6, int(element.tag[1]) + 2)}"


class _Engine(threading.local):
    """A Markdown object for each thread: it keeps the text it works on."""

    def __init__(self) -> None:
        self.markdown = Markdown(extensions=[BoundedMarkdown(), SaneListExtension()])
        self.markdown.treeprocessors.register(_LowerHeadings(), "lower_headings", 15)


_ENGINE = _Engine()


@lru_cache(maxsize=8)
def converted(source: str) -> str:
    """Well-formed HTML of a Markdown source, not yet sanitised."""
    return _ENGINE.markdown.reset().convert(UNWANTED.sub("", source))


def pieces(markup: str) -> Iterator[tuple[str, bool]]:
    """Tags and texts of well-formed HTML as they stand, and which are free for linking."""
    inside = 0
    position = 0
    for tag in _TAG.finditer(markup):
        if tag.start() > position:
            yield markup[position : tag.start()], not inside
        position = tag.end()
        yield tag[0], False
        if tag[2] in _UNLINKED:
            inside += -1 if tag[1] else 1
    if position < len(markup):
        yield markup[position:], not inside


def prose(source: str) -> Iterator[str]:
    """The texts of a Markdown source that are neither code nor in links."""
    for piece, free in pieces(converted(source[:MAX_SOURCE])):
        if free:
            yield unescape(piece)
