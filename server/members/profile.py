# SPDX-License-Identifier: Apache-2.0
"""A member's own page: how it is changed, and how it is read."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import files, text
from server.errors import Invalid, NotFound
from server.facts import ProfileChanged
from server.members import passwords, sign_in
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage import members
from storage.forums import Forum
from storage.members import Member, MemberState
from storage.posts import Post, PostState

PAGE = 20
LONGEST_BIO = 5_000


@dataclass(frozen=True)
class ProfileDraft:
    """What a member says of themselves."""

    name: str
    role_title: str
    bio: str


@dataclass(frozen=True)
class ProfilePage:
    """A person and what the viewer may see of what they wrote."""

    member: Member
    posts: list[tuple[Post, Forum]]
    next_before: int | None
    moved_to: Member | None = None
    came_from: tuple[Member, ...] = ()


async def change(tx: Transaction, member: Member, draft: ProfileDraft) -> None:
    """Change name, role and biography."""
    name = text.clean_line(draft.name, 100)
    faults = {}
    if not name:
        faults["name"] = "Enter the name that colleagues know you by."
    if len(draft.bio) > LONGEST_BIO:
        faults["bio"] = f"Keep it under {LONGEST_BIO} characters."
    if faults:
        raise Invalid(faults)
    member = await tx.session.get_one(Member, member.id)
    member.name = name
    member.role_title = text.clean_line(draft.role_title, 100)
    member.bio_source = draft.bio.strip()
    member.bio_html = await asyncio.to_thread(text.render, member.bio_source)
    member.updated = tx.now
    tx.record(ProfileChanged(member.id))


async def change_picture(
    tx: Transaction, member: Member, picture: files.NewFile | None
) -> str | None:
    """Show a new picture, or none; answers the one before when nothing shows it any more."""
    member = await tx.session.get_one(Member, member.id)
    before, member.avatar_file = member.avatar_file, picture.sha256 if picture else None
    member.updated = tx.now
    tx.record(ProfileChanged(member.id))
    if picture is not None:
        await files.keep(tx, picture)
    if before is None or before == member.avatar_file:
        return None
    return before if await files.forget_unused(tx, before) else None


async def change_password(tx: Transaction, member: Member, password_hash: str) -> None:
    """Set a new password and sign out everywhere."""
    member = await tx.session.get_one(Member, member.id)
    member.password_hash = password_hash
    await sign_in.end_all_sessions(tx, member)


async def check_password_change(member: Member, old: str, new: str) -> None:
    """Invalid unless `old` is right and `new` will do."""
    if not await passwords.matches(member.password_hash, old):
        raise Invalid({"old": "This is not your present password."})
    wrong = passwords.fault(new, context=(member.handle, member.email or "", member.name))
    if wrong:
        raise Invalid({"new": wrong})


async def page(
    session: AsyncSession,
    viewer: Viewer,
    handle: str,
    peer: str | None = None,
    *,
    before: int | None = None,
) -> ProfilePage:
    """The page of `@handle` (here) or `@handle@peer`."""
    member = await members.by_handle(session, handle, peer)
    if member is None or member.state == MemberState.GONE:
        raise NotFound
    if viewer.peer is not None and not member.is_local:
        raise NotFound
    question = (
        select(Post, Forum)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.author_id == member.id, Post.state == PostState.LIVE, visible_posts(viewer))
        .order_by(Post.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        question = question.where(Post.id < before)
    rows = [(row[0], row[1]) for row in (await session.execute(question)).all()]
    more = rows[PAGE - 1][0].id if len(rows) > PAGE else None
    moved_to = await members.by_uri(session, member.moved_to) if member.moved_to else None
    came_from = () if member.is_local else await members.moved_there(session, member.uri)
    return ProfilePage(member, rows[:PAGE], more, moved_to, tuple(came_from))
