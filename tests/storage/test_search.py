# SPDX-License-Identifier: Apache-2.0
"""Full text, alike on both engines."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text, true

from storage import search
from storage.database import Database
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.posts import Post
from storage.search import SearchDocument

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEXTS = {
    1: ("How do you measure permit time?", "From filing, or from completeness of the dossier?"),
    2: ("Façade grants in the Old Town", "The façade of each café was measured; naïve, but cheap."),
    3: (
        "Re: permits",
        "See https://riverton.example.gov/permits-2026 or mail desk@lakeside.example",
    ),
    4: ("Plan 9b", "The e-permit_form has 3.14 pages; Straße 12, ЁЛКА, 許可 and Žižkov."),
}
PUBLIC = Forum.visibility == Visibility.PUBLIC


async def fill(database: Database) -> None:
    """A public forum with three posts and a closed one with the fourth."""
    async with database.writer.transaction() as session:
        person = Member(
            id=1, uri="u", handle="ana", url="u", name="Ana", inbox="i", created=NOON, updated=NOON
        )
        session.add(person)
        for number, visibility in ((1, Visibility.PUBLIC), (2, Visibility.MEMBERS)):
            session.add(
                Forum(
                    id=number, uri=f"f{number}", handle=f"f{number}", url="f", title="F",
                    visibility=visibility, inbox="i", created=NOON, updated=NOON,
                )
            )  # fmt: skip
        await session.flush()
        for number, (title, body) in TEXTS.items():
            session.add(
                Post(
                    id=number, uri=f"p{number}", url="p", kind="thread", forum_id=1 + number // 4,
                    author_id=1, thread_id=number, title=title, published=NOON, arrived=NOON,
                    bumped=NOON,
                )
            )  # fmt: skip
            await session.flush()
            await search.put(session, SearchDocument(number, title, body))


async def found(database: Database, query: str, **limits: int) -> list[int]:
    async with database.reading() as session:
        return await search.find(session, query, visible=true(), **limits)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("permit", [4, 3, 1]),
        ("permits", [3]),
        ("PERMIT time", [1]),
        ("time permit", [1]),
        ("completeness dossier grants", []),
        ("complet", [1]),
        ("omplete", []),
        ("facade", [2]),
        ("FAÇADE", [2]),
        ("fac\u0327ade", [2]),
        ("naive cafe", [2]),
        ("cafés", []),
        ("riverton", [3]),
        ("permits-2026", [3]),
        ("desk@lakeside.example", [3]),
        ("e-permit", [4]),
        ("form", [4]),
        ("permit_form", [4]),
        ("3.14", [4]),
        ("9b", [4]),
        ("strasse", [4]),
        ("ёлка", [4]),
        ("許可", [4]),
        ("zizkov", [4]),
        ("", []),
        ("…!? *", []),
    ],
)
async def test_every_word_must_occur_and_the_last_may_be_a_beginning(
    database: Database, query: str, expected: list[int]
) -> None:
    await fill(database)
    assert await found(database, query) == expected


async def test_what_a_viewer_may_not_see_is_not_found(database: Database) -> None:
    await fill(database)
    async with database.reading() as session:
        assert await search.find(session, "permit", visible=PUBLIC) == [3, 1]
        assert await search.find(session, "zizkov", visible=PUBLIC) == []


async def test_results_come_in_pages_newest_first(database: Database) -> None:
    await fill(database)
    assert await found(database, "permit", limit=2) == [4, 3]
    assert await found(database, "permit", limit=2, before=3) == [1]


async def test_of_a_common_beginning_older_posts_are_found_by_the_whole_word(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database)
    monkeypatch.setattr(search, "NEWEST", 2)
    monkeypatch.setattr(search, "COMMON", 2)
    # "permit" begins a word of both newest posts; the first one holds it, and nothing longer.
    assert await found(database, "permit") == [4, 3, 1]
    assert await found(database, "perm") == [4, 3]
    assert await found(database, "time permit") == [1]
    # Of what is rare among the newest, every longer word is found.
    assert await found(database, "measur") == [2, 1]
    assert await found(database, "permit", before=4) == [3, 1]


async def test_a_post_indexed_again_is_found_by_its_new_words_only(database: Database) -> None:
    await fill(database)
    async with database.writer.transaction() as session:
        await search.put(session, SearchDocument(1, "Opening hours", "Nine to five."))
    assert await found(database, "dossier") == []
    assert await found(database, "opening nine") == [1]


async def test_a_removed_post_is_not_found(database: Database) -> None:
    await fill(database)
    async with database.writer.transaction() as session:
        await search.remove(session, 1)
        await search.remove(session, 1)
        await search.scrub(session, 3)
    assert await found(database, "permit") == [4]


async def test_huge_texts_can_be_indexed_and_asked_for(database: Database) -> None:
    await fill(database)
    many = " ".join(f"w{number:06x}" for number in range(200_000))
    async with database.writer.transaction() as session:
        await search.put(session, SearchDocument(1, "a" * 500, f"beacon {many} {'許' * 50_000}"))
        await search.put(session, SearchDocument(2, "e\u0301" * 250, "a" + "\u0301\u0316" * 50_000))
    assert await found(database, "beacon") == [1]
    assert await found(database, "a" * 500) == [1]
    assert await found(database, "é" * 64) == [2]


JUNK = st.one_of(
    st.text(),
    st.text(alphabet="\"'*:&|!()<->^{}[]-+\\ \0%_~aZ1é許\u0301"),
    st.lists(
        st.sampled_from(
            [
                "AND",
                "OR",
                "NOT",
                "NEAR(",
                "title:",
                '"',
                "''",
                "*",
                ":*",
                "<->",
                "permit",
                "\\",
                "!",
            ]
        )
    ).map(" ".join),
)


def _never_raises(url: str) -> None:
    """Ask whatever can be typed; one database and one loop for all of it."""
    database = Database(url)
    with asyncio.Runner() as runner:
        runner.run(fill(database))

        @given(JUNK)
        @example("\ud800 \udfff")
        @example("a\0b")
        @example("'; DROP TABLE posts; --")
        @example("\ufdfa" * 500)
        def ask(query: str) -> None:
            runner.run(found(database, query))

        ask()
        assert runner.run(found(database, "permit")) == [4, 3, 1]
        runner.run(database.close())


def test_no_question_breaks_the_search(database_url: str) -> None:
    _never_raises(database_url)


@given(st.text(max_size=200))
def test_a_text_is_cut_into_the_same_words_twice(value: str) -> None:
    once = search.words(value)
    assert search.words(" ".join(once)) == once
    assert all(word and len(word) <= search.LONGEST_WORD for word in once)


async def test_a_scrubbed_post_leaves_no_word_in_the_index_of_sqlite(
    tmp_path: Path, empty_database: Path
) -> None:
    """FTS5 keeps removed words in its segments until they are merged."""
    shutil.copy(empty_database, tmp_path / "copy.db")
    database = Database(f"sqlite:///{tmp_path / 'copy.db'}")
    async with database.writer.transaction() as session:
        for number in range(1, 40):
            body = "quaggataint" if number == 17 else f"words of post {number}"
            await search.put(session, SearchDocument(number, "title", body))
    async with database.writer.transaction() as session:
        await search.scrub(session, 17)
    async with database.writer.transaction() as session:
        for table in ("search_index_data", "search_index_content"):
            rows = (await session.execute(text(f"SELECT * FROM {table}"))).all()  # noqa: S608
            assert rows
            assert not any(b"quagga" in _bytes(value) for row in rows for value in row)
    await database.close()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
