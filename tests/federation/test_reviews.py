# SPDX-License-Identifier: Apache-2.0
"""Messages about reviews survive the wire, and nothing else is read as one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.reviews import (
    TYPES,
    VERDICTS,
    Given,
    Message,
    Route,
    Step,
    from_wire,
    statement_members,
    statement_of,
    to_wire,
)
from federation.vocabulary.activities import parse_activity, parse_envelope
from federation.vocabulary.reader import read
from server import text
from server.errors import Invalid
from server.practices import record
from server.reviews import rubric
from server.vetting.statements import Statement
from tests.federation.wire_schema import must_be_an_activity
from tests.server.practices import strategies
from tests.server.reviews.bench import answers

HOME = "https://lakeside.example.gov"
INVITATION = f"{HOME}/reviews/0123456789abcdef0123456789abcdef"
ROUTE = Route(f"{HOME}/instance", "https://riverton.example.gov/instance", INVITATION, "one")
MOMENT = st.integers(0, 10**12).map(
    lambda ms: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
CLEAN = st.characters(exclude_categories=["Cs", "Cc", "Cf"])
LINE = st.text(CLEAN, max_size=40).map(lambda value: text.clean_line(value, 60))
WORDS = st.text(CLEAN, max_size=80).map(str.strip)
WHOLE = st.just(answers())
COUNT = st.integers(0, 100)
STATES = ["submitted", "underway", "accepted", "changes", "declined", "withdrawn", "refused"]
MESSAGES = st.builds(
    Message,
    step=st.sampled_from(list(Step)),
    forum=LINE,
    group=st.just(f"{HOME}/f/permits"),
    practice=strategies.practices.map(record.parse),
    version=st.integers(1, 10**6),
    masked=st.booleans(),
    due=MOMENT,
    reviewer=st.just(INVITATION),
    conflict=WORDS,
    reason=LINE,
    answers=WHOLE,
    name=LINE,
    note=WORDS,
    state=st.sampled_from(STATES),
    letter=WORDS,
    of=st.just(f"{HOME}/p/1"),
    asked=COUNT,
    accepted=COUNT,
    answered=COUNT,
    reviews=st.lists(st.builds(Given, agency=LINE, answers=WHOLE), max_size=3).map(tuple),
    at=MOMENT,
)


@given(MESSAGES)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    document = to_wire(ROUTE, message)
    must_be_an_activity(document)
    raw = read(orjson.dumps(document))
    assert from_wire(raw) == message
    activity = parse_activity(raw)
    assert (activity.actor, getattr(activity.object, "id", "")) == (ROUTE.actor, INVITATION)
    assert parse_envelope(raw).id == document["id"]
    assert document["to"] == [ROUTE.to]
    kind, meaning = TYPES[Step(message.step)]
    if message.step == Step.VERDICT:
        kind = VERDICTS.get(message.state, "Reject")
    assert document["type"] == [kind, meaning]


@given(st.builds(Statement, of=st.just(f"{HOME}/p/1"), version=st.integers(1, 99),
                 reviewers=COUNT, agencies=COUNT, against=COUNT))  # fmt: skip
def test_a_statement_comes_back_as_it_was(said: Statement) -> None:
    assert statement_of(read(orjson.dumps(statement_members(said)))) == said


@pytest.mark.parametrize("value", [None, 7, "x", [], {"v": 2, "of": f"{HOME}/p/1"}, {"v": 1}])
def test_what_states_nothing_is_no_statement(value: Any) -> None:
    assert statement_of({"gh:reviewed": value}) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
MEMBERS = st.sampled_from(
    [*["v", "step", "practice", "due", "answers", "reviews", "at", "asked", "version", "of"], "x"]
)


@given(st.dictionaries(MEMBERS, ANYTHING, max_size=5), st.sampled_from(list(Step)), ANYTHING)
def test_hostile_messages_are_read_or_refused(said: dict[str, Any], step: Step, kinds: Any) -> None:
    whole = {"v": 1, "step": step.value, **said}
    for value in (said, whole):
        for named in (list(TYPES[step]), kinds):
            try:
                message = from_wire({"type": named, "gh:review": value})
            except Invalid:
                continue
            assert message.step in set(Step)
            assert message.answers is None or rubric.unpack(rubric.pack(message.answers))


@pytest.mark.parametrize(
    ("kinds", "value"),
    [
        ("Offer", {"v": 1, "step": "submit"}),
        (["Offer"], {"v": 1, "step": "submit"}),
        (["Offer", "coar-notify:ReviewAction"], {"v": 1, "step": "submit"}),
        (["coar-notify:EndorsementAction", "Offer"], {"v": 1, "step": "submit"}),
        (["Announce", "coar-notify:ReviewAction"], {"v": 1, "step": "review"}),
        (["Offer", "coar-notify:ReviewAction"], {"v": 1, "step": "invite", "practice": {}}),
        (["Undo", "coar-notify:ReviewAction"], {"v": 2, "step": "release"}),
        (["Undo", "coar-notify:ReviewAction"], {"v": 1}),
        (["Undo", "coar-notify:ReviewAction"], []),
    ],
)
def test_types_and_members_have_to_belong_together(kinds: Any, value: Any) -> None:
    with pytest.raises(Invalid):
        from_wire({"type": kinds, "gh:review": value})
