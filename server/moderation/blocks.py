# SPDX-License-Identifier: Apache-2.0
"""Shutting somebody out of a forum, and letting them in again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import audit, text
from server.errors import NotAllowed
from server.facts import LetIn, ShutOut
from server.forums.standing import standing, standing_now
from server.permissions import Permission, Role, must
from server.posts import editing
from server.posts.pages import FoundPost, found
from server.transaction import Transaction
from server.viewers import Viewer
from storage import forums, moderation
from storage.forums import Forum
from storage.members import Member
from storage.moderation import ForumBlock
from storage.posts import Post, PostState

MOST_REMOVED = 200
MOST_SHOWN = 500


@dataclass(frozen=True)
class BlockDraft:
    """Whom to shut out, and why; `uri` is the Block that came from elsewhere.

    `until` is when it ends by itself, within the hour. `erases` has what they wrote there go
    as well, the latest MOST_REMOVED posts of it.
    """

    person: Member
    reason: str = ""
    uri: str = ""
    until: datetime | None = None
    erases: bool = False


async def shut_out(tx: Transaction, actor: Member, forum: Forum, draft: BlockDraft) -> None:
    """They may read the forum from now on, and do nothing in it.

    At a copy that is asked of the home; nothing changes here before.
    """
    forum = await tx.session.get_one(Forum, forum.id)
    must(await standing_now(tx, actor, forum), Permission.SHUT_OUT)
    theirs = await standing(tx.session, draft.person, forum)
    if theirs.roles() & {Role.STEWARD, Role.ADMIN}:
        raise NotAllowed("Who looks after a forum cannot be shut out of it.")
    if await moderation.block_of(tx.session, forum.id, draft.person.id) is not None:
        return
    number = tx.ids.next()
    uri = draft.uri or f"{actor.uri}#block-{number}"
    reason = text.clean_line(draft.reason, 500)
    if not forum.is_local and actor.is_local:
        tx.record(ShutOut(forum.id, draft.person.id, actor.id, uri, reason))
        audit.note(tx, actor, "person.shut_out_asked", draft.person.uri, forum.uri)
        return
    await apply_shut_out(tx, actor, forum, BlockDraft(draft.person, reason, uri, draft.until))
    if draft.erases:
        await _erase(tx, actor, forum, draft.person, reason)


async def apply_shut_out(
    tx: Transaction, by: Member | None, forum: Forum, draft: BlockDraft
) -> None:
    """They are out; `by` is None where the forum's home says no more than that."""
    if await moderation.block_of(tx.session, forum.id, draft.person.id) is not None:
        return
    block = ForumBlock(forum_id=forum.id, member_id=draft.person.id, uri=draft.uri)
    block.reason, block.until = text.clean_line(draft.reason, 500), draft.until
    block.created = tx.now
    tx.session.add(block)
    await tx.session.flush()
    audit.note(tx, by or forum.uri, "person.shut_out", draft.person.uri, forum.uri)
    tx.record(ShutOut(forum.id, draft.person.id, by.id if by else 0, draft.uri, block.reason))
    if draft.erases:
        await _erase(tx, by, forum, draft.person, block.reason)


async def _erase(
    tx: Transaction, by: Member | None, forum: Forum, person: Member, reason: str
) -> None:
    """What they wrote in the forum goes, the latest of it."""
    question = (
        select(Post)
        .where(
            Post.author_id == person.id,
            Post.forum_id == forum.id,
            Post.state != PostState.DELETED,
        )
        .order_by(Post.id.desc())
        .limit(MOST_REMOVED)
    )
    for post in (await tx.session.execute(question)).scalars().all():
        await editing.apply_removal(tx, post, by, reason or "removed by a steward")


async def let_in(tx: Transaction, actor: Member, forum: Forum, person: Member) -> None:
    """They may take part again; at a copy that is asked of the home."""
    forum = await tx.session.get_one(Forum, forum.id)
    must(await standing_now(tx, actor, forum), Permission.SHUT_OUT)
    held = await moderation.block_of(tx.session, forum.id, person.id)
    if held is None:
        return
    if forum.is_local or not actor.is_local:
        await apply_let_in(tx, actor, forum, person)
        return
    tx.record(LetIn(forum.id, person.id, actor.id, held.uri))


async def apply_let_in(tx: Transaction, by: Member | None, forum: Forum, person: Member) -> None:
    """They are let in again."""
    held = await moderation.block_of(tx.session, forum.id, person.id)
    if held is None:
        return
    await tx.session.delete(held)
    audit.note(tx, by or forum.uri, "person.let_in", person.uri, forum.uri)
    tx.record(LetIn(forum.id, person.id, by.id if by else 0, held.uri))


async def end_expired(tx: Transaction) -> None:
    """Those whose time is over may take part again; nobody has to be told."""
    await tx.session.execute(delete(ForumBlock).where(ForumBlock.until < tx.now))


@dataclass(frozen=True)
class AuthorPage:
    """A post whose author a steward may shut out, and whether they are out."""

    about: FoundPost
    is_out: bool


async def page(session: AsyncSession, viewer: Viewer, number: int) -> AuthorPage | None:
    """The author of a post, for who looks after its forum; None where there is no such post."""
    posts = await found(session, viewer, [number])
    if not posts:
        return None
    about = posts[0]
    must(await standing(session, viewer.member, about.forum), Permission.SHUT_OUT)
    block = await moderation.block_of(session, about.forum.id, about.author.id)
    return AuthorPage(about, block is not None)


async def people(session: AsyncSession, forum: Forum) -> Sequence[Member]:
    """Who is shut out of a forum, by name."""
    return await moderation.shut_out(session, forum.id, MOST_SHOWN)


async def stewards_of(session: AsyncSession, forum: Forum) -> Sequence[Member]:
    """Those of ours who look after a forum."""
    question = (
        select(Member)
        .join(forums.ForumSteward, forums.ForumSteward.member_id == Member.id)
        .where(forums.ForumSteward.forum_id == forum.id, Member.peer.is_(None))
    )
    return (await session.execute(question)).scalars().all()
