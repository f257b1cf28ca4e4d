# SPDX-License-Identifier: Apache-2.0
"""No proposal is claimed that no test drives a peer through."""

import ast

from tests.federation import feps

ON_PAPER = {"67ff"}


def faults(marks: dict[str, set[str]]) -> list[str]:
    """Where the claims and the marks of tests say different things."""
    found = [
        f"FEP-{fep} is claimed, and no test that acts as another server is marked with it"
        for fep in feps.CLAIMS
        if not (marks.get(fep) if fep in ON_PAPER else feps.driving(marks.get(fep, set())))
    ]
    found += [
        f"FEP-{fep} has a test: move it from NOT_YET to CLAIMS in tests/federation/feps.py"
        for fep in feps.NOT_YET
        if feps.driving(marks.get(fep, set()))
    ]
    known = feps.CLAIMS.keys() | feps.NOT_YET.keys()
    return found + [f"FEP-{fep} has a test and is on no list" for fep in marks if fep not in known]


def test_every_claimed_proposal_has_a_test_that_drives_a_peer() -> None:
    found = faults(feps.marked())
    assert not found, "\n".join(found)


def test_the_page_prints_the_claims_and_their_tests() -> None:
    page = feps.PAGE.read_text(encoding="utf-8")
    assert len(feps.BLOCK.findall(page)) == 1
    assert feps.with_table(page) == page, "Run: python -m tests.federation.feps"


def test_what_is_missing_is_seen() -> None:
    marks = {fep: {"tests/hostile/test_a.py::test_b"} for fep in feps.CLAIMS}
    assert faults(marks) == []
    unit = marks | {"1b12": {"tests/federation/test_a.py::test_b"}}
    more = marks | {"0000": {"x"}, **{fep: {"tests/hostile/a.py"} for fep in feps.NOT_YET}}
    assert len(faults(unit)) == 1
    assert len(faults(more)) == 1 + len(feps.NOT_YET)
    source = "@pytest.mark.fep('1b12', '7888')\ndef test_a(): ...\n"
    source += "pytestmark = [pytest.mark.fep('f1d5')]\n"
    assert sorted(feps._marks(ast.parse(source))) == [
        ("1b12", "test_a"),
        ("7888", "test_a"),
        ("f1d5", ""),
    ]
