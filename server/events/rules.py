# SPDX-License-Identifier: Apache-2.0
"""Rules of what repeats (RFC 5545 §3.3.10), said in words."""

import re
from datetime import datetime

from server.events import times

_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday",
    "SA": "Saturday", "SU": "Sunday",
}  # fmt: skip
_NTH = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth", "-1": "last"}
_SAID = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"}
_BY_DAY = re.compile(r"\+?(-?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")


def in_words(rule: str) -> str:
    """`every 2 weeks on Monday and Friday, until 3 March 2027`; "" for what has no plain words."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    unit = _UNITS.get(parts.get("FREQ", ""))
    interval = parts.get("INTERVAL", "1")
    if unit is None or set(parts) - _SAID or not (interval.isascii() and interval.isdecimal()):
        return ""
    said = f"every {unit}" if int(interval[:9]) == 1 else f"every {int(interval[:9])} {unit}s"
    days, ends = _days(parts, unit), _ends(parts)
    if days is None or ends is None:
        return ""
    return f"{said}{days}{ends}"


def _days(parts: dict[str, str], unit: str) -> str | None:
    """` on the first Tuesday`; None for what has no plain words."""
    if "BYMONTHDAY" in parts:
        day = parts["BYMONTHDAY"]
        is_day = day.isascii() and day.isdecimal() and 1 <= int(day[:3]) <= 31
        return (
            f" on day {int(day)}" if is_day and unit == "month" and "BYDAY" not in parts else None
        )
    if "BYDAY" not in parts:
        return ""
    names = []
    for item in parts["BYDAY"].split(",")[:7]:
        found = _BY_DAY.fullmatch(item)
        if found is None or (found[1] is None) is (unit == "month"):
            return None
        nth = f"the {_NTH[found[1]]} " if found[1] in _NTH else ""
        if found[1] and not nth:
            return None
        names.append(f"{nth}{_DAYS[found[2]]}")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f" on {listed}"


def _ends(parts: dict[str, str]) -> str | None:
    """`, until 3 March 2027` or `, 5 times`; None for what has no plain words."""
    count, until = parts.get("COUNT", ""), parts.get("UNTIL", "")
    if count:
        is_count = count.isascii() and count.isdecimal()
        return f", {int(count[:9])} times" if is_count else None
    if not until:
        return ""
    try:
        day = datetime.strptime(until[:8], "%Y%m%d").date()  # noqa: DTZ007 (a day, as rules say it)
    except ValueError:
        return None
    return f", until {times.day_in_words(day).partition(' ')[2]}"
