# SPDX-License-Identifier: Apache-2.0
"""Collections are read whole, paged or with a page inline."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.vocabulary.collections import parse_collection
from federation.vocabulary.errors import Malformed

C = "https://a.example/p/1/replies"


def test_an_inline_first_page_gives_the_items() -> None:
    page = {"type": "CollectionPage", "partOf": C, "items": ["https://b.example/c/7"]}
    found = parse_collection(
        {"id": C, "type": "Collection", "first": {**page, "next": C + "?page=2"}}
    )
    assert found.items == ("https://b.example/c/7",)
    assert found.next == C + "?page=2"
    assert found.first is None
    assert found.total is None


def test_a_paged_collection_names_its_first_page() -> None:
    found = parse_collection(
        {"id": C, "type": "OrderedCollection", "totalItems": 3, "first": C + "?page=1"}
    )
    assert (found.total, found.items, found.first) == (3, (), C + "?page=1")


def test_items_are_ids_or_embedded_documents_and_nothing_else() -> None:
    note = {"id": "https://b.example/c/8", "type": "Note"}
    link = {"type": "Link", "href": "https://b.example/c/9"}
    found = parse_collection(
        {"type": "OrderedCollectionPage", "orderedItems": [note, link, "x", 3, None], "partOf": C}
    )
    assert found.items == (note, "https://b.example/c/9")
    assert (found.id, found.part_of) == (None, C)


def test_a_single_item_needs_no_list() -> None:
    found = parse_collection({"type": "Collection", "items": "https://b.example/c/7"})
    assert found.items == ("https://b.example/c/7",)


def test_too_many_items_are_cut() -> None:
    items = [f"https://b.example/c/{n}" for n in range(6_000)]
    assert len(parse_collection({"type": "Collection", "items": items}).items) == 5_000


@pytest.mark.parametrize("total", [-1, True, "3", 1.5, None])
def test_a_total_is_a_whole_number(total: object) -> None:
    assert parse_collection({"type": "Collection", "totalItems": total}).total is None


def test_a_group_is_not_a_collection() -> None:
    with pytest.raises(Malformed, match="not a collection"):
        parse_collection({"type": "Group", "id": C})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(C),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ["id", "items", "orderedItems", "first", "next", "partOf", "totalItems"]


@given(st.fixed_dictionaries({}, optional={name: JSON for name in MEMBERS}))
def test_any_members_make_a_collection(members: dict[str, Any]) -> None:
    found = parse_collection({**members, "type": "OrderedCollection"})
    assert all(isinstance(item, str | dict) for item in found.items)
