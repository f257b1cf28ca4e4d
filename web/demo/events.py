# SPDX-License-Identifier: Apache-2.0
"""The events of the story, and announcing them as a person would."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.story import ANA, COUNTERS, DATA, INES, MAREK, PERMITS, PRIYA


@dataclass(frozen=True)
class Announced:
    """An event, by whom, in which forum of their own agency, and how many days from now."""

    forum: str
    author: str
    days: int
    fields: dict[str, str]
    guests: tuple[str, ...] = field(default=())


WEBINAR = Announced(
    PERMITS,
    MAREK,
    10,
    {
        "title": "How Lakeside cut permit times by 40 %",
        "source": "From 21 days to 12.6, and nothing is checked less. Half of the hour is for your"
        " questions: bring the form that you would like to get rid of.",
        "kind": "webinar",
        "start_time": "14:00",
        "end_time": "15:30",
        "zone": "America/Chicago",
        "online": "https://meet.lakeside.example.gov/permit-times",
        "hidden": "yes",
        "joining": "free",
        "capacity": "2",
        "agenda": "14:00 | Twenty-one days, and what they were made of | Marek Nowak\n"
        "14:30 | The form that cannot be sent too early | Priya Shah\n14:50 | Your questions",
        "access": "Live captions. Slides are sent the day before.",
        "tags": "permits, lead-times",
    },
    guests=(PRIYA, ANA, INES),
)
HOURS = Announced(
    PERMITS,
    PRIYA,
    12,
    {
        "title": "Inspection hour",
        "source": "Bring a photograph and a question.",
        "kind": "office-hours",
        "start_time": "10:00",
        "end_time": "11:00",
        "zone": "America/Chicago",
        "place": "Lakeside City Hall, counter 4",
        "joining": "none",
        "repeat": "weekly",
        "repeat_count": "2",
    },
)
EVENTS = (
    WEBINAR,
    Announced(
        COUNTERS,
        ANA,
        4,
        {
            "title": "Office hours: forms that people bring back half filled in",
            "source": "Come with one form. We read it together, aloud, as if we had never seen it.",
            "kind": "office-hours",
            "start_time": "09:00",
            "end_time": "10:00",
            "zone": "America/Chicago",
            "place": "Riverton City Hall, room 2.14",
            "joining": "none",
        },
    ),
    Announced(
        DATA,
        PRIYA,
        24,
        {
            "title": "Two days on shared registers",
            "source": "Who keeps what, who may ask, and how a register is retired.",
            "kind": "workshop",
            "all_day": "yes",
            "zone": "America/Chicago",
            "place": "Lakeside Library, great hall",
            "joining": "free",
            "capacity": "30",
        },
        guests=(MAREK,),
    ),
)


def day(days: int) -> str:
    """A day so many days from now, as a form takes it."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


async def announce(reader: Reader, event: Announced, /, **fields: str) -> Page:
    """Fill in the form of an event; answers the event's page."""
    path = f"/f/{event.forum.partition('/')[2]}/events/new"
    typed = {**event.fields, "start_date": day(event.days), **fields}
    return await reader.browser.submit(path, path, **typed)
