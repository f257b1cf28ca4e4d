# SPDX-License-Identifier: Apache-2.0
"""Full text over posts: FTS5 on SQLite, tsvector on PostgreSQL."""

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, column, func, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.forums import Forum
from storage.posts import Post

MOST_WORDS = 12
LONGEST_WORD = 64
LONGEST_QUERY = 500
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

    Every word must occur; the last may be the beginning of one.
    """
    asked = words(query[:LONGEST_QUERY])[:MOST_WORDS]
    if not asked:
        return []
    if session.get_bind().dialect.name == "sqlite":
        expression = " ".join(f'"{word}"' for word in asked) + "*"
        match = text("search_index MATCH :asked").bindparams(bindparam("asked", expression))
    else:
        expression = " & ".join(f"'{word}'" for word in asked) + ":*"
        match = INDEX.c.document.op("@@")(func.to_tsquery("simple", expression))  # type: ignore[assignment]
    question = (
        select(Post.id)
        .select_from(INDEX)
        .join(Post, INDEX.c.rowid == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(match, visible)
        # Of the index itself: SQLite then reads it from the newest on and stops, where by the
        # posts' ids it would sort every hit.
        .order_by(INDEX.c.rowid.desc())
        .limit(limit)
    )
    if before is not None:
        question = question.where(INDEX.c.rowid < before)
    return list((await session.execute(question)).scalars())
