# SPDX-License-Identifier: Apache-2.0
"""Digests: alike on both sides, whatever the order, and read without fear.

`python -m tests.federation.test_digests` writes the examples of docs/wire/digest.md anew.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import posts
from federation.digests import measures, reading, serving
from federation.endorsements import like
from federation.signatures.proofs import add_proof
from federation.urls import proof_key
from federation.vocabulary.errors import Malformed
from server.digests import Bucket, endorsers_hash, line_of, sum_of, total_of
from storage.digests import Standing
from tests.federation import test_federation_md as examples
from tests.federation.test_federation_md import ANA, ANSWER, BLOCK, FORUM, LATER, MAREK, OPENER
from tests.house.sources import ROOT

PAGE = ROOT / "docs/wire/digest.md"
TODAY = date(2026, 11, 24)

urls = st.builds("https://{}.example/p/{}".format, st.sampled_from(["a", "b"]), st.integers(1))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
standings = st.builds(
    Standing,
    uri=urls,
    published=moments,
    updated=st.none() | moments,
    state=st.sampled_from(["live", "deleted"]),
    locked=st.booleans(),
    pinned=st.booleans(),
    endorsers=st.lists(urls, max_size=4).map(tuple),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | urls,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
NAMES = ("gh:days", "gh:lines", "gh:before", "gh:after", "gh:endorsers", "gh:revision", "items")
strange = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([measures.DIGEST, measures.DAY, measures.POST]) | json_values,
        "attributedTo": st.just(FORUM) | json_values,
        "object": json_values,
        **{name: json_values | st.lists(json_values, max_size=8) for name in NAMES},
    },
)


@given(st.lists(standings, max_size=8, unique_by=lambda one: one.uri), st.randoms())
def test_the_same_posts_in_any_order_sum_up_alike(found: list[Standing], chance: Any) -> None:
    lines = [line_of(one) for one in found]
    shuffled = [
        line_of(Standing(**{**vars(one), "endorsers": tuple(sorted(one.endorsers, reverse=True))}))
        for one in found
    ]
    chance.shuffle(shuffled)
    assert sum_of("2026-11-23", lines) == sum_of("2026-11-23", shuffled)
    days = [sum_of(f"2026-11-{n:02}", [line]) for n, line in enumerate(lines, 1)]
    mixed = list(days)
    chance.shuffle(mixed)
    assert total_of(days) == total_of(mixed)


@given(standings, standings)
def test_what_differs_sums_up_otherwise(one: Standing, other: Standing) -> None:
    same = line_of(one) == line_of(other)
    assert (sum_of("2026-11-23", [line_of(one)]) == sum_of("2026-11-23", [line_of(other)])) is same


@given(standings)
def test_a_line_is_read_as_it_was_written(one: Standing) -> None:
    line = reading.parse_line(line_of(one))
    assert line is not None
    assert (line.text, line.uri) == (line_of(one), one.uri)
    assert line.is_deleted == (one.state == "deleted")
    if not line.is_deleted:
        assert ("locked" in line.marks, "pinned" in line.marks) == (one.locked, one.pinned)
        assert line.endorsers == endorsers_hash(one.endorsers)


@given(strange)
def test_nothing_that_a_stranger_sends_does_harm(document: dict[str, Any]) -> None:
    readers: tuple[Callable[[], Any], ...] = (
        lambda: reading.parse_days(document, FORUM, TODAY),
        lambda: reading.parse_lines(document, FORUM),
        lambda: reading.parse_one(document, FORUM),
    )
    read = []
    for reader in readers:
        try:
            read.append(reader())
        except Malformed:
            continue
    assert len(read) <= 1
    for page in read:
        if isinstance(page, reading.DaysPage):
            assert all(bucket.day <= "2026-11-25" and bucket.posts > 0 for bucket in page.days)


@given(st.text(max_size=300) | st.builds("\t".join, st.lists(st.text(max_size=40), max_size=5)))
def test_a_strange_line_is_left_out_or_kept_verbatim(text: str) -> None:
    line = reading.parse_line(text)
    assert line is None or line.text == text


@pytest.mark.parametrize(
    "day",
    ["1999-12-31", "2026-11-26", "2026-1-3", "2026-02-30", "20261123", "9999-12-31", "today", ""],
)
def test_a_day_that_cannot_be_is_left_out(day: str) -> None:
    rows = [{"day": day, "posts": 1, "sha256": "0" * 64}]
    document = {"type": measures.DIGEST, "attributedTo": FORUM, "gh:days": rows}
    assert reading.parse_days(document, FORUM, TODAY).days == ()


def test_many_days_and_many_lines_come_in_pages() -> None:
    first = date(2018, 1, 1)
    found = [Bucket(f"{first + timedelta(days=n)}", 1, f"{n:064x}") for n in range(2_500)][::-1]
    days: list[Bucket] = []
    before = ""
    for size in (1_000, 1_000, 500):
        page = reading.parse_days(serving.days_document(FORUM, found, before), FORUM, TODAY)
        assert len(page.days) == size
        days += page.days
        before = page.before
    assert (days, before) == (found, "")
    lines = sorted(f"https://a.example/p/{n}\t\tlive\t" for n in range(2_500))
    read: list[str] = []
    after = ""
    while True:
        document = serving.day_document(FORUM, "2026-11-23", lines, after)
        there = reading.parse_lines(document, FORUM)
        read += [line.text for line in there.lines]
        after = there.after
        if not after:
            break
    assert sorted(read) == lines


def _lines() -> list[str]:
    opener = Standing(OPENER.uri, OPENER.published, LATER, "live", True, False, (ANA,))
    answer = Standing(ANSWER.uri, ANSWER.published, None, "deleted", False, False, ())
    return sorted(line_of(one) for one in (opener, answer))


def _post() -> dict[str, Any]:
    def signed(document: dict[str, Any], actor: str) -> dict[str, Any]:
        key = examples.signing_key()
        return add_proof(document, key=key, method=proof_key(actor), created=LATER)

    given_like = like(f"{ANA}#like-117665001000000001-1", ANA, OPENER.uri, FORUM, author=MAREK)
    whole = signed(posts.to_wire(OPENER), MAREK)
    short = ("id", "type", "attributedTo", "audience", "published", "name", "content", "proof")
    return serving.post_document(
        FORUM,
        OPENER.uri,
        serving.Whole({name: whole[name] for name in short}, 1, [ANA]),
        [(2, signed(given_like, ANA))],
    )


EXAMPLES: dict[str, Callable[[], dict[str, Any]]] = {
    "digest": lambda: serving.days_document(FORUM, [sum_of("2026-11-23", _lines())], ""),
    "day": lambda: serving.day_document(FORUM, "2026-11-23", _lines(), ""),
    "post": _post,
}


def with_examples(page: str) -> str:
    """The page with its examples as the code makes them now."""

    def shown(name: str) -> str:
        return json.dumps(EXAMPLES[name](), indent=2, ensure_ascii=False) + "\n"

    return BLOCK.sub(lambda found: found[1] + shown(found[2]) + found[3], page)


def test_every_example_is_what_the_code_makes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_examples(page) == page, "Run: python -m tests.federation.test_digests"
    assert sorted(found[1] for found in BLOCK.findall(page)) == sorted(EXAMPLES)


if __name__ == "__main__":
    PAGE.write_text(with_examples(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
