# SPDX-License-Identifier: Apache-2.0
"""The page on threats and the tests that carry their ids name the same."""

import ast
import re
from collections.abc import Iterator

from tests.house.sources import ROOT, modules, nodes, tree

PAGE = ROOT / "docs/threats.md"
CLASSES = "SIG|AUT|SSRF|DOS|XSS|ACL|ACC|WEB|FED"
ROW = re.compile(rf"^\| ((?:{CLASSES})-\d+) \|(.*)\|$", re.MULTILINE)
NOT_YET = "not yet"


def ids_in(name: str) -> set[str]:
    """The ids a test's name begins with: `test_SIG_04_06_XSS_01_what_happens` has three."""
    found: set[str] = set()
    kind = ""
    for word in name.removeprefix("test_").split("_"):
        if re.fullmatch(CLASSES, word):
            kind = word
        elif kind and word.isdigit() and len(word) == 2:
            found.add(f"{kind}-{word}")
        else:
            break
    return found


def named_in_tests() -> dict[str, set[str]]:
    """Each id in the name of a test, and the files of these tests."""
    found: dict[str, set[str]] = {}
    for path in modules():
        if path.parts[0] == "tests":
            for function in _functions(tree(path)):
                for one in ids_in(function):
                    found.setdefault(one, set()).add(str(path))
    return found


def _functions(module: ast.Module) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def listed(page: str) -> dict[str, str]:
    """Each id of the page's tables, and the rest of its row."""
    rows = ROW.findall(page)
    assert len(rows) == len(dict(rows)), "an id is listed twice"
    return dict(rows)


def faults(page: str, tests: dict[str, set[str]]) -> list[str]:
    """Where the page and the tests say different things."""
    rows = listed(page)
    found = [f"{one} is in a test's name and not on the page" for one in tests.keys() - rows.keys()]
    for one, row in rows.items():
        waits = NOT_YET in row.rpartition("|")[2].lower()
        if one not in tests and not waits:
            found.append(f"{one} has no test of its name and does not say {NOT_YET!r}")
        if one in tests and waits:
            found.append(f"{one} has a test of its name and says {NOT_YET!r}")
        for named in re.findall(r"\(\.\./(tests/[^)]+)\)", row):
            if one in tests and named not in tests[one]:
                found.append(f"{one} has no test of its name in {named}")
    return sorted(found)


def test_the_page_on_threats_and_the_tests_name_the_same() -> None:
    found = faults(PAGE.read_text(encoding="utf-8"), named_in_tests())
    assert not found, "\n".join(found)


def test_ids_are_read_from_the_beginning_of_names() -> None:
    assert ids_in("test_SIG_04_06_07_12_what_is_sent") == {"SIG-04", "SIG-06", "SIG-07", "SIG-12"}
    assert ids_in("test_WEB_01_04_XSS_08_every") == {"WEB-01", "WEB-04", "XSS-08"}
    assert ids_in("test_R14_a_flood") == set()
    assert ids_in("test_a_forum_has_SIG_01_in_it") == set()
    assert ids_in("test_SIG_200_no_id") == set()


def test_a_difference_is_seen() -> None:
    page = (
        "| SIG-01 | a | b | [t](../tests/a.py) |\n"
        "| SIG-02 | a | b | not yet: x |\n"
        "| SIG-03 | a | b | not yet: x |\n"
        "| SIG-04 | a | b | |\n"
        "| SIG-05 | a | b | [t](../tests/gone.py) |\n"
    )
    tests = {one: {"tests/a.py"} for one in ("SIG-01", "SIG-03", "SIG-05", "SIG-99")}
    assert [fault.partition(" ")[0] for fault in faults(page, tests)] == [
        "SIG-03",
        "SIG-04",
        "SIG-05",
        "SIG-99",
    ]
