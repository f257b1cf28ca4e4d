# SPDX-License-Identifier: Apache-2.0
"""How long a text takes to render that was made to take long."""

import time
from collections.abc import Callable, Iterator

from bench.result import Line
from bench.wording import Wording
from server.text import MAX_SOURCE, render

TIMES = 3
PATHOLOGICAL = {
    "open brackets": "[",
    "links never closed": "[a](",
    "pictures": "![",
    "brackets and code": "[`]`",
    "quotes": ">",
    "stars": "*",
    "emphasis runs": "*a **b _c ",
    "nested lists": "- - ",
    "numbered lists": "1. ",
    "link references": '[a]: <x> "t\n',
    "backticks": "`",
    "unequal backticks": "`` ` ``` ",
    "tables": "|a\n|-\n",
    "rows of code": "|`",
    "entities": "&amp;",
    "HTML tags": "<b>",
    "tags never closed": '<a href="',
    "headings": "# a\n",
    "underlined headings": "a\n===\n",
    "rules": "---\n",
    "fences": "``` {a}\n",
    "quoted headings": "> # a\n",
    "addresses": "*http://a.b* ",
    "backslashes": "\\",
}


def filled(piece: str) -> str:
    """The piece over and over, as long as a body may be."""
    return (piece * (MAX_SOURCE // len(piece) + 1))[:MAX_SOURCE]


def run(only: Callable[[str], bool]) -> Iterator[Line]:
    """The slowest of the made-up texts, beside words of people that are as long."""
    if not only("text made to be slow"):
        return
    took = {name: _seconds(filled(piece)) for name, piece in PATHOLOGICAL.items()}
    slowest = max(took, key=lambda name: took[name])
    people = " ".join(one.source for one in Wording(paragraphs=300).paragraphs)
    usual = _seconds(filled(people + "\n\n"))
    yield Line(
        "text made to be slow",
        "",
        0,
        f"{took[slowest] * 1e3:,.0f} ms",
        {"ms": {name: round(seconds * 1e3, 1) for name, seconds in took.items()}},
        f"words of people, {usual * 1e3:,.0f} ms",
        usual / took[slowest],
        note=f"{slowest}, {MAX_SOURCE:,} characters of it",
    )


def _seconds(source: str) -> float:
    """Processor seconds, in the quickest of a few."""
    found = []
    for _ in range(TIMES):
        begun = time.process_time()
        render(source)
        found.append(time.process_time() - begun)
    return min(found)
