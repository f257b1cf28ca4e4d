# SPDX-License-Identifier: Apache-2.0
"""How the record ended at each check, kept beside the database.

Who has the database in hand can compute all hashes anew, and does not reach this file, which is
in the state folder. One line a check: the moment, the place, the hash.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

NAME = "record-ends.txt"
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\d{1,18}) ([0-9a-f]{64})")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Noted(NamedTuple):
    """That a line stood at a place with this hash; `when` goes on after "it was there"."""

    place: int
    hash: str
    when: str


def noted(state: Path) -> list[Noted]:
    """What the file says; a line that was cut short in writing says nothing."""
    try:
        lines = (state / NAME).read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = (_LINE.fullmatch(line) for line in lines)
    return [
        Noted(int(one[2]), one[3], f"on {day(datetime.strptime(one[1], _MOMENT))}, as {NAME} says")  # noqa: DTZ007
        for one in found
        if one is not None
    ]


def note(state: Path, at: datetime, place: int, last: str) -> None:
    """Add a line, on the disk before this returns."""
    line = f"{at.astimezone(UTC).strftime(_MOMENT)} {place} {last}\n"
    file = os.open(state / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode("ascii"))
        os.fsync(file)
    finally:
        os.close(file)


def day(moment: datetime) -> str:
    """`28 November 2026`."""
    return f"{moment.day} {moment:%B %Y}"
