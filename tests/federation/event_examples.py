# SPDX-License-Identifier: Apache-2.0
"""The examples of events that FEDERATION.md shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from federation import joins, posts
from federation.events import SharedEvent
from federation.joins import Answer, Asking, News
from federation.posts import SharedPost
from server.events.details import Details, Session
from storage.events import GuestState

WEBINAR = SharedEvent(
    Details(
        starts=datetime(2026, 12, 3, 13, 0, tzinfo=UTC),
        ends=datetime(2026, 12, 3, 14, 30, tzinfo=UTC),
        zone="Europe/Berlin",
        kind="webinar",
        is_online=True,
        is_hidden=True,
        joining="free",
        capacity=40,
        sessions=(Session("Twenty-one days, and what became of them", "14:05", "Marek Nowak"),),
    ),
    going=12,
)
_WORDS = {
    "type", "name", "summary", "startTime", "endTime", "timezone", "status", "category",
    "isOnline", "attachment", "joinMode", "maximumAttendeeCapacity", "participantCount",
    "remainingAttendeeCapacity", "gh:event",
}  # fmt: skip


def _brief(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the context of what it embeds."""
    news = {name: value for name, value in answer["result"].items() if name != "@context"}
    return answer | {"result": news}


def examples(opener: SharedPost, member: str) -> dict[str, Callable[[], dict[str, Any]]]:
    """An event by the author of `opener`, and what goes to and fro when `member` wants a place."""
    shared = replace(opener, title="How Lakeside cut permit times", tags=(), event=WEBINAR)
    asking = Asking(f"{member}#join-117665002000000009-1", member, opener.uri, opener.author)
    waiting = Answer(GuestState.WAITING, place=1)
    news = News(opener.uri, shared.title, WEBINAR.details, datetime(2026, 11, 12, 8, tzinfo=UTC))
    link = "https://meet.lakeside.example.gov/permits"
    place = Answer(GuestState.GOING, link=link, news=news)
    return {
        "event": lambda: {
            name: value for name, value in posts.to_wire(shared).items() if name in _WORDS
        },
        "join": lambda: joins.join(asking),
        "on-the-waiting-list": lambda: joins.answer(asking, 117665002000000011, 1, waiting),
        "a-place": lambda: _brief(joins.answer(asking, 117665002000000011, 2, place)),
        "leave": lambda: joins.leave(asking),
    }
