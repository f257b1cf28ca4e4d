# SPDX-License-Identifier: Apache-2.0
"""Texts made to be slow to render."""

import sys
from collections import Counter
from html.parser import HTMLParser

import pytest

from bench.texts import PATHOLOGICAL, filled
from server.text import MAX_SOURCE, mentions, render
from server.text.bounds import MAX_CONTAINERS, MAX_LINES
from server.text.sanitiser import MAX_DEPTH


class Depths(HTMLParser):
    """How deep the elements of each tag lie in one another."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: Counter[str] = Counter()
        self.deepest: Counter[str] = Counter()
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open[tag] += 1
        self.deepest[tag] = max(self.deepest[tag], self.open[tag])

    def handle_endtag(self, tag: str) -> None:
        self.open[tag] -= 1


def test_what_follows_too_many_lines_is_shown_as_it_was_written() -> None:
    whole = "a  \n" * (MAX_LINES - 1)
    assert "<em>b</em>" in render(f"{whole}*b*")
    assert render(f"{whole}c\n*b* <i>\n# d").endswith(
        "<pre><code>*b* &lt;i&gt;\n# d\n</code></pre>"
    )


def steps(source: str) -> int:
    """How many calls it takes to render a text."""
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        render(source)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("piece", PATHOLOGICAL.values(), ids=PATHOLOGICAL)
def test_DOS_07_a_pathological_text_takes_steps_in_proportion(piece: str) -> None:
    whole = filled(piece)
    assert steps(whole[:6_000]) < 2.5 * steps(whole[:3_000]) + 20_000


@pytest.mark.parametrize("piece", PATHOLOGICAL.values(), ids=PATHOLOGICAL)
def test_DOS_07_a_pathological_text_stays_in_proportion(piece: str) -> None:
    markup = render(filled(piece))
    assert len(markup) < 10 * MAX_SOURCE
    deepest = Depths(markup).deepest
    assert all(deepest[tag] <= MAX_CONTAINERS for tag in ("ul", "ol", "blockquote"))
    assert all(deepest[tag] <= MAX_DEPTH for tag in ("a", "em", "strong"))
    assert mentions(filled(piece)) == []
