# SPDX-License-Identifier: Apache-2.0
"""What comes from elsewhere, taken into a forum of ours under its rules."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from federation import tombstones
from federation.errors import WireError
from federation.handlers import practices
from federation.incoming import Ignored
from federation.posts import SharedPost, origin_of_post
from server.errors import NotFound
from server.library import replicating
from server.posts import newcomers, writing
from server.posts.drafts import ReplyDraft
from server.transaction import Transaction
from storage import posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post


class Crowded(WireError):
    """Many new people of this host have begun to post: this one comes in later."""

    permanent = False


async def take(
    tx: Transaction, person: Member, forum: Forum, sharing: SharedPost, raw: str, key_id: str
) -> None:
    """Post what somebody elsewhere wrote; Ignored or a Refusal says why not."""
    if await posts.is_held(tx.session, sharing.uri):
        raise Ignored("This post is here already.")
    if await tombstones.stands(tx.session, person.uri, sharing.uri):
        raise Ignored("This post was deleted before it came.")
    if await newcomers.must_wait(tx, person):
        raise Crowded
    sharing = practices.as_told_here(sharing)
    origin = origin_of_post(sharing, raw, key_id)
    if sharing.parent is None:
        if sharing.report is not None:
            await replicating.must_be_of_a_practice(tx, person, sharing.report)
        post = await writing.post_thread(tx, person, forum, practices.opening(sharing, origin))
        await practices.opened(tx, post, sharing)
        return
    place = await attached(tx.session, forum, sharing.parent, sharing.context)
    if place is None:
        raise NotFound("What this answers is not in the forum.")
    parent, unmet = place
    reply = ReplyDraft(sharing.source, parent.id, sharing.language, origin, unmet)
    await practices.answered(tx, await writing.reply(tx, person, reply), sharing)


async def attached(
    session: AsyncSession, forum: Forum, uri: str, context: str
) -> tuple[Post, str | None] | None:
    """The post answered; the opener, with the missing id, where only the thread is held here.

    A reply that stands under the opener moves to its place once what it answers has come.
    """
    parent = await posts.by_uri(session, uri)
    if parent is not None:
        return (parent, None) if parent.forum_id == forum.id else None
    question = select(Post).where(
        Post.context == context, Post.thread_id == Post.id, Post.forum_id == forum.id
    )
    opener = (await session.execute(question)).scalars().first() if context else None
    return (opener, uri) if opener is not None else None
