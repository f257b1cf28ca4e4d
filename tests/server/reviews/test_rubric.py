# SPDX-License-Identifier: Apache-2.0
"""What reviewers answer is read as strictly as a record."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Invalid
from server.reviews import rubric
from tests.server.reviews.bench import answers

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
MEMBERS = st.sampled_from(["v", "recommendation", "summary", *rubric.CRITERIA, "scores"])


@given(st.dictionaries(MEMBERS, ANYTHING, max_size=6))
def test_what_strangers_answer_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        read = rubric.parse(document)
    except Invalid:
        return
    assert rubric.unpack(rubric.pack(read)) == read
    for criterion in rubric.CRITERIA:
        assert read.mark(criterion).score in (None, 1, 2, 3, 4)


def test_a_review_is_sent_whole() -> None:
    rubric.must_be_whole(answers())
    with pytest.raises(Invalid) as refusal:
        rubric.must_be_whole(rubric.parse({"v": 1, "clarity": {"score": 4}}))
    fields = set(refusal.value.fields)
    assert {"clarity.comment", "ethics.score", "ethics.comment", "recommendation"} <= fields
    assert "clarity.score" not in fields


@pytest.mark.parametrize(
    "wrong",
    [
        {"v": 2},
        {"v": 1, "clarity": {"score": 5}},
        {"v": 1, "clarity": {"score": 0}},
        {"v": 1, "clarity": {"score": 2.5}},
        {"v": 1, "recommendation": "perhaps"},
        {"v": 1, "evidence": {"comment": "x" * 5_001}},
    ],
)
def test_wrong_answers_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        rubric.parse(wrong)
