# SPDX-License-Identifier: Apache-2.0
"""Events as other software writes them, and as nobody should."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.events import SharedEvent, from_members
from federation.joins import Answer, Asking, News, answer, answer_of
from federation.posts import from_wire
from federation.vocabulary.posts import parse_post
from server.events.details import KINDS, LONGEST, WHEN_AND_WHERE, Details, of_row, put
from storage.events import Event, GuestState
from tests.federation import payloads
from tests.federation.payloads import FIXTURES

MEMBERS = [
    "startTime", "endTime", "timezone", "location", "status", "joinMode", "isOnline", "attachment",
    "externalParticipationUrl", "maximumAttendeeCapacity", "participantCount", "gh:event",
    "gh:series", "eventStatus", "ical:status",
]  # fmt: skip
INNER = ["v", "kind", "allDay", "sessions", "materials", "recording", "access", "title", "url",
         "type", "name", "address", "streetAddress", "href", "at", "linkForGuests"]  # fmt: skip
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from([
    "2026-12-03T14:00:00+01:00", "2026-12-03T14:00:00Z", "9999-12-31T23:59:59-23:00", "free",
    "0001-01-01T00:00:00+14:00", "Europe/Berlin", "../../etc/passwd", "javascript:alert(1)",
    "https://x.example/<b>", "https://x.example/1", "external", "CANCELLED", "\u202e\x00",
    "webinar",
]) | st.text(max_size=20)  # fmt: skip
VALUE = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=5)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(MEMBERS), VALUE, max_size=9))
def test_nothing_that_strangers_send_breaks_an_event(members: dict[str, Any]) -> None:
    found = from_members({"type": "Event", "id": "https://x.example/1", **members})
    if found is None:
        return
    details = found.details
    assert details.starts < details.ends <= details.starts + LONGEST
    assert details.kind in KINDS
    for link in (details.online, details.external, details.recording):
        assert link == "" or link.startswith(("https://", "http://"))
    row = Event(post_id=1)
    put(row, details)
    assert of_row(row) == details
    assert details.sentence


@given(
    st.dictionaries(st.sampled_from(["gh:place", "gh:link", "gh:certificate"]), VALUE),
    st.dictionaries(st.sampled_from([*MEMBERS, "updated", "name"]), VALUE, max_size=9),
)
def test_nothing_that_strangers_send_breaks_an_answer(
    members: dict[str, Any], event: dict[str, Any]
) -> None:
    members = members | {"result": {"id": "https://x.example/1", **event}}
    for kind in ("Accept", "TentativeAccept", "Reject"):
        said = answer_of(members, kind, "<b>No</b>")
        assert said.place is None or said.place >= 0
        assert not said.link.startswith("javascript")
        assert said.news is None or said.news.details.starts < said.news.details.ends


@pytest.mark.parametrize("all_day", [False, True])
def test_an_answer_says_when_and_where_and_never_what_guests_alone_are_told(all_day: bool) -> None:
    meant = Details(
        datetime(2026, 12, 2, 23, tzinfo=UTC), datetime(2026, 12, 3, 23, tzinfo=UTC),
        "Europe/Berlin", all_day=all_day, status="cancelled", place="Rathaus", is_online=True,
        online="https://meet.example/secret", is_hidden=True, access="Ramp",
    )  # fmt: skip
    news = News("https://x.example/p/1", "Kerbs", meant, datetime(2026, 11, 12, 8, tzinfo=UTC))
    asking = Asking("https://y.example/u/a#join-1-1", "https://y.example/u/a", news.event, "z")
    document = answer(asking, 7, 1, Answer(GuestState.GOING, news=news))
    assert "secret" not in str(document)
    told = answer_of(document, "Accept", None).news
    assert told is not None
    assert (told.event, told.title, told.updated) == (news.event, news.title, news.updated)
    for name in set(WHEN_AND_WHERE) - {"online"}:
        assert getattr(told.details, name) == getattr(meant, name), name


def received(name: str) -> SharedEvent:
    """The event of a stored payload."""
    document = payloads.payload(name, "n1")
    thing = document.get("object", document)
    assert isinstance(thing, dict)
    shared = from_wire(parse_post(thing), "https://x.example/f/permits")
    assert shared.event is not None
    return shared.event


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="The payloads are not here.")
def test_events_of_mobilizon_and_gancio_are_events() -> None:
    gancio = received("gancio/fx_gancio-event-activity.json").details
    assert (gancio.place, gancio.joining) == ("Colosseo", "none")
    assert gancio.when == "Wednesday 14 July 2021, 15:30–16:30 (UTC)"
    mobilizon = received("mobilizon/lemmyassets_objects_event.json").details
    assert (mobilizon.joining, mobilizon.zone) == ("free", "Europe/London")
    assert mobilizon.place.startswith("The Kenn Centre, Devon Expressway, EX6 7TW")
    media = received("mobilizon/fx_mobilizon-post-activity-media.json").details
    assert media.online.endswith("google.com")
    assert media.ends - media.starts == timedelta(hours=1)
