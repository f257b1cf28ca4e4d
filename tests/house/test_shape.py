# SPDX-License-Identifier: Apache-2.0
"""Files say what they are for, and stay small."""

import ast
from pathlib import Path

import pytest

from tests.house.sources import ROOT, modules, nodes, rooms, tree

MOST_LINES = 350
LONGEST_FUNCTION = 60
LONGEST_OPENING = 75
LICENCE = "# SPDX-License-Identifier: Apache-2.0"
NOT_A_NOUN = {"common", "helper", "helpers", "manager", "service", "util", "utils"}
# A revision lists tables: it is as long as they are many, and never changes once released.
REVISIONS = "storage/migrations/versions/"


def opening_fault(text: str, module: ast.Module) -> str | None:
    """What is wrong with a module's first lines, or None. An empty module says nothing."""
    if not text.strip():
        return None
    if text.splitlines()[0] != LICENCE:
        return "does not begin with the licence line"
    docstring = ast.get_docstring(module)
    if not docstring:
        return "does not say what it is for"
    sentence = docstring.splitlines()[0]
    if len(sentence) > LONGEST_OPENING:
        return f"opens with {len(sentence)} characters, not {LONGEST_OPENING} at most"
    if not sentence.endswith((".", "?", "!")) or ";" in sentence:
        return "does not open with one plain sentence"
    return None


def long_functions(module: ast.Module) -> list[str]:
    """Functions over the limit, decorators not counted."""
    functions = (n for n in nodes(module) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    spans = ((n, (n.end_lineno or n.lineno) - n.lineno + 1) for n in functions)
    return [f"{n.name} has {lines} lines" for n, lines in spans if lines > LONGEST_FUNCTION]


def test_every_module_opens_with_its_licence_and_one_sentence() -> None:
    faults = (
        (path, opening_fault((ROOT / path).read_text(encoding="utf-8"), tree(path)))
        for path in modules()
    )
    found = [f"{path} {fault}" for path, fault in faults if fault]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        '"""Posts."""\n',
        f"{LICENCE}\nimport json\n",
        f'{LICENCE}\n"""What a forum is{", and what it is not" * 4}."""\n',
        f'{LICENCE}\n"""Posts; and replies."""\n',
        f'{LICENCE}\n"""Posts and\nreplies."""\n',
    ],
)
def test_a_bad_opening_is_seen(text: str) -> None:
    assert opening_fault(text, ast.parse(text))


def test_no_file_is_long() -> None:
    lengths = {
        path: len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in modules()
        if not str(path).startswith(REVISIONS)
    }
    found = [f"{path} has {lines} lines" for path, lines in lengths.items() if lines > MOST_LINES]
    assert not found, "\n".join(found)


def test_no_function_is_long() -> None:
    found = [
        f"{path}: {fault}"
        for path in modules()
        if not str(path).startswith(REVISIONS)
        for fault in long_functions(tree(path))
    ]
    assert not found, "\n".join(found)


def test_a_long_function_is_seen() -> None:
    body = "    x = 1\n" * LONGEST_FUNCTION
    assert long_functions(ast.parse("def f():\n" + body)) == ["f has 61 lines"]


def test_every_room_is_named_after_what_is_in_it() -> None:
    found = [path for path in rooms() if NOT_A_NOUN & {Path(part).stem for part in path.parts}]
    assert not found, f"Name these after their noun: {[str(path) for path in found]}"
