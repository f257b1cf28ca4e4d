# SPDX-License-Identifier: Apache-2.0
"""The table that is printed and the file that is kept."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from bench.ceilings import Limits
from bench.measures import Json
from bench.processes import ROOT
from bench.result import Line

PATH = ROOT / "bench" / "report.json"
WIDTHS = (36, 11, 9, 17, 8, 8, 8)
HEAD = ("what", "database", "posts", "figure", "ratio", "by clock", "must")


def heading() -> str:
    return _columns(HEAD) + "\n" + "-" * (sum(WIDTHS) + 2 * len(WIDTHS) + 4)


def line(found: Line) -> str:
    """One line: held, not held, or nothing asked."""
    mark = {True: "held", False: "NOT HELD", None: ""}[found.held]
    must = "" if found.must is None else f"{'≤' if found.at_most else '≥'} {found.must:.3g}"
    columns = (
        found.name,
        found.database,
        f"{found.posts:,}" if found.posts else "",
        found.figure,
        _ratio(found.ratio),
        _ratio(found.wall_ratio),
        must,
    )
    note = f"  {found.note}" if found.note else ""
    return f"{_columns(columns)}  {mark}{note}"


def limits(found: Limits) -> str:
    """The limits, one a line, and what is strange about them."""
    told = found.report()
    lines = [f"  {name:<34} {figure:>10,.0f}/s" for name, figure in found.figures().items()]
    if slow := told["machine busy or slow"]:
        lines.append(f"  machine busy or slow: {', '.join(str(name) for name in _list(slow))}")
    return "\n".join(["Limits of this run, a second and core:", *lines, f"  RSA by {found.rsa_by}"])


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _columns(values: tuple[str, ...]) -> str:
    first, *rest = zip(values, WIDTHS, strict=True)
    shown = [first[0][: first[1]].ljust(first[1])]
    return "  ".join(shown + [value.rjust(width) for value, width in rest])


def keep(found: Limits, lines: list[Line], faults: list[str], path: Path = PATH) -> None:
    """Write the report."""
    machine: Json = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    whole: Json = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "limits": found.report(),
        "lines": [each.report() for each in lines],
        "not measured": faults,
    }
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
