# SPDX-License-Identifier: Apache-2.0
"""The course of a review: which step may follow which, and nothing else.

Pure: rules over rows. A review has seats, one for each reviewer; the agency of a reviewer has a
task. Whatever happens, by a form, from a peer or by the clock, goes through `move`, `seat_moves`
or `task_moves`, so that no surface knows a step that another does not.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from server.errors import Invalid, Refusal
from storage.reviews import Review, ReviewSeat, ReviewTask

MOST_SEATS = 12
ANSWERS_NEEDED = 1
SHORTEST, LONGEST, USUAL = timedelta(days=3), timedelta(days=180), timedelta(days=28)
GRACE = timedelta(days=3)
REMINDED_BEFORE = timedelta(days=3)


class State(StrEnum):
    """Where a review is."""

    SUBMITTED = "submitted"
    UNDERWAY = "underway"
    ACCEPTED = "accepted"
    CHANGES = "changes"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Event(StrEnum):
    """What happens to a review; its decisions are named as the state they lead to."""

    INVITE = "invite"
    ACCEPT = "accepted"
    ASK_CHANGES = "changes"
    DECLINE = "declined"
    WITHDRAW = "withdraw"


class Seat(StrEnum):
    """Where one reviewer is."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class Said(StrEnum):
    """What happens to a seat, or to the task that belongs to it."""

    NAME = "name"
    HAND_BACK = "hand_back"
    ACCEPT = "accept"
    DECLINE = "decline"
    ANSWER = "answer"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"
    DECIDE = "decide"


class Task(StrEnum):
    """Where a reviewer's own instance is with it: offered to the agency, asked of a person…"""

    OFFERED = "offered"
    ASKED = "asked"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    DECLINED = "declined"
    CLOSED = "closed"
    DECIDED = "decided"


class NotNow(Refusal):
    """This review is no longer where that could be done."""


OPEN = frozenset({State.SUBMITTED, State.UNDERWAY})
DECIDED = frozenset({State.ACCEPTED, State.CHANGES, State.DECLINED})
DECISIONS = (Event.ACCEPT, Event.ASK_CHANGES, Event.DECLINE)
OPEN_SEATS = frozenset({Seat.INVITED, Seat.ACCEPTED})
OPEN_TASKS = frozenset({Task.OFFERED, Task.ASKED, Task.ACCEPTED})

_REVIEWS: Mapping[tuple[State, Event], State] = {
    (State.SUBMITTED, Event.INVITE): State.UNDERWAY,
    (State.UNDERWAY, Event.INVITE): State.UNDERWAY,
    **{(state, event): State(event.value) for state in OPEN for event in DECISIONS},
    **{(state, Event.WITHDRAW): State.WITHDRAWN for state in (*OPEN, State.ACCEPTED)},
}
_SEATS: Mapping[tuple[Seat, Said], Seat] = {
    (Seat.INVITED, Said.ACCEPT): Seat.ACCEPTED,
    (Seat.ACCEPTED, Said.ANSWER): Seat.ANSWERED,
    **{(seat, Said.DECLINE): Seat.DECLINED for seat in (*OPEN_SEATS, Seat.ANSWERED)},
    **{(seat, Said.LAPSE): Seat.LAPSED for seat in OPEN_SEATS},
    **{(seat, Said.WITHDRAW): Seat.WITHDRAWN for seat in (*OPEN_SEATS, Seat.ANSWERED)},
}
_TASKS: Mapping[tuple[Task, Said], Task] = {
    (Task.OFFERED, Said.NAME): Task.ASKED,
    (Task.ASKED, Said.NAME): Task.ASKED,
    (Task.ASKED, Said.HAND_BACK): Task.OFFERED,
    (Task.ASKED, Said.ACCEPT): Task.ACCEPTED,
    (Task.ACCEPTED, Said.ANSWER): Task.ANSWERED,
    **{(task, Said.DECLINE): Task.DECLINED for task in (*OPEN_TASKS, Task.ANSWERED)},
    **{(task, Said.WITHDRAW): Task.CLOSED for task in (*OPEN_TASKS, Task.ANSWERED)},
    (Task.ANSWERED, Said.DECIDE): Task.DECIDED,
}


def may_move(review: Review, event: Event) -> bool:
    """Whether this can happen to the review now."""
    return (State(review.state), event) in _REVIEWS


def move(review: Review, event: Event) -> None:
    """Put a review where the event leads; NotNow where it leads nowhere."""
    after = _REVIEWS.get((State(review.state), event))
    if after is None:
        raise NotNow(_WHY_NOT.get(State(review.state), ""))
    review.state = after


def may_move_seat(seat: ReviewSeat, said: Said) -> bool:
    """Whether this can happen to the seat now."""
    return (Seat(seat.state), said) in _SEATS


def seat_moves(seat: ReviewSeat, said: Said) -> None:
    """Put a seat where it leads; NotNow where it leads nowhere."""
    after = _SEATS.get((Seat(seat.state), said))
    if after is None:
        raise NotNow(_SEAT_IS.get(Seat(seat.state), ""))
    seat.state = after


def may_move_task(task: ReviewTask, said: Said) -> bool:
    """Whether this can happen to the task now."""
    return (Task(task.state), said) in _TASKS


def task_moves(task: ReviewTask, said: Said) -> None:
    """Put a task where it leads; NotNow where it leads nowhere."""
    after = _TASKS.get((Task(task.state), said))
    if after is None:
        raise NotNow(_TASK_IS.get(Task(task.state), ""))
    task.state = after


def must_have_room(seats: Iterable[ReviewSeat], peer: str | None) -> None:
    """Refuse a second reviewer of an agency elsewhere, and more than MOST_SEATS in all.

    Whom an agency sends is its own secret: two of its seats may be one person.
    """
    held = [seat for seat in seats if seat.state not in {Seat.DECLINED, Seat.LAPSED,
                                                         Seat.WITHDRAWN}]  # fmt: skip
    if len(held) >= MOST_SEATS:
        raise Invalid({"invite": f"There are {MOST_SEATS} reviewers already."})
    if peer is not None and any(seat.peer == peer for seat in held):
        raise Invalid({"invite": "This agency is asked already, and sends one reviewer."})


def must_be_decidable(
    review: Review, seats: Iterable[ReviewSeat], event: Event, letter: str
) -> None:
    """Refuse a decision without reasons, and an acceptance that no reviewer has answered for."""
    if event not in DECISIONS:
        raise Invalid({"decision": "Choose what you decide."})
    if not may_move(review, event):
        raise NotNow(_WHY_NOT.get(State(review.state), ""))
    if not letter.strip():
        raise Invalid({"letter": "Write to the author why you decide so."})
    answered = sum(seat.state == Seat.ANSWERED for seat in seats)
    if event is Event.ACCEPT and answered < ANSWERS_NEEDED:
        raise Invalid({"decision": "Nobody has reviewed it yet: wait for a review to accept it."})


def to_close(seats: Iterable[ReviewSeat]) -> list[ReviewSeat]:
    """The reviewers who need not go on once it is decided."""
    return [seat for seat in seats if seat.state in OPEN_SEATS]


def has_lapsed(seat: ReviewSeat, now: datetime) -> bool:
    """Whether a reviewer has let the day, and the grace after it, go by."""
    return seat.state in OPEN_SEATS and now > seat.due + GRACE


def is_to_remind(task: ReviewTask, now: datetime) -> bool:
    """Whether somebody is to hear, once, that the day is near."""
    near = now > task.due - REMINDED_BEFORE
    return task.state in OPEN_TASKS and task.reminded is None and near and now <= task.due


_WHY_NOT = {
    State.SUBMITTED: "Nobody has been asked to review it yet.",
    State.UNDERWAY: "The review is still under way.",
    State.ACCEPTED: "This review is decided: it was accepted.",
    State.CHANGES: "This review is decided: changes were asked for.",
    State.DECLINED: "This review is decided: it was declined.",
    State.WITHDRAWN: "This review was withdrawn.",
}
_SEAT_IS = {
    Seat.INVITED: "The invitation has not been accepted yet.",
    Seat.ACCEPTED: "This reviewer has accepted, and has not answered yet.",
    Seat.ANSWERED: "This review has been given already.",
    Seat.DECLINED: "This invitation was declined.",
    Seat.LAPSED: "The time for this review has passed.",
    Seat.WITHDRAWN: "This invitation was taken back.",
}
_TASK_IS = {
    Task.OFFERED: "Nobody here has been asked to do it yet.",
    Task.ASKED: "Accept the invitation first.",
    Task.ACCEPTED: "You have accepted this review already.",
    Task.ANSWERED: "This review has been sent already.",
    Task.DECLINED: "This invitation was declined.",
    Task.CLOSED: "This review is no longer asked for.",
    Task.DECIDED: "This review is decided.",
}
