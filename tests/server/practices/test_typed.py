# SPDX-License-Identifier: Apache-2.0
"""Fields of a form as a document, and faults back at their fields."""

import pytest

from server.errors import Invalid
from server.practices.typed import lines, number, record_of

TYPED = {"name": "Digital permits", "summary": "It works."}


def faults(**typed: str) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        record_of({**TYPED, **{name.replace("__", "."): value for name, value in typed.items()}})
    return refused.value.fields


def test_fields_make_a_record() -> None:
    made = record_of(
        {
            **TYPED,
            "steps": "4 2",
            "steps.2.title": "Second",
            "steps.4.title": "First",
            "steps.4.resourceId": "https://a.example/x\nhttps://b.example/y",
            "outcomes": "1",
            "outcomes.1.indicator": "Days",
            "outcomes.1.unit": "days",
            "outcomes.1.direction": "down",
            "outcomes.1.baseline.value": "21",
            "outcomes.1.actual.value": " 12.6 ",
            "conditions.must": "- Payment\n\n- A form",
            "conditions.helps": "Patience",
            "partners": "University: evaluation\nNeighbours",
            "topics.0": "parks",
            "topics.2": "water",
            "tags": "#Permits, forms",
            "costs.startup": "140000",
            "costs.currency": "USD",
        }
    )
    assert [step.title for step in made.steps] == ["First", "Second"]
    assert made.steps[0].resource_id == ("https://a.example/x", "https://b.example/y")
    assert (made.outcomes[0].baseline.value, made.outcomes[0].actual.value) == (21, 12.6)
    assert [(c.text, c.must) for c in made.conditions] == [
        ("Payment", True), ("A form", True), ("Patience", False),
    ]  # fmt: skip
    assert [(p.name, p.role) for p in made.partners] == [
        ("University", "evaluation"), ("Neighbours", ""),
    ]  # fmt: skip
    assert (made.topics, made.tags) == (("parks", "water"), ("permits", "forms"))


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"steps": "9 3", "steps.9.title": "a", "steps.3.text": "b"}, "steps.3.title"),
        (
            {"steps": "9", "steps.9.title": "a", "steps.9.resourceId": "https://a.example\nftp:x"},
            "steps.9.resourceId",
        ),
        (
            {"outcomes": "7", "outcomes.7.indicator": "a", "outcomes.7.target.value": "3"},
            "outcomes.7.baseline.value",
        ),
        ({"outcomes": "7", "outcomes.7.actual.n": "0"}, "outcomes.7.actual.n"),
        ({"costs.startup": "1,204.50"}, "costs.startup"),
        ({"costs.startup": "1e999"}, "costs.startup"),
        ({"topics.1": "No Such Thing"}, "topics.1"),
        ({"conditions.must": "a", "conditions.helps": "x" * 501}, "conditions.helps"),
        ({"partners": ": role without a name"}, "partners"),
        ({"audience": "\n".join("abc" for _ in range(21))}, "audience"),
        ({"name": ""}, "name"),
    ],
)
def test_a_fault_is_told_beside_its_field(fields: dict[str, str], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        record_of({**TYPED, **fields})
    assert place in refused.value.fields, refused.value.fields


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("21", 21), ("-3", -3), ("−3.5", -3.5), ("0", 0), ("1e3", 1000.0), ("", None),
        ("1,204", "1,204"), ("12,6", "12,6"), ("nan", "nan"), ("about 5", "about 5"),
        ("٣", "٣"),
    ],
)  # fmt: skip
def test_only_plain_numbers_are_numbers(typed: str, meant: object) -> None:
    assert number(typed) == meant
    assert type(number(typed)) is type(meant)


def test_lines_are_what_people_type_as_a_list() -> None:
    assert lines("- one\n\n  * two \nthree-four") == ["one", "two", "three-four"]


def test_what_is_kept_along_is_no_way_around_the_rules() -> None:
    assert "summary" in faults(kept='{"summary": 7}', summary="")
    assert faults(kept='{"basedOn": [{"uri": "javascript:x"}]}')
    assert record_of({**TYPED, "kept": '{"setting": 7}', "setting.level": "city"}).setting.level
    assert record_of({**TYPED, "kept": "[" * 5_000}).name == "Digital permits"
