# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: DTZ001 (local times are what this is about)
"""Clocks that change, leap days, midnights: as dateutil and vobject have it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import vobject
from dateutil import tz
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from federation.events import SharedEvent, from_members, to_members
from server.calendar import feeds, lists, series
from server.calendar.recurring import MOST, Rule, must_be_bearable, occurrences, rule_of
from server.errors import Invalid
from server.events import times
from server.events.details import Details
from server.events.rules import in_words
from storage.events import Event
from storage.members import Member
from storage.posts import Post

ZONES = ["Europe/Berlin", "America/Chicago", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC",
         "America/St_Johns", "Africa/Casablanca", "Pacific/Apia"]  # fmt: skip
LOCAL = st.datetimes(datetime(2000, 1, 1), datetime(2036, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
# The days on which clocks change in Berlin, Chicago and on Lord Howe, and leap days.
TURNS = st.sampled_from([
    datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 8, 2, 15),
    datetime(2026, 11, 1, 1, 45), datetime(2026, 10, 4, 2, 15), datetime(2028, 2, 29, 23, 30),
    datetime(2011, 12, 30, 12, 0),
])  # fmt: skip
ZONE = st.sampled_from(ZONES)
REPEATS = ["daily", "weekly", "fortnightly", "monthly-day", "monthly-weekday", "yearly"]


def gettz(name: str) -> Any:
    return tz.gettz(name)


@given(LOCAL | TURNS, ZONE)
def test_a_local_time_is_the_moment_that_dateutil_says_it_is(local: datetime, zone: str) -> None:
    theirs = local.replace(tzinfo=gettz(zone))
    assert times.is_skipped(local, zone) is not tz.datetime_exists(theirs)
    moment = times.resolve(local, zone)
    assert moment == tz.resolve_imaginary(theirs).astimezone(UTC)
    shown = times.wall(moment, zone)
    assert shown == local or times.is_skipped(local, zone)


@given(LOCAL | TURNS, ZONE, st.integers(1, 3 * 24 * 60), st.booleans())
@example(datetime(2026, 11, 1, 1, 45), "America/Chicago", 15, False)
@settings(max_examples=60)
def test_a_calendar_file_says_the_same_moments_to_another_library(
    local: datetime, zone: str, minutes: int, all_day: bool
) -> None:
    # On Samoa there was no 30 December 2011.
    assume(not (all_day and times.is_skipped(local.replace(hour=12, minute=0), zone)))
    details = Details(times.resolve(local, zone), times.resolve(local, zone), zone, all_day)
    details = series.at(details, local, minutes)
    told = from_members(to_members(SharedEvent(details), "https://x.example/p/1"))
    assert told is not None
    assert (told.details.starts, told.details.ends) == (details.starts, details.ends)
    entry = parsed([details])[0]
    if all_day:
        assert entry.dtstart.value == local.date()
        assert entry.dtend.value - entry.dtstart.value == timedelta(
            days=max(1, round(minutes / 1440))
        )
        return
    assert entry.dtstart.value.astimezone(UTC) == details.starts
    assert entry.dtend.value.astimezone(UTC) == details.ends


def parsed(found: list[Details]) -> list[Any]:
    """The entries of a calendar file of these events, as vobject reads them."""
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    listed = []
    for number, details in enumerate(found, start=1):
        uri = f"https://x.example/p/{number}"
        post = Post(id=number, uri=uri, url=uri, title="Kerbs, “ramps”; and\\more", html="<p>x</p>",
                    published=now, updated=None)  # fmt: skip
        author = Member(uri="https://x.example/u/ana", name="Ana Ruiz")
        event = Event(post_id=number, sequence=0)
        listed.append(feeds.Listed(post, author, event, details))
    body = feeds.calendar("Every event", listed, now).decode()
    assert all(len(line.encode()) <= 75 for line in body.split("\r\n"))
    # It remembers the first description of a zone that it ever read, and no later one.
    getattr(vobject.icalendar, "__tzidMap").clear()
    entries: list[Any] = vobject.readOne(body).vevent_list
    assert {entry.summary.value for entry in entries} == {"Kerbs, “ramps”; and\\more"}
    assert [entry.uid.value for entry in entries] == [one.post.uri for one in listed]
    return entries


@given(st.sampled_from(REPEATS), LOCAL | TURNS, ZONE)
@settings(max_examples=60)
def test_ten_o_clock_stays_ten_o_clock(repeats: str, first: datetime, zone: str) -> None:
    rule = Rule(rule_of(repeats, first, None, 40), first)
    starts = list(occurrences(rule))
    assert starts == list(rrulestr(rule.rule, dtstart=first))
    for start in starts:
        details = series.at(Details(first, first, zone), start, 90)
        assert details.ends - details.starts == timedelta(minutes=90)
        shown = times.wall(details.starts, zone)
        assert shown == start or times.is_skipped(start, zone)
        assert lists.days_of(details)[0] == shown.date()


def test_a_thousand_occurrences_are_right_in_a_file_and_no_more_are_made() -> None:
    first = datetime(2026, 3, 1, 9, 30)
    left_out = (date(2026, 3, 29), date(2027, 12, 24))
    starts = list(occurrences(Rule("FREQ=DAILY", first, left_out)))
    assert len(starts) == MOST
    assert starts[:1] == [first]
    assert not set(left_out) & {start.date() for start in starts}
    zone = "Europe/Berlin"
    found = [series.at(Details(first, first, zone), start, 60) for start in starts]
    for entry, details in zip(parsed(found), found, strict=True):
        assert entry.dtstart.value.astimezone(UTC) == details.starts
        assert entry.dtstart.value.strftime("%H:%M") == "09:30"


def test_leap_days_midnights_and_days_left_out() -> None:
    leap = datetime(2024, 2, 29, 22)
    yearly = occurrences(Rule("FREQ=YEARLY", leap))
    assert [start.year for start in yearly][:4] == [2024, 2028, 2032, 2036]
    # What is left out counts: five times, of which one is none.
    rule = Rule("FREQ=WEEKLY;COUNT=5", leap, (date(2024, 3, 7),))
    assert len(list(occurrences(rule))) == 4
    assert next(occurrences(rule, after=datetime(2024, 3, 1))) == datetime(2024, 3, 14, 22)
    over = series.at(Details(leap, leap, "Asia/Kathmandu"), leap, 180)
    assert lists.days_of(over) == [date(2024, 2, 29), date(2024, 3, 1)]
    till = series.at(Details(leap, leap, "Asia/Kathmandu"), leap, 120)
    assert lists.days_of(till) == [date(2024, 2, 29)]
    assert lists.days_of(till, "Pacific/Apia") == [date(2024, 3, 1)]
    assert lists.days_of(over, "America/Chicago") == [date(2024, 2, 29)]
    assert times.in_words(over.starts, over.ends, over.zone, all_day=False) == (
        "Thursday 29 February 2024, 22:00 to Friday 1 March 2024, 01:00 (Asia/Kathmandu, UTC+5:45)"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "", "FREQ=SECONDLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY", "DTSTART=1",
        "FREQ=WEEKLY;BYSETPOS=400;BYDAY=MO", "FREQ=MONTHLY\nRRULE:FREQ=DAILY", "FREQ=NEVER",
        "FREQ=YEARLY;BYEASTER=1", "RRULE:RRULE:FREQ=DAILY", "FREQ=DAILY;INTERVAL=x", "A" * 600,
        "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;INTERVAL=0",
    ],
)  # fmt: skip
def test_what_is_no_rule_or_keeps_a_machine_busy_is_refused(rule: str) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        list(occurrences(Rule(rule, datetime(2026, 1, 1))))


@given(st.text(max_size=80) | st.from_regex(r"FREQ=(DAILY|YEARLY)(;[A-Z]{2,8}=[0-9,+-]{1,5}){0,3}"))
def test_no_text_does_more_than_be_refused(rule: str) -> None:
    try:
        must_be_bearable(rule)
        first = next(occurrences(Rule(rule, datetime(2026, 1, 1))), None)
    except Invalid:
        return
    finally:
        assert in_words(rule) == "" or in_words(rule).startswith("every ")
    assert first is None or first >= datetime(2026, 1, 1)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;INTERVAL=2;UNTIL=20270303T235959", "every 2 weeks, until 3 March 2027"),
        (
            "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=5",
            "every week on Monday, Wednesday and Friday, 5 times",
        ),
        ("FREQ=MONTHLY;BYDAY=-1TU", "every month on the last Tuesday"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "every month on day 31"),
        ("FREQ=YEARLY", "every year"),
        ("FREQ=MONTHLY;BYSETPOS=1;BYDAY=MO", ""),
        ("FREQ=MONTHLY;BYDAY=TU", ""),
        ("FREQ=YEARLY;BYMONTHDAY=3", ""),
        ("FREQ=WEEKLY;UNTIL=never", ""),
    ],
)
def test_a_rule_is_said_in_plain_words_or_not_at_all(rule: str, words: str) -> None:
    assert in_words(rule) == words
