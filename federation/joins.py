# SPDX-License-Identifier: Apache-2.0
"""Asking for a place at an event, and the answer: Join, Leave, Accept.

All of it goes between the two who are concerned, and is never announced (FEP-8a8e).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from federation.events import (
    EVENT_CONTEXT,
    SharedEvent,
    from_members,
    link_of,
    to_members,
    whole_of,
)
from federation.members import moment
from federation.vocabulary.terms import ACTIVITY_CONTEXT, GH
from federation.vocabulary.values import moment_of, text_of, url_id_of
from server import text
from server.events.details import MOST_PLACES, Details
from storage.events import GuestState


@dataclass(frozen=True)
class Asking:
    """A question for a place: who asks, by which Join, of whom, for which event."""

    join: str
    person: str
    event: str
    organiser: str


def join(asking: Asking) -> dict[str, Any]:
    """Join of an event, to its organiser alone."""
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": asking.join,
        "type": "Join",
        "actor": asking.person,
        "object": asking.event,
        "to": [asking.organiser],
        "cc": [],
    }


def leave(asking: Asking) -> dict[str, Any]:
    """Leave of an event, naming the Join that it takes back."""
    return {
        "@context": [*ACTIVITY_CONTEXT, {"gh": GH, "gh:join": {"@type": "@id"}}],
        "id": asking.join.replace("#join-", "#leave-"),
        "type": "Leave",
        "actor": asking.person,
        "object": asking.event,
        "gh:join": asking.join,
        "to": [asking.organiser],
        "cc": [],
    }


_ANSWERS = {
    GuestState.GOING: "Accept",
    GuestState.WAITING: "TentativeAccept",
    GuestState.REFUSED: "Reject",
}


@dataclass(frozen=True)
class News:
    """The event, by its id, as it was when its guest was answered."""

    event: str
    title: str
    details: Details
    updated: datetime


# What a guest has to know of it; the rest is for those who follow its forum.
_NEWS = (
    *("type", "summary", "startTime", "endTime", "timezone", "status", "isOnline", "location"),
)


@dataclass(frozen=True)
class Answer:
    """What was decided: a place (with the link kept for guests), a place in the queue, or no.

    `news` is when and where the event is, for agencies that hear nothing else of it.
    """

    state: GuestState
    place: int | None = None
    link: str = ""
    reason: str = ""
    certificate: str = ""
    news: News | None = None


def answer(asking: Asking, number: int, n: int, said: Answer) -> dict[str, Any]:
    """Accept, TentativeAccept or Reject of a Join; `number` is the guest's, `n` the answer's."""
    kind = _ANSWERS[said.state]
    document: dict[str, Any] = {
        "@context": [*ACTIVITY_CONTEXT, {"gh": GH}],
        "id": f"{asking.organiser}#{kind.lower()}-{number}-{n}",
        "type": kind,
        "actor": asking.organiser,
        "object": {
            "id": asking.join,
            "type": "Join",
            "actor": asking.person,
            "object": asking.event,
        },
        "to": [asking.person],
        "cc": [],
    }
    if said.place is not None:
        document["gh:place"] = said.place
    if said.link:
        document["gh:link"] = said.link
    if said.certificate:
        document["gh:certificate"] = said.certificate
    if said.reason:
        document["summary"] = said.reason
    if said.news is not None:
        document["result"] = _news(said.news)
    return document


def _news(news: News) -> dict[str, Any]:
    # An address online is told by the answer itself, where it is for guests alone.
    members = to_members(SharedEvent(replace(news.details, online="")), news.event)
    found = {name: members[name] for name in _NEWS if name in members}
    whole = {"gh:event": {"v": 1, "allDay": True}} if news.details.all_day else {}
    said = {"name": news.title, "updated": moment(news.updated)}
    return {"@context": EVENT_CONTEXT, "id": news.event, **found, **whole, **said}


def answer_of(raw: dict[str, Any], kind: str, summary: str | None) -> Answer:
    """What a received answer says."""
    state = {name: state for state, name in _ANSWERS.items()}[kind]
    return Answer(
        state,
        place=whole_of(raw.get("gh:place"), MOST_PLACES),
        link=link_of(raw.get("gh:link")),
        reason=text.clean_line(text.plain(summary or ""), 500),
        certificate=link_of(raw.get("gh:certificate")),
        news=_news_of(raw.get("result")),
    )


def _news_of(result: object) -> News | None:
    """What an answer says of the event; None where it says nothing that can be read."""
    if not isinstance(result, dict):
        return None
    event, updated = from_members(result), moment_of(result.get("updated"))
    if event is None or updated is None:
        return None
    uri, title = url_id_of(result), text_of(result.get("name"), 500)
    return News(uri or "", title or "", event.details, updated)
