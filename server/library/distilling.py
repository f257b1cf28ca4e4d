# SPDX-License-Identifier: Apache-2.0
"""From a discussion to a draft, with credit to those who wrote."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Invalid, NotFound
from server.library import drafts
from server.records.editions import Beginning
from server.settings import Settings
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostState
from storage.practices import PracticeDraft

MOST_LISTED = 200
MOST_CHOSEN = 30
LONGEST_TEXT = 19_000


@dataclass(frozen=True)
class Said:
    """A post of a discussion with who wrote it."""

    post: Post
    author: Member


@dataclass(frozen=True)
class DistilPage:
    """A discussion to choose from: the opener, and its replies by endorsements and time."""

    forum: Forum
    opener: Said
    replies: tuple[Said, ...]


async def distil_page(session: AsyncSession, viewer: Viewer, thread: int) -> DistilPage:
    """The live posts of a thread that the viewer may see."""
    question = (
        select(Post, Member, Forum)
        .join(Member, Member.id == Post.author_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Post.thread_id == thread,
            Post.state.in_((PostState.LIVE, PostState.SENT)),
            visible_posts(viewer),
        )
        .order_by(Post.id)
        .limit(MOST_LISTED)
    )
    rows = (await session.execute(question)).all()
    opener = next((row for row in rows if row[0].id == thread), None)
    if opener is None or opener[0].kind != Kind.THREAD:
        raise NotFound
    replies = tuple(Said(row[0], row[1]) for row in rows if row[0].id != thread)
    return DistilPage(opener[2], Said(opener[0], opener[1]), replies)


async def distil(
    tx: Transaction, member: Member, page: DistilPage, chosen: Collection[int]
) -> PracticeDraft:
    """Begin a practice from an opener and some of its replies; everybody quoted is credited."""
    if len(chosen) > MOST_CHOSEN:
        raise Invalid(message=f"Choose at most {MOST_CHOSEN} replies.")
    replies = [said for said in page.replies if said.post.id in chosen]
    opener = page.opener
    quoted = "\n".join(text.quote(words(said.post), said.author.name) for said in replies)
    credited = {said.author.id: said.author for said in (opener, *replies)}
    kept = {
        "derivedFrom": [opener.post.uri],
        "credits": [
            _credit(author, tx.settings) for author in credited.values() if author.id != member.id
        ],
    }
    typed = {
        "name": text.clean_line(opener.post.title, 100),
        "problem": words(opener.post)[:LONGEST_TEXT],
        "solution": quoted[:LONGEST_TEXT],
        "agency": tx.settings.agency_name,
        "kept": json.dumps(kept, ensure_ascii=False),
    }
    return await drafts.begin(tx, member, Beginning(typed, thread=opener.post.id))


def words(post: Post) -> str:
    """A post as Markdown, or as plain text where its source did not come along."""
    return post.source or text.plain(post.html)


def _credit(author: Member, settings: Settings) -> dict[str, str]:
    agency = author.agency or author.peer or settings.agency_name
    return {"name": author.name[:200], "agency": agency[:200], "uri": author.uri}
