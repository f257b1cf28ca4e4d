# SPDX-License-Identifier: Apache-2.0
"""Light and dark differ in colours, and in nothing else."""

import re

from tests.house.sources import ROOT, files

ASKS_FOR_THE_THEME = re.compile(r"prefers-color-scheme")
CHOOSES_BY_THEME = re.compile(r"light-dark\(\s*([^()]*?)\s*\)")
COLOURS = re.compile(r"#[0-9a-f]{3,8}\s*,\s*#[0-9a-f]{3,8}")


def differences(text: str) -> list[str]:
    """What of a file may make more than colours depend on the theme."""
    chosen = CHOOSES_BY_THEME.findall(text)
    unread = text.count("light-dark(") - len(chosen)
    return [
        *ASKS_FOR_THE_THEME.findall(text),
        *(found for found in chosen if not COLOURS.fullmatch(found)),
        *["light-dark() of something else"] * unread,
    ]


def test_nothing_but_colours_depends_on_the_theme() -> None:
    """So that no page need be looked at in both for what is not a colour."""
    kinds = {".css", ".html", ".jinja", ".js", ".py", ".svg"}
    ours = [path for path in files() if path.parts[0] == "web" and path.suffix in kinds]
    assert any(path.suffix == ".css" for path in ours)
    off = {path: differences((ROOT / path).read_text(encoding="utf-8")) for path in ours}
    assert {path: found for path, found in off.items() if found} == {}


def test_what_else_depends_on_the_theme_is_seen() -> None:
    assert differences("a { color: light-dark(#fff, #12181f) }") == []
    for bad in (
        "@media (prefers-color-scheme: dark) { nav { display: none } }",
        "matchMedia('(prefers-color-scheme: dark)')",
        "a { background: light-dark(url(sun.svg), url(moon.svg)) }",
        "a { width: light-dark(1em, 2em) }",
    ):
        assert differences(bad), bad
