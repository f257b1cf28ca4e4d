# SPDX-License-Identifier: Apache-2.0
"""The members of a record as tables, for the page that describes it."""

from collections.abc import Callable
from typing import Any

from server.practices.record.outcomes import Outcome, Point
from server.practices.record.practice import (
    Condition,
    Costs,
    Credit,
    Partner,
    Reach,
    Record,
    Setting,
    Source,
    Staff,
    Step,
    Sustain,
    Transfer,
)
from server.records.parts import Nested, Part, Parts, members
from server.records.values import (
    LARGEST,
    Choice,
    Day,
    Flag,
    Items,
    Line,
    Number,
    Pattern,
    Reader,
    Text,
)

PARTS: tuple[type[Part], ...] = (
    Record, Partner, Reach, Setting, Step, Costs, Staff, Outcome, Point, Condition, Transfer,
    Sustain, Source, Credit,
)  # fmt: skip


def described(reader: Reader) -> str:
    """What a member may hold, in a few words."""
    if isinstance(reader, Items):
        return f"at most {reader.most}: {described(reader.of)}"
    if isinstance(reader, Parts):
        return f"at most {reader.most}: {reader.of.__name__}"
    if isinstance(reader, Nested):
        return f"a {reader.of.__name__}"
    return _SINGLE[type(reader)](reader)


def _number(reader: Any) -> str:
    what = "whole number" if reader.whole else "number"
    return what if reader.least == -LARGEST else f"{what} from {reader.least:g} on"


def _line(reader: Any) -> str:
    return f"one line of at most {reader.limit:,} characters" + (", needed" * bool(reader.needed))


_SINGLE: dict[type[Any], Callable[[Any], str]] = {
    Line: _line,
    Text: lambda reader: f"Markdown of at most {reader.limit:,} characters",
    Number: _number,
    Choice: lambda reader: "one of " + ", ".join(f"`{word}`" for word in reader.options if word),
    Flag: lambda _: "`true` or `false`",
    Day: lambda _: "a day, month or year, `2026-03-31`, `2026-03` or `2026`",
    Pattern: lambda reader: f"text that matches `{reader.form.pattern}`".replace("|", "\\|"),
}


def tables() -> str:
    """Every part with its members."""
    lines = []
    for part in PARTS:
        said = " ".join((part.__doc__ or "").split())
        lines += [f"### {part.__name__}", "", said, "", "| member | holds |", "|---|---|"]
        lines += [f"| `{wire}` | {described(reader)} |" for _, wire, reader in members(part)]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables())
