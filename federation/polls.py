# SPDX-License-Identifier: Apache-2.0
"""Polls as the members of a Question, and votes in ours (FEP-9967)."""

from typing import Any

from federation.members import moment
from federation.vocabulary.terms import OBJECT_CONTEXT
from server.polls.pages import ShownPoll

_TERMS = {"toot": "http://joinmastodon.org/ns#", "votersCount": "toot:votersCount"}
QUESTION_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, _TERMS]


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
