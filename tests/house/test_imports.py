# SPDX-License-Identifier: Apache-2.0
"""No import hides, and features stand alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import FLOORS, imports, names_used, nodes, rooms, tree

# Path -> why a module may hide an import. Keep it short, and keep the reason true.
MAY_HIDE: dict[str, str] = {
    "storage/database.py": "alembic takes longer to import than a short command otherwise runs",
    "web/cli/program.py": "posting needs no server program, and only the demo needs the demo",
    "web/cli/things.py": "what is held here is found without the way to other agencies",
}

# Members, forums and posts are the common ground of every floor.
FEATURES = {"practices", "reviews", "resources", "events", "mentoring", "moderation"}
# Rooms that know no house: they could be lifted out of the project as they are.
HOMELESS = ("federation/vocabulary", "federation/signatures")

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def hidden_imports(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports that only run later, only for a type checker, or only by a computed name."""
    # Whatever stands in a function is not at the beginning of its line.
    is_any_inside = any(
        isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset for node in nodes(module)
    )
    for node in nodes(module):
        if is_any_inside and isinstance(node, FUNCTIONS):
            yield from imports(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield node.lineno, "TYPE_CHECKING"
        elif isinstance(node, ast.Name) and node.id == "__import__":
            yield node.lineno, "__import__"
    for line, name in names_used(module):
        if name in ("importlib.import_module", "importlib.__import__"):
            yield line, name


def feature_of(path: Path) -> str | None:
    """The feature a room belongs to: practices for server/practices.py and server/practices/."""
    name = path.parts[1].removesuffix(".py") if len(path.parts) > 1 else ""
    return name if name in FEATURES else None


def neighbours(path: Path, module: ast.Module) -> Iterator[str]:
    """The other features of its own floor that a feature's room imports."""
    own = feature_of(path)
    for line, name in imports(module):
        parts = name.split(".")
        if own and parts[0] == path.parts[0] and parts[1] in FEATURES - {own}:
            yield f"{path}:{line} imports {name}"


def test_no_import_is_hidden() -> None:
    found = [
        f"{path}:{line} hides {name}"
        for path in rooms()
        if str(path) not in MAY_HIDE
        for line, name in hidden_imports(tree(path))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import json",
        "class A:\n    async def f(self):\n        from json import loads",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import json",
        "import typing\nif typing.TYPE_CHECKING:\n    import json",
        "from importlib import import_module\nimport_module('json')",
        "__import__('json')",
    ],
)
def test_a_hidden_import_is_seen(source: str) -> None:
    assert list(hidden_imports(ast.parse(source)))


def test_every_permission_to_hide_is_still_used() -> None:
    unused = [path for path in MAY_HIDE if not list(hidden_imports(tree(Path(path))))]
    assert not unused, f"Nothing is hidden there any more: {unused}"


def test_features_on_one_floor_stand_alone() -> None:
    found = [line for path in rooms() for line in neighbours(path, tree(path))]
    assert not found, "\n".join(found)


def test_a_feature_that_leans_on_its_neighbour_is_seen() -> None:
    module = ast.parse("from server import reviews\nfrom server.posts import Post")
    assert list(neighbours(Path("server/practices.py"), module)) == [
        "server/practices.py:1 imports server.reviews"
    ]


def test_the_vocabulary_and_the_signatures_know_no_house() -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path in rooms()
        for home in HOMELESS
        if str(path).startswith(home)
        for line, name in imports(tree(path))
        if name.split(".")[0] in FLOORS and not name.startswith(home.replace("/", "."))
    ]
    assert not found, "\n".join(found)
