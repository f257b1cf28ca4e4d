# SPDX-License-Identifier: Apache-2.0
"""The journeys name functions that are there."""

import ast
import re
from pathlib import Path

from tests.house.sources import ROOT, tree

PAGE = ROOT / "docs/journeys.md"
STATION = re.compile(r"`([a-z0-9_/]+\.py):([A-Za-z0-9_.]+)`")


def functions(module: ast.Module) -> set[str]:
    """The functions of a module, those of a class with its name before theirs."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    own = {node.name for node in module.body if isinstance(node, kinds)}
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    return own | {
        f"{holder.name}.{node.name}"
        for holder in classes
        for node in holder.body
        if isinstance(node, kinds)
    }


def wrong_stations(text: str) -> list[str]:
    """Each `file:function` of a text that is not there."""
    return [
        f"{path}:{name}"
        for path, name in STATION.findall(text)
        if not (ROOT / path).is_file() or name not in functions(tree(Path(path)))
    ]


def test_every_station_of_the_journeys_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(STATION.findall(text)) > 20
    assert wrong_stations(text) == []


def test_a_station_that_is_gone_is_seen() -> None:
    text = (
        "`web/gone.py:thread` `web/posts.py:gone` `web/posts.py:thread` `server/instance.py:open`"
    )
    assert wrong_stations(text) == [
        "web/gone.py:thread",
        "web/posts.py:gone",
        "server/instance.py:open",
    ]
