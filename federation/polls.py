# SPDX-License-Identifier: Apache-2.0
"""Polls as the members of a Question, and votes in ours (FEP-9967)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation.members import moment
from federation.vocabulary.terms import ACTIVITY_CONTEXT, OBJECT_CONTEXT
from federation.vocabulary.values import mapped_text_of, moment_of
from server import text
from server.polls.pages import Choice, ShownPoll

MOST_OPTIONS = 20
LONGEST_OPTION = 200
_TERMS = {"toot": "http://joinmastodon.org/ns#", "votersCount": "toot:votersCount"}
QUESTION_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, _TERMS]


@dataclass(frozen=True)
class CastVote:
    """One choice of one person; `uri` is the id of the Note that says so."""

    uri: str
    person: str
    author: str
    poll: str
    name: str
    at: datetime


def vote(cast: CastVote) -> dict[str, Any]:
    """Create of a Note that names what was chosen, to the author of the poll alone."""
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": f"{cast.uri}-create",
        "type": "Create",
        "actor": cast.person,
        "to": [cast.author],
        "cc": [],
        "object": {
            "@context": OBJECT_CONTEXT,
            "id": cast.uri,
            "type": "Note",
            "attributedTo": cast.person,
            "to": [cast.author],
            "cc": [],
            "name": cast.name,
            "inReplyTo": cast.poll,
            # Software that goes by this alone takes a Note without a date for something else.
            "published": moment(cast.at),
        },
    }


def from_members(raw: dict[str, Any]) -> ShownPoll | None:
    """The poll of a received Question; None where it cannot be voted in."""
    multiple = "anyOf" in raw
    listed = raw.get("anyOf" if multiple else "oneOf")
    ends = moment_of(raw.get("endTime")) or moment_of(raw.get("closed"))
    if not isinstance(listed, list) or not 2 <= len(listed) <= MOST_OPTIONS or ends is None:
        return None
    choices = []
    for item in listed:
        name = mapped_text_of(item, "name") if isinstance(item, dict) else None
        title = text.clean_line(name or "", LONGEST_OPTION)
        if not title:
            return None
        choices.append(Choice(title, _total(item.get("replies"))))
    if len({one.title for one in choices}) < len(choices):
        return None
    over = moment_of(raw.get("closed")) is not None
    votes = sum(one.votes for one in choices)
    said = raw.get("votersCount")
    voters = _whole(said) if said is not None else votes
    hidden = not over and voters > 0 and votes == 0
    return ShownPoll(0, multiple, hidden, ends, voters, tuple(choices), over, ours=False)


def _total(replies: object) -> int:
    return _whole(replies.get("totalItems")) if isinstance(replies, dict) else 0


def _whole(value: object) -> int:
    """A count of people; 0 for anything else, and for more than there can be."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31
    return value if fits and isinstance(value, int) else 0


def to_members(poll: ShownPoll) -> dict[str, Any]:
    """The members of the Question that only a poll has; no counts while they are hidden."""
    counted = poll.over or not poll.hidden
    options = [
        {
            "type": "Note",
            "name": one.title,
            "replies": {"type": "Collection", "totalItems": one.votes if counted else 0},
        }
        for one in poll.choices
    ]
    ends = moment(poll.ends)
    return {
        "@context": QUESTION_CONTEXT,
        "type": "Question",
        "anyOf" if poll.multiple else "oneOf": options,
        "endTime": ends,
        **({"closed": ends} if poll.over else {}),
        "votersCount": poll.voters,
    }
