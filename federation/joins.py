# SPDX-License-Identifier: Apache-2.0
"""Asking for a place at an event, and the answer: Join, Leave, Accept.

All of it goes between the two who are concerned, and is never announced (FEP-8a8e).
"""

from dataclasses import dataclass
from typing import Any

from federation.events import link_of, whole_of
from federation.vocabulary.terms import ACTIVITY_CONTEXT, GH
from server import text
from server.events.details import MOST_PLACES
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
class Answer:
    """What was decided: a place (with the link kept for guests), a place in the queue, or no."""

    state: GuestState
    place: int | None = None
    link: str = ""
    reason: str = ""
    certificate: str = ""


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
    return document


def answer_of(raw: dict[str, Any], kind: str, summary: str | None) -> Answer:
    """What a received answer says."""
    state = {name: state for state, name in _ANSWERS.items()}[kind]
    return Answer(
        state,
        place=whole_of(raw.get("gh:place"), MOST_PLACES),
        link=link_of(raw.get("gh:link")),
        reason=text.clean_line(text.plain(summary or ""), 500),
        certificate=link_of(raw.get("gh:certificate")),
    )
