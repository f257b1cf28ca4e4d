# SPDX-License-Identifier: Apache-2.0
"""People and forums as apps know them: both are accounts."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.timelines.statuses import SHOWN
from server.viewers import Viewer, visible_forums, visible_posts
from storage.endorsements import Endorsement
from storage.forums import FollowState, Forum, ForumFollow
from storage.members import Member, MemberState
from storage.posts import Post

MOST_COUNTED = 10_000
MOST_FOLLOWED = 300


@dataclass(frozen=True)
class Person:
    """A person with the figures of their own page."""

    member: Member
    posts: int = 0
    following: int = 0


async def find(session: AsyncSession, viewer: Viewer, identifier: int) -> Member | Forum:
    """The person or the forum with this id, if the viewer may know of it."""
    member = await session.get(Member, identifier)
    if member is not None and member.state != MemberState.GONE:
        return member
    question = select(Forum).where(Forum.id == identifier, visible_forums(viewer))
    forum = (await session.execute(question)).scalar_one_or_none()
    if forum is None:
        raise NotFound
    return forum


async def several(
    session: AsyncSession, viewer: Viewer, ids: Collection[int]
) -> dict[int, Member | Forum]:
    """The same of several at once; what there is not, or not for the viewer, is left out."""
    people = select(Member).where(Member.id.in_(ids), Member.state != MemberState.GONE)
    forums = select(Forum).where(Forum.id.in_(ids), visible_forums(viewer))
    found: dict[int, Member | Forum] = {}
    for question in (people, forums):
        found |= {one.id: one for one in (await session.execute(question)).scalars()}
    return found


async def figures(session: AsyncSession, viewer: Viewer, member: Member) -> Person:
    """A person with how much of theirs the viewer may see; what they follow is theirs to know."""
    some = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.author_id == member.id, Post.state.in_(SHOWN), visible_posts(viewer))
        .limit(MOST_COUNTED)
        .subquery()
    )
    posts = (await session.execute(select(func.count()).select_from(some))).scalar_one()
    following = 0
    if viewer.member is not None and viewer.member.id == member.id:
        question = select(func.count()).where(
            ForumFollow.member_id == member.id, ForumFollow.state == FollowState.ACCEPTED
        )
        following = (await session.execute(question)).scalar_one()
    return Person(member, posts, following)


async def followed(session: AsyncSession, viewer: Viewer) -> list[Forum]:
    """The forums a member follows, by title."""
    me = viewer.member.id if viewer.member is not None else 0
    question = (
        select(Forum)
        .join(ForumFollow, ForumFollow.forum_id == Forum.id)
        .where(
            ForumFollow.member_id == me,
            ForumFollow.state == FollowState.ACCEPTED,
            visible_forums(viewer),
        )
        .order_by(func.lower(Forum.title), Forum.id)
        .limit(MOST_FOLLOWED)
    )
    return list((await session.execute(question)).scalars())


async def follows(session: AsyncSession, viewer: Viewer, ids: Collection[int]) -> dict[int, str]:
    """How the member follows each of these forums: accepted or pending."""
    if viewer.member is None:
        return {}
    question = select(ForumFollow.forum_id, ForumFollow.state).where(
        ForumFollow.member_id == viewer.member.id,
        ForumFollow.forum_id.in_(ids),
        ForumFollow.state != FollowState.REJECTED,
    )
    return {row[0]: row[1] for row in (await session.execute(question)).all()}


async def named(session: AsyncSession, beginning: str, limit: int) -> list[Member]:
    """People whose handle begins so: those of this agency before the others."""
    lower = beginning.lower().lstrip("@")
    if not lower or not lower.isprintable():
        return []
    question = (
        select(Member)
        .where(
            Member.handle >= lower,
            Member.handle < lower + "\uffff",
            Member.state == MemberState.ACTIVE,
        )
        .order_by(Member.peer.is_not(None), Member.handle, Member.id)
        .limit(limit)
    )
    return list((await session.execute(question)).scalars())


async def endorsers(session: AsyncSession, post: Post, limit: int) -> list[Member]:
    """Who endorses a post, the latest first."""
    question = (
        select(Member)
        .join(Endorsement, Endorsement.member_id == Member.id)
        .where(Endorsement.post_id == post.id, Endorsement.active)
        .order_by(Endorsement.at.desc(), Member.id)
        .limit(limit)
    )
    return list((await session.execute(question)).scalars())
