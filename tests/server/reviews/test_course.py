# SPDX-License-Identifier: Apache-2.0
"""Whatever happens in whatever order, a review keeps its promises."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Invalid, Refusal
from server.reviews import course
from server.reviews.course import DECIDED, DECISIONS, OPEN, OPEN_SEATS, Event, Said, Seat, State
from storage.reviews import Review, ReviewSeat, ReviewTask

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PEERS = (None, "lakeside.localhost", "harbor.localhost")
SPOKEN = (Said.ACCEPT, Said.DECLINE, Said.ANSWER, Said.LAPSE, Said.WITHDRAW)
HAPPENINGS = st.one_of(
    st.tuples(st.just("invite"), st.sampled_from(PEERS)),
    st.tuples(st.just("seat"), st.tuples(st.integers(0, 5), st.sampled_from(SPOKEN))),
    st.tuples(st.just("decide"), st.sampled_from([Event.INVITE, *DECISIONS])),
    st.tuples(st.just("withdraw"), st.none()),
)


def _seat(number: int, peer: str | None, state: Seat = Seat.INVITED) -> ReviewSeat:
    return ReviewSeat(id=number, review_id=1, peer=peer, state=state, due=NOW)


def _happens(review: Review, seats: list[ReviewSeat], kind: str, what: object) -> None:
    """One thing, as the deeds do it: the rules first, then what follows of it for the seats."""
    if kind == "invite":
        assert what is None or isinstance(what, str)
        course.must_have_room(seats, what)
        course.move(review, Event.INVITE)
        seats.append(_seat(len(seats) + 1, what))
    elif kind == "seat" and seats:
        assert isinstance(what, tuple)
        course.seat_moves(seats[what[0] % len(seats)], what[1])
    elif kind == "decide":
        assert isinstance(what, Event)
        course.must_be_decidable(review, seats, what, "Because.")
        course.move(review, what)
        for seat in course.to_close(seats):
            course.seat_moves(seat, Said.WITHDRAW)
    elif kind == "withdraw":
        course.move(review, Event.WITHDRAW)
        for seat in seats:
            with suppress(course.NotNow):
                course.seat_moves(seat, Said.WITHDRAW)


def _refusal(review: Review, seats: list[ReviewSeat], kind: str, what: object) -> Refusal | None:
    try:
        _happens(review, seats, kind, what)
    except Refusal as refusal:
        return refusal
    return None


@given(st.lists(HAPPENINGS, max_size=25))
def test_a_review_keeps_its_promises(happenings: list[tuple[str, object]]) -> None:
    review, seats = Review(id=1, state=State.SUBMITTED), list[ReviewSeat]()
    for kind, what in happenings:
        before = (review.state, [seat.state for seat in seats])
        refusal = _refusal(review, seats, kind, what)
        if refusal is not None:
            # A refusal says why in a sentence, and has changed nothing.
            assert refusal.sentence.endswith(".")
            assert (review.state, [seat.state for seat in seats]) == before
            continue
        after = State(review.state)
        if kind != "seat":
            # What is decided is never decided again, and nothing comes back.
            assert State(before[0]) in OPEN or (before[0], after) == (
                State.ACCEPTED, State.WITHDRAWN,
            )  # fmt: skip
        if after == State.ACCEPTED and kind == "decide":
            assert any(seat.state == Seat.ANSWERED for seat in seats)
        if after not in OPEN and kind != "seat":
            assert not any(seat.state in OPEN_SEATS for seat in seats)
        if after == State.SUBMITTED:
            assert not seats
        held = [s.peer for s in seats if s.peer and s.state in {*OPEN_SEATS, Seat.ANSWERED}]
        assert len(held) == len(set(held)), "an agency elsewhere sends one reviewer at a time"
    assert len(seats) <= len(happenings)


@given(st.sampled_from(list(course.Task)), st.lists(st.sampled_from(list(Said)), max_size=12))
def test_a_task_ends_and_stays_ended(begun: course.Task, said: list[Said]) -> None:
    task = ReviewTask(id=1, state=begun)
    over = {course.Task.DECLINED, course.Task.CLOSED, course.Task.DECIDED}
    for one in said:
        before = course.Task(task.state)
        assert course.may_move_task(task, one) == ((before, one) in course._TASKS)
        if not course.may_move_task(task, one):
            with pytest.raises(course.NotNow):
                course.task_moves(task, one)
            assert task.state == before
            continue
        course.task_moves(task, one)
        assert before not in over
        # Nothing is sent by somebody who did not accept.
        assert one is not Said.ANSWER or before == course.Task.ACCEPTED


def test_what_a_decision_needs() -> None:
    review = Review(id=1, state=State.UNDERWAY)
    answered = [_seat(1, None, Seat.ANSWERED)]
    cases = [
        (answered, Event.INVITE, "Why.", "decision"),
        (answered, Event.ACCEPT, " ", "letter"),
        ([_seat(1, None, Seat.ACCEPTED)], Event.ACCEPT, "Why.", "decision"),
    ]
    for seats, event, letter, field in cases:
        with pytest.raises(Invalid) as refusal:
            course.must_be_decidable(review, seats, event, letter)
        assert set(refusal.value.fields) == {field}
    course.must_be_decidable(review, [], Event.DECLINE, "Not for this forum.")
    review.state = State.DECLINED
    with pytest.raises(course.NotNow, match="declined"):
        course.must_be_decidable(review, answered, Event.ACCEPT, "Why.")
    assert DECIDED.isdisjoint(OPEN)


def test_a_dozen_reviewers_are_enough() -> None:
    seats = [_seat(number, None) for number in range(course.MOST_SEATS)]
    with pytest.raises(Invalid, match="12 reviewers"):
        course.must_have_room(seats, "harbor.localhost")
    seats[0].state = Seat.DECLINED
    course.must_have_room(seats, "harbor.localhost")


def test_days_go_by() -> None:
    seat, task = _seat(1, None), ReviewTask(id=1, state="asked", due=NOW, reminded=None)
    hour = timedelta(hours=1)
    assert not course.has_lapsed(seat, NOW + course.GRACE)
    assert course.has_lapsed(seat, NOW + course.GRACE + hour)
    seat.state = Seat.ANSWERED
    assert not course.has_lapsed(seat, NOW + course.GRACE + hour)
    assert not course.is_to_remind(task, NOW - course.REMINDED_BEFORE)
    assert course.is_to_remind(task, NOW - course.REMINDED_BEFORE + hour)
    assert not course.is_to_remind(task, NOW + hour)
    task.reminded = NOW
    assert not course.is_to_remind(task, NOW)
