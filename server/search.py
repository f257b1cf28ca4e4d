# SPDX-License-Identifier: Apache-2.0
"""What of each kind of post can be found, and finding it."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.events.details import of_row
from server.facts import PostDeleted, PostEdited, PracticePublished, ReplyPosted, ThreadPosted
from server.practices import prose
from server.practices.record import unpack
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage import search
from storage.events import Event
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostState
from storage.practices import Practice
from storage.search import SearchDocument


def _document(post: Post) -> SearchDocument:
    return SearchDocument(post.id, post.title, text.plain(post.html))


DOCUMENTS: dict[str, Callable[[Post], SearchDocument]] = {
    Kind.THREAD: _document,
    Kind.REPLY: _document,
    Kind.PRACTICE: _document,
    Kind.REPLICATION: _document,
    Kind.EVENT: _document,
    Kind.RESOURCE: _document,
}


async def index_post(tx: Transaction, fact: ThreadPosted | ReplyPosted | PostEdited) -> None:
    post = await tx.session.get_one(Post, fact.post)
    forum = await tx.session.get_one(Forum, post.forum_id)
    # What is posted in a forum of ours can be found, whoever wrote it.
    if forum.is_local or (await tx.session.get_one(Member, post.author_id)).indexable:
        document = DOCUMENTS[post.kind](post)
        event = await tx.session.get(Event, post.id) if post.kind == Kind.EVENT else None
        if event is not None:
            document = SearchDocument(post.id, post.title, f"{document.text}\n{_of_event(event)}")
        await search.put(tx.session, document)


def _of_event(event: Event) -> str:
    """Where an event is, and who tells what: not the address online, which few may be told."""
    details = of_row(event)
    told = [f"{session.title} {session.speakers}" for session in details.sessions]
    return "\n".join([details.place, details.access, *told])


async def forget_author(tx: Transaction, author: Member) -> None:
    """Someone elsewhere does not want to be found: only what they post in forums of ours is."""
    question = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.author_id == author.id, Forum.peer.is_not(None))
    )
    for number in (await tx.session.execute(question)).scalars().all():
        await search.remove(tx.session, number)


async def index_practice(tx: Transaction, fact: PracticePublished) -> None:
    """All that a practice says, where its post holds the beginning of a long one only."""
    post = await tx.session.get_one(Post, fact.post)
    practice = await tx.session.get_one(Practice, fact.post)
    told = prose.markdown(unpack(practice.record))
    await search.put(tx.session, SearchDocument(post.id, post.title, told))


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    await search.scrub(tx.session, fact.post)


async def matching(
    session: AsyncSession, viewer: Viewer, query: str, *, before: int | None = None, limit: int = 20
) -> list[int]:
    """Ids of the live posts this viewer may see that contain every word, newest first."""
    visible = visible_posts(viewer) & (Post.state == PostState.LIVE)
    return await search.find(session, query, visible=visible, before=before, limit=limit)
