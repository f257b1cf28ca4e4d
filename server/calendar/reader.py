# SPDX-License-Identifier: Apache-2.0
"""Reads the fields of a form, and gathers what is wrong with them."""

from collections.abc import Mapping
from datetime import date, time

from server import text
from server.events.details import LONGEST_LINE, LONGEST_URL, is_link

Typed = Mapping[str, str]
EARLIEST, LATEST = 2000, 2200


class Reader:
    """Reads fields and gathers what is wrong with them."""

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self.faults: dict[str, str] = {}

    def line(self, name: str, longest: int = LONGEST_LINE) -> str:
        value = text.clean_line(self._typed.get(name, ""), longest + 1)
        if len(value) > longest:
            self.faults[name] = f"Keep it under {longest} characters."
        return value[:longest]

    def lines(self, name: str) -> list[str]:
        """The lines of a field that hold something."""
        return [line for line in self._typed.get(name, "").splitlines() if line.strip()]

    def is_set(self, name: str) -> bool:
        return self._typed.get(name, "") == "yes"

    def choice(self, name: str, among: Mapping[str, str], words: str) -> str:
        value = self._typed.get(name, "")
        if value not in among:
            self.faults[name] = words
            return next(iter(among))
        return value

    def day(self, name: str) -> date | None:
        value = self._typed.get(name, "").strip()
        if not value:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            self.faults[name] = "Write the date as year-month-day, such as 2026-12-03."
            return None
        if not EARLIEST <= found.year <= LATEST:
            self.faults[name] = f"Choose a year between {EARLIEST} and {LATEST}."
            return None
        return found

    def hour(self, name: str) -> time | None:
        value = self._typed.get(name, "").strip()
        if not value:
            return None
        try:
            found = time.fromisoformat(value.zfill(5) if value.count(":") == 1 else value)
        except ValueError:
            found = None
        if found is None or found.tzinfo is not None:
            self.faults[name] = "Write the time as hours and minutes, such as 14:00."
            return None
        return found.replace(second=0, microsecond=0)

    def url(self, name: str) -> str:
        value = self.line(name, LONGEST_URL)
        if value and not is_link(value):
            self.faults[name] = "Write the whole address, beginning with https://."
            return ""
        return value

    def number(self, name: str, most: int) -> int | None:
        value = self._typed.get(name, "").strip()
        if not value:
            return None
        if not (value.isascii() and value.isdecimal()) or not 1 <= int(value[:9]) <= most:
            self.faults[name] = f"Write a whole number between 1 and {most:,}, or leave it empty."
            return None
        return int(value)
