# SPDX-License-Identifier: Apache-2.0
"""Calendar files: one event fills in the form, of several one chooses."""

import html
import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.calendar import choosing, importing, tending
from server.errors import Invalid
from storage.forums import Forum
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.server.calendar.bench import TERM
from tests.web import announcing
from tests.web.announcing import Scene

HERE = Forum(peer=None)
CARRIED = re.compile(r'name="(event-\d+)" value="([^"]*)"')
TICKED = re.compile(r'name="(take-\d+)" value="yes" checked')
scene = announcing.scene


async def sent_file(scene: Scene, who: str, path: str, body: bytes) -> httpx.Response:
    """What a calendar file is answered with."""
    token = await makers.form_token(scene.browsers[who])
    sent = {"file": ("x.ics", body, "text/calendar")}
    return await scene.browsers[who].post(path, data={"csrf": token}, files=sent)


async def test_a_form_is_filled_in_from_a_calendar_file(scene: Scene) -> None:
    path = f"/f/{scene.forum.handle}/events/file"
    ours = (await scene.browsers["ana"].get(f"{scene.path}/event.ics")).content
    zoned = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Kerbs\r\n" + (
        b"DTSTART;TZID=Asia/Kathmandu:20261203T100000\r\nDURATION:PT45M\r\n"
        b"RRULE:FREQ=MONTHLY;BYDAY=1TH\r\nEXDATE;TZID=Asia/Kathmandu:20270107T100000\r\n"
        b"END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    start = b"DTSTART;TZID=Asia/Kathmandu:20261203T100000"
    days = zoned.replace(start, b"DTSTART;VALUE=DATE:20261203")
    days = days.replace(b"DURATION:PT45M", b"DTEND;VALUE=DATE:20261205")
    for body, status, words in (
        (ours, 200, ('value="2026-12-03"', 'value="14:00"', 'value="Europe/Berlin" selected')),
        (zoned, 200, ('value="10:45"', "FREQ=MONTHLY;BYDAY=1TH", "2027-01-07", "Asia/Kathmandu")),
        (days, 200, ('value="2026-12-04"', 'name="all_day" value="yes" checked')),
        (b"", 422, ("no event in this file",)),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n\0\xff", 422, ("calendar file",)),
        (b"%PDF-1.7 kerbs", 422, ("calendar file",)),
    ):
        answer = await sent_file(scene, "ana", path, body)
        assert answer.status_code == status, body
        for said in words:
            assert said in answer.text, (body, said)


def carried(page: str) -> dict[str, str]:
    """What the list of a file carries, and what of it is ticked."""
    events = {name: html.unescape(value) for name, value in CARRIED.findall(page)}
    return events | dict.fromkeys(TICKED.findall(page), "yes")


async def test_of_a_file_with_several_events_one_chooses_and_all_or_none_go_in(
    scene: Scene, clock: TurnableClock
) -> None:
    path = f"/f/{scene.forum.handle}/events"
    page = (await sent_file(scene, "dee", f"{path}/file", TERM)).text
    for words in (
        "The file holds 7 events", "Wednesday 2 December 2026, 09:00–10:00 (Europe/Berlin, UTC+1)",
        "repeats, and the next times follow", "It is over.", "The file says that it is cancelled.",
        "It does not say when it is", "Its rule for repeating cannot be read",
    ):  # fmt: skip
        assert words in page, words
    form = carried(page)
    assert [name for name in form if name.startswith("take")] == ["take-0", "take-1", "take-2"]
    assert "Permit desk" not in await scene.read("visitor", "/events")
    # One of them amiss, by a form of one's own making: its sentence, and nothing is put in.
    spoilt = form | {"event-1": form["event-1"].replace("2026-12-04", "2026-13-04")}
    refused = await scene.send("dee", f"{path}/import", once="a" * 20, **spoilt)
    assert refused.status_code == 422
    assert "Write the date as year-month-day" in refused.text
    assert TICKED.findall(refused.text) == ["take-0", "take-2"]
    for junk in ({}, {"event-0": "[]", "take-0": "yes"}, {"event-0": "{", "take-0": "yes"}):
        answer = await scene.send("dee", f"{path}/import", once="b" * 20, **junk)
        assert (answer.status_code, "Nothing is chosen" in answer.text) == (422, True)
    assert "Permit desk" not in await scene.read("visitor", "/events")

    # Sent twice by one form, they are there once; and many count once against the rate of posts.
    for _ in range(2):
        answer = await scene.send("dee", f"{path}/import", once="c" * 20, **form)
        assert answer.headers["location"] == f"/events?forum={scene.forum.handle}"
    page = await scene.read("visitor", "/events")
    assert [page.count(f">{title}<") for title in ("Permit desk", "Permit desk, later")] == [1, 1]
    assert "Long past" not in page
    await tending.tend(scene.instance)
    page = await scene.read("visitor", "/events")
    # The day that stands in the file by itself is left out of the series.
    assert (page.count(">Permit desk<"), page.count("Wednesday 9 December")) == (3, 1)
    again = (await sent_file(scene, "dee", f"{path}/file", TERM)).text
    assert again.count("It is in the calendar already.") == 3
    assert not TICKED.findall(again)

    clock.turn(minutes=2)
    many = b"".join(
        b"BEGIN:VEVENT\r\nSUMMARY:Day %d\r\nDTSTART:202701%02dT100000Z\r\nEND:VEVENT\r\n" % (n, n)
        for n in range(1, 29)
    )
    body = b"BEGIN:VCALENDAR\r\n" + many + many.replace(b"202701", b"202702") + b"END:VCALENDAR"
    page = (await sent_file(scene, "dee", f"{path}/file", body)).text
    assert "For the other 6, give the file once more" in page
    form = carried(page)
    assert (await scene.send("dee", f"{path}/import", **form)).status_code == 303
    form["event-0"] = form["event-0"].replace("Day 1", "Day 0")
    early = await scene.send("dee", f"{path}/import", **form)
    assert (early.status_code, "try again in" in early.text) == (429, True)


async def test_a_forum_elsewhere_takes_as_many_events_as_its_rules_let_in(scene: Scene) -> None:
    there = await makers.forum_elsewhere(scene.instance)
    async with scene.instance.reading() as session:
        looked = await choosing.choices(
            session, there, importing.events_of(TERM), scene.instance.clock.now()
        )
    assert looked.most == choosing.MOST_ELSEWHERE
    [repeats] = [one for one in looked.shown if one.title == "Permit desk"]
    assert repeats.fault == choosing.ONE_AT_A_TIME
    chosen = {str(n): looked.shown[0].typed for n in range(choosing.MOST_ELSEWHERE + 1)}
    with pytest.raises(Invalid, match="9 are chosen, and 8 can go in at once"):
        async with scene.instance.transaction() as tx:
            await choosing.announce(tx, Member(), there, chosen)


LINES = [
    "DTSTART:20261203T100000Z", "DTSTART;TZID=Nowhere:20261203T100000", "DTSTART:99999999",
    "DTSTART;VALUE=DATE:20261203", "DTEND:20261203", "DURATION:-P9999999D", "DURATION:PT1H",
    "RRULE:FREQ=SECONDLY", "RRULE:FREQ=", "EXDATE:20261203T100000Z,20261204", "SUMMARY:x\\n\x07y",
    "CONFERENCE:javascript:alert(1)", "DTEND:20251203T100000Z", "RDATE:1", "DTSTART:20261203T1",
]  # fmt: skip


def wrapped(lines: list[str]) -> bytes:
    """A calendar file of one event with these lines."""
    ends = (["BEGIN:VCALENDAR", "BEGIN:VEVENT"], ["END:VEVENT", "END:VCALENDAR"])
    return "\r\n".join([*ends[0], *lines, *ends[1]]).encode()


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from(LINES) | st.text(max_size=60), max_size=6).map(wrapped)
)
def test_no_file_does_more_than_fill_in_a_form_or_be_refused(body: bytes) -> None:
    try:
        found = importing.events_of(body)
    except Invalid:
        return
    for one in found:
        assert one.fault or set(one.typed) >= {"title", "start_date", "zone"}
        assert not one.typed.get("online", "").startswith("javascript")
        looked = choosing.look_over(HERE, one)
        assert (looked.draft is None) == bool(looked.fault)
