# SPDX-License-Identifier: Apache-2.0
"""What of each kind of post can be found, and finding it."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.facts import PostDeleted, PostEdited, ReplyPosted, ThreadPosted
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage import search
from storage.posts import Kind, Post, PostState
from storage.search import SearchDocument


def _document(post: Post) -> SearchDocument:
    return SearchDocument(post.id, post.title, text.plain(post.html))


DOCUMENTS: dict[str, Callable[[Post], SearchDocument]] = {
    Kind.THREAD: _document,
    Kind.REPLY: _document,
    # Its whole record is in the body, section by section.
    Kind.PRACTICE: _document,
    Kind.REPLICATION: _document,
}


async def index_post(tx: Transaction, fact: ThreadPosted | ReplyPosted | PostEdited) -> None:
    post = await tx.session.get_one(Post, fact.post)
    await search.put(tx.session, DOCUMENTS[post.kind](post))


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    await search.scrub(tx.session, fact.post)


async def matching(
    session: AsyncSession, viewer: Viewer, query: str, *, before: int | None = None, limit: int = 20
) -> list[int]:
    """Ids of the live posts this viewer may see that contain every word, newest first."""
    visible = visible_posts(viewer) & (Post.state == PostState.LIVE)
    return await search.find(session, query, visible=visible, before=before, limit=limit)
