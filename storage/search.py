# SPDX-License-Identifier: Apache-2.0
"""Full text over posts: FTS5 on SQLite, tsvector on PostgreSQL."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.forums import Forum
from storage.posts import Post

MOST_WORDS = 12
LONGEST_WORD = 64
LONGEST_QUERY = 500
# So many of the newest posts are looked through one by one, and a word that so many of them
# hold is too common for all its hits to be collected.
NEWEST = 1_000
COMMON = 40
# PostgreSQL takes no more than 1 MB of words for one post.
LONGEST_TEXT = 100_000
_WORD = re.compile(r"[^\W_]+")

INDEX = table("search_index", column("rowid"), column("title"), column("body"), column("document"))


@dataclass(frozen=True)
class SearchDocument:
    """What of a post can be found: its title and its plain text."""

    post_id: int
    title: str
    text: str


def create(connection: Connection) -> None:
    """Make the index; called by the migration, since no metadata can describe both."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE search_index USING fts5("
            "title, body, tokenize = 'unicode61 remove_diacritics 2')"
        )
        return
    connection.exec_driver_sql(
        "CREATE TABLE search_index (rowid BIGINT PRIMARY KEY, title TEXT NOT NULL, "
        "body TEXT NOT NULL, document TSVECTOR GENERATED ALWAYS AS ("
        "setweight(to_tsvector('simple', title), 'A') || to_tsvector('simple', body)) STORED)"
    )
    connection.exec_driver_sql("CREATE INDEX ix_search_index ON search_index USING GIN (document)")


def drop(connection: Connection) -> None:
    """Undo `create`."""
    connection.exec_driver_sql("DROP TABLE search_index")


def words(text: str) -> list[str]:
    """The words of a text as they are indexed: small letters and digits, without marks.

    Both engines are given these, or each would cut hyphens, addresses and accents its own way.
    """
    # Marks go first: to order a long run of them takes time by the square of its length.
    folded = unicodedata.normalize("NFKD", _without_marks(text))
    return [word[:LONGEST_WORD] for word in _WORD.findall(_without_marks(folded).casefold())]


def _without_marks(text: str) -> str:
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def _indexed(text: str) -> str:
    return " ".join(words(text[:LONGEST_TEXT]))[:LONGEST_TEXT]


async def put(session: AsyncSession, document: SearchDocument) -> None:
    """Index a post, or index it again."""
    await remove(session, document.post_id)
    await session.execute(
        text("INSERT INTO search_index (rowid, title, body) VALUES (:id, :title, :body)"),
        {
            "id": document.post_id,
            "title": _indexed(document.title),
            "body": _indexed(document.text),
        },
    )


async def remove(session: AsyncSession, post_id: int) -> None:
    """Find a post no longer."""
    await session.execute(text("DELETE FROM search_index WHERE rowid = :id"), {"id": post_id})


async def scrub(session: AsyncSession, post_id: int) -> None:
    """Find a post no longer, and keep none of its words.

    FTS5 leaves a removed row's words in the segments of its index until they are merged.
    """
    await remove(session, post_id)
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(text("INSERT INTO search_index (search_index) VALUES ('optimize')"))


async def find(
    session: AsyncSession,
    query: str,
    *,
    visible: ColumnElement[bool],
    before: int | None = None,
    limit: int = 20,
) -> list[int]:
    """Ids of matching posts, newest first; `visible` is the viewer's condition on Forum/Post.

    Every word must occur; the last may be the beginning of one. Where that beginning is common,
    posts older than the NEWEST last ones are found by the whole word only.
    """
    asked = words(query[:LONGEST_QUERY])[:MOST_WORDS]
    if not asked:
        return []
    found = await _among_newest(session, asked, visible, before, limit)
    if len(found) < limit:
        whole = not await _is_rare(session, asked, before)
        older = await _in_index(session, asked, visible, before, limit, whole=whole)
        found = sorted({*found, *older}, reverse=True)[:limit]
    return found


def _question(source: Any, visible: ColumnElement[bool], limit: int) -> Select[int]:
    """Ids of rows of the index, or of a stretch of it, that the viewer may see."""
    return (
        select(Post.id)
        .select_from(source)
        .join(Post, source.c.rowid == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(visible)
        # Of the index itself: SQLite then reads it from the newest on and stops, where by the
        # posts' ids it would sort every hit.
        .order_by(source.c.rowid.desc())
        .limit(limit)
    )


def _newest(before: int | None) -> Any:
    """The NEWEST last rows of the index below `before`."""
    question = select(INDEX.c.rowid, INDEX.c.title, INDEX.c.body)
    if before is not None:
        question = question.where(INDEX.c.rowid < before)
    return question.order_by(INDEX.c.rowid.desc()).limit(NEWEST).subquery()


def _says(rows: Any, asked: list[str]) -> list[ColumnElement[bool]]:
    """That a row holds every word, the last of them as the beginning of one."""
    ends = [" "] * (len(asked) - 1) + [""]
    padded = literal(" ") + rows.c.title + " " + rows.c.body + " "
    # A word is letters and digits: nothing in it means anything to LIKE.
    return [padded.like(f"% {word}{end}%") for word, end in zip(asked, ends, strict=True)]


async def _among_newest(
    session: AsyncSession,
    asked: list[str],
    visible: ColumnElement[bool],
    before: int | None,
    limit: int,
) -> list[int]:
    """What a look at the newest posts finds, without the index.

    Both engines collect every hit of a beginning of a word before they give the first, which
    takes longer the larger the town; of a word that is not rare the newest posts hold enough.
    """
    rows = _newest(before)
    question = _question(rows, visible, limit).where(*_says(rows, asked))
    return list((await session.execute(question)).scalars())


async def _is_rare(session: AsyncSession, asked: list[str], before: int | None) -> bool:
    """Whether few enough posts hold the last word, or a longer one, to collect all of them."""
    rows = _newest(before)
    some = select(rows.c.rowid).where(*_says(rows, asked[-1:])).limit(COMMON).subquery()
    return (await session.execute(select(func.count()).select_from(some))).scalar_one() < COMMON


async def _in_index(
    session: AsyncSession,
    asked: list[str],
    visible: ColumnElement[bool],
    before: int | None,
    limit: int,
    *,
    whole: bool,
) -> list[int]:
    """What the index finds; `whole` takes the last word as it stands."""
    match: Any
    if session.get_bind().dialect.name == "sqlite":
        expression = " ".join(f'"{word}"' for word in asked) + ("" if whole else "*")
        match = text("search_index MATCH :asked").bindparams(bindparam("asked", expression))
    else:
        expression = " & ".join(f"'{word}'" for word in asked) + ("" if whole else ":*")
        match = INDEX.c.document.op("@@")(func.to_tsquery("simple", expression))
    question = _question(INDEX, visible, limit).where(match)
    if before is not None:
        question = question.where(INDEX.c.rowid < before)
    return list((await session.execute(question)).scalars())
