# SPDX-License-Identifier: Apache-2.0
"""What repeats: a rule of RFC 5545 with exceptions, in the time of a zone.

A rule is expanded in local time, as people mean it: ten o'clock stays ten o'clock when the clocks
change. The moments come from `times.resolve` afterwards.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from dateutil.rrule import rrulestr

from server.errors import Invalid
from server.events.details import LONGEST_RULE

MOST = 1_000
UNREADABLE = "This rule cannot be read: say it as every so many days, weeks, months or years."
# What is nobody's meeting, and keeps a machine busy for long.
_REFUSED = re.compile(
    r"FREQ=(SECONDLY|MINUTELY|HOURLY)|BYHOUR|BYMINUTE|BYSECOND|BYEASTER|DTSTART"
    r"|(INTERVAL|COUNT)=(?![1-9]\d{0,8}(;|$))"
)
# What a rule by day or week never finds would be looked for day by day, for ages.
_BY_DAY = re.compile(r"FREQ=(DAILY|WEEKLY)")
_TOO_FINE = re.compile(r"BYMONTH|BYYEARDAY|BYWEEKNO|BYSETPOS")
_COUNT = re.compile(r"COUNT=(\d{1,9})\b")
_UNTIL = re.compile(r"UNTIL=(\d{8})(T\d{6})?Z?")
_FAR = datetime(2200, 12, 31)  # noqa: DTZ001 (local, as every start here)
_PARTS = re.compile(r"[A-Z]+=[A-Z0-9+,:-]+(;[A-Z]+=[A-Z0-9+,:-]+)*")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

REPEATS: dict[str, str] = {
    "": "It does not repeat",
    "daily": "Every day",
    "weekly": "Every week, on this day",
    "fortnightly": "Every two weeks, on this day",
    "monthly-day": "Every month, on this date",
    "monthly-weekday": "Every month, on this weekday (such as the first Tuesday)",
    "yearly": "Every year, on this date",
    "rule": "By a rule, as calendar programs write it",
}


@dataclass(frozen=True)
class Rule:
    """A rule, the local start of the first occurrence, and the days left out."""

    rule: str
    first: datetime
    except_on: tuple[date, ...] = ()


def rule_of(repeats: str, first: datetime, until: date | None, count: int | None) -> str:
    """The RRULE of a choice on the form, from its first start on."""
    parts = {
        "daily": ["FREQ=DAILY"],
        "weekly": ["FREQ=WEEKLY"],
        "fortnightly": ["FREQ=WEEKLY", "INTERVAL=2"],
        "monthly-day": ["FREQ=MONTHLY", f"BYMONTHDAY={first.day}"],
        "monthly-weekday": ["FREQ=MONTHLY", f"BYDAY={_nth(first)}{_DAYS[first.weekday()]}"],
        "yearly": ["FREQ=YEARLY"],
    }[repeats]
    if until is not None:
        # In local time, and to the end of the day: nobody counts in UTC here.
        parts = [*parts, f"UNTIL={until:%Y%m%d}T235959"]
    if count is not None:
        parts = [*parts, f"COUNT={count}"]
    return ";".join(parts)


def _nth(first: datetime) -> int:
    """Which of its weekday in its month a day is; the fifth counts as the last."""
    nth = (first.day - 1) // 7 + 1
    return nth if nth < 5 else -1


def must_be_bearable(rule: str) -> str:
    """The rule without its name and in capitals; Invalid for one that is none, or too dense."""
    plain = rule.strip().upper().removeprefix("RRULE:")
    is_none = len(plain) > LONGEST_RULE or not _PARTS.fullmatch(plain) or _REFUSED.search(plain)
    if is_none or (_BY_DAY.search(plain) and _TOO_FINE.search(plain)):
        raise Invalid(message=UNREADABLE)
    return plain


def occurrences(rule: Rule, *, after: datetime | None = None) -> Iterator[datetime]:
    """The local starts of at most MOST occurrences, in order; those after `after` where given.

    Invalid for a rule that dateutil cannot read. UNTIL with a zone is read as local time.
    """
    plain = must_be_bearable(rule.rule)
    count = _COUNT.search(plain)
    try:
        found = rrulestr(_bounded(plain, rule.first), dtstart=rule.first)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise Invalid(message=UNREADABLE) from error
    left_out = set(rule.except_on)
    # What is left out counts as well (RFC 5545 §3.8.5.1).
    every = islice(iter(found), int(count[1]) if count else None)
    kept = islice((start for start in every if start.date() not in left_out), MOST)
    return (start for start in kept if after is None or start > after)


def _bounded(plain: str, first: datetime) -> str:
    """The rule with an end in local time: none is followed for thousands of years."""
    far = first + timedelta(days=60 * 366) if _BY_DAY.search(plain) else _FAR
    until = _UNTIL.search(plain)
    ends = f"{far:%Y%m%d}T235959"
    if until is not None:
        ends = min(ends, f"{until[1]}{until[2] or 'T235959'}")
    rest = _COUNT.sub("", _UNTIL.sub("", plain))
    parts = [part for part in rest.split(";") if part]
    return ";".join([*parts, f"UNTIL={ends}"])


def days_of(lines: Sequence[str]) -> tuple[date, ...]:
    """Days as typed, one a line; ValueError for one that is none."""
    return tuple(dict.fromkeys(date.fromisoformat(line.strip()) for line in lines if line.strip()))


def horizon(now: datetime) -> datetime:
    """Until when the occurrences of a series are put into the calendar ahead."""
    return now + timedelta(days=60)
