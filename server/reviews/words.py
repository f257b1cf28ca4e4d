# SPDX-License-Identifier: Apache-2.0
"""The words for where a review, a reviewer and a task are."""

from server.reviews.course import Seat, State, Task

STATES: dict[str, str] = {
    State.SUBMITTED: "Submitted",
    State.UNDERWAY: "Under review",
    State.ACCEPTED: "Accepted",
    State.CHANGES: "Changes asked for",
    State.DECLINED: "Declined",
    State.WITHDRAWN: "Withdrawn",
    "refused": "Not taken up",
}
SEATS: dict[str, str] = {
    Seat.INVITED: "Invited",
    Seat.ACCEPTED: "Reviewing",
    Seat.ANSWERED: "Review given",
    Seat.DECLINED: "Declined",
    Seat.LAPSED: "Let the day go by",
    Seat.WITHDRAWN: "No longer asked",
}
TASKS: dict[str, str] = {
    Task.OFFERED: "Nobody is named yet",
    Task.ASKED: "Waiting for a yes or no",
    Task.ACCEPTED: "To be written",
    Task.ANSWERED: "Sent, not decided yet",
    Task.DECLINED: "Declined",
    Task.CLOSED: "No longer asked for",
    Task.DECIDED: "Decided",
}
