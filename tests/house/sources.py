# SPDX-License-Identifier: Apache-2.0
"""The files of the house, and the names its code uses."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("web", "federation", "server", "storage")
# What a tree without git leaves out, beside everything hidden but our checks.
MADE_HERE = {"__pycache__", "build", "dist", "var"}


def _left_out(path: Path) -> bool:
    hidden = any(part.startswith(".") and part != ".ci" for part in path.parts)
    return hidden or bool(MADE_HERE & set(path.parts))


@cache
def files() -> tuple[Path, ...]:
    """Every file that is in the repository or about to be, relative to its top."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        names = [Path(name) for name in listed.stdout.split("\0") if name]
    else:
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        names = [path for path in names if not _left_out(path)]
    return tuple(sorted(name for name in set(names) if (ROOT / name).is_file()))


def modules() -> list[Path]:
    """Every Python file, tests and migrations included."""
    return [path for path in files() if path.suffix == ".py"]


def rooms() -> list[Path]:
    """Every Python file of the four floors."""
    return [path for path in modules() if path.parts[0] in FLOORS]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


@cache
def nodes(module: ast.AST) -> tuple[ast.AST, ...]:
    """All of a tree, walked once however many ask."""
    return tuple(ast.walk(module))


def imports(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Each import below a node: its line, and the dotted name of what is imported."""
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _bound_names(module: ast.Module) -> dict[str, str]:
    """What each imported name stands for: {"dt": "datetime.datetime"}."""
    bound: dict[str, str] = {}
    for node in nodes(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                bound[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return bound


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else None
    return None


def names_used(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Each use of an imported thing, called or passed on: its line, and its full dotted name."""
    bound = _bound_names(module)
    for node in nodes(module):
        if isinstance(node, (ast.Attribute, ast.Name)) and (name := _dotted(node)):
            first, dot, rest = name.partition(".")
            if first in bound:
                yield node.lineno, bound[first] + dot + rest
