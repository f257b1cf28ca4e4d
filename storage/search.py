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
_WORD = re.compile(r"\w+", re.UNICODE)

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


def words(query: str) -> list[str]:
    """The words asked for, without any of the search engines' own syntax."""
    plain = unicodedata.normalize("NFKC", query[:500]).replace("\0", " ")
    return [word for word in _WORD.findall(plain)][:MOST_WORDS]


async def put(session: AsyncSession, document: SearchDocument) -> None:
    """Index a post, or index it again."""
    await remove(session, document.post_id)
    await session.execute(
        text("INSERT INTO search_index (rowid, title, body) VALUES (:id, :title, :body)"),
        {"id": document.post_id, "title": document.title, "body": document.text},
    )


async def remove(session: AsyncSession, post_id: int) -> None:
    """Forget a post."""
    await session.execute(text("DELETE FROM search_index WHERE rowid = :id"), {"id": post_id})


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
    asked = words(query)
    if not asked:
        return []
    if session.get_bind().dialect.name == "sqlite":
        expression = " ".join(f'"{word}"' for word in asked) + "*"
        match = text("search_index MATCH :asked").bindparams(bindparam("asked", expression))
    else:
        expression = " & ".join(asked) + ":*"
        match = INDEX.c.document.op("@@")(func.to_tsquery("simple", expression))  # type: ignore[assignment]
    question = (
        select(Post.id)
        .join(INDEX, INDEX.c.rowid == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(match, visible)
        .order_by(Post.id.desc())
        .limit(limit)
    )
    if before is not None:
        question = question.where(Post.id < before)
    return list((await session.execute(question)).scalars())
