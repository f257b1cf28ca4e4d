# SPDX-License-Identifier: Apache-2.0
"""A post together with the row of its kind: practice, resource, event."""

from typing import TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.errors import NotFound
from server.viewers import Viewer, visible_posts
from storage.base import Base
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState

D = TypeVar("D", bound=Base)


async def detailed(
    session: AsyncSession, viewer: Viewer, post_id: int, table: type[D]
) -> tuple[Post, Forum, Member, D]:
    """(post, forum, author, row of `table`) that the viewer may see; NotFound for anything else.

    The table's key is the number of the post.
    """
    # Beside its name: who may see a forum is asked by way of members as well.
    author = aliased(Member)
    question = (
        select(Post, Forum, author, table)
        .join(Forum, Forum.id == Post.forum_id)
        .join(author, author.id == Post.author_id)
        .join(table, inspect(table).primary_key[0] == Post.id)
        .where(Post.id == post_id, Post.state != PostState.DELETED, visible_posts(viewer))
    )
    row = (await session.execute(question)).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1], row[2], row[3]
