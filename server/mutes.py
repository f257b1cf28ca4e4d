# SPDX-License-Identifier: Apache-2.0
"""Whom and what members do not want to hear of, which stays with them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Gone, Invalid, NotFound, SignInNeeded
from server.facts import PostDeleted
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage.base import UtcDateTime, insert
from storage.forums import Forum
from storage.members import Member, MemberState
from storage.mutes import Mute, MutedThread, MuteKind
from storage.plain import Question, given
from storage.posts import Post, PostState

MOST_PEOPLE = 1_000
MOST_THREADS = 200
LONGEST = timedelta(days=3_650)
# Written once, for it is asked every few minutes.
_OVER = (
    delete(Mute)
    .where(Mute.until <= given("now", UtcDateTime()))
    .execution_options(synchronize_session=False)
)


def must_keep_away(member: Member, person: Member) -> None:
    """A member may keep away anybody but themselves."""
    if not member.is_local:
        raise SignInNeeded
    if member.id == person.id:
        raise Invalid(message="You cannot mute or block yourself.")
    if person.state == MemberState.GONE:
        raise NotFound


async def mute(
    tx: Transaction, member: Member, person: Member, *, notices: bool = True, seconds: int = 0
) -> None:
    """Leave out what somebody writes; for good, or for some seconds."""
    lasting = min(timedelta(seconds=min(seconds, 10**9)), LONGEST)
    until = tx.now + lasting if seconds > 0 else None
    await _keep_away(tx, member, person, MuteKind.MUTE, notices=notices, until=until)


async def block(tx: Transaction, member: Member, person: Member) -> None:
    """Leave out what somebody writes, and all that they do to what the member writes."""
    await _keep_away(tx, member, person, MuteKind.BLOCK, notices=True, until=None)


async def _keep_away(
    tx: Transaction,
    member: Member,
    person: Member,
    kind: MuteKind,
    *,
    notices: bool,
    until: datetime | None,
) -> None:
    must_keep_away(member, person)
    held = select(func.count()).where(Mute.member_id == member.id)
    if (await tx.session.execute(held)).scalar_one() >= MOST_PEOPLE:
        raise Invalid(message=f"You can keep {MOST_PEOPLE:,} people away at most.")
    values = {"notices": notices, "until": until}
    await tx.session.execute(
        insert(tx.session, Mute)
        .values(
            id=tx.ids.next(),
            member_id=member.id,
            person_id=person.id,
            kind=kind.value,
            created=tx.now,
            **values,
        )
        .on_conflict_do_update(index_elements=["member_id", "person_id", "kind"], set_=values)
    )


async def lift(tx: Transaction, member: Member, person: int, kind: MuteKind) -> None:
    """Hear of somebody again."""
    await tx.session.execute(
        delete(Mute).where(
            Mute.member_id == member.id, Mute.person_id == person, Mute.kind == kind.value
        )
    )


async def mute_thread(tx: Transaction, member: Member, post: Post) -> None:
    """Hear no more of the thread that a post is in, which the member was found to see."""
    if not member.is_local:
        raise SignInNeeded
    if post.state == PostState.DELETED:
        raise Gone
    held = select(func.count()).where(MutedThread.member_id == member.id)
    if (await tx.session.execute(held)).scalar_one() >= MOST_THREADS:
        raise Invalid(message=f"You can mute {MOST_THREADS:,} threads at most: let some back in.")
    await tx.session.execute(
        insert(tx.session, MutedThread)
        .values(member_id=member.id, thread_id=post.thread_id, created=tx.now)
        .on_conflict_do_nothing(index_elements=["member_id", "thread_id"])
    )


async def unmute_thread(tx: Transaction, member: Member, post: Post) -> None:
    """Hear of it again."""
    await tx.session.execute(
        delete(MutedThread).where(
            MutedThread.member_id == member.id, MutedThread.thread_id == post.thread_id
        )
    )


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    await tx.session.execute(delete(MutedThread).where(MutedThread.thread_id == fact.post))


async def tidy(tx: Transaction) -> None:
    """Drop what was to last until now."""
    await tx.session.execute(_OVER, {"now": tx.now})


def kept_away(me: Any, author: Any) -> ColumnElement[bool]:
    """Whether this member keeps the author of something away."""
    return exists().where(Mute.member_id == me, Mute.person_id == author)


def heard(me: Any, post: Any = Post) -> ColumnElement[bool]:
    """The condition on a post for what this member wants on their home page."""
    muted = exists().where(MutedThread.member_id == me, MutedThread.thread_id == post.thread_id)
    return and_(~kept_away(me, post.author_id), ~muted)


def told(me: Any, actor: Any) -> ColumnElement[bool]:
    """The condition on notices of talk, joined to their post, by an actor."""
    silent = exists().where(Mute.member_id == me, Mute.person_id == actor, Mute.notices)
    muted = exists().where(MutedThread.member_id == me, MutedThread.thread_id == Post.thread_id)
    return and_(~silent, ~muted)


PEOPLE = Question(select(Mute.person_id).where(Mute.member_id == given("me")), int)
"""Whom a member keeps away."""


async def people(session: AsyncSession, members: Collection[int]) -> dict[int, set[int]]:
    """Whom each of these members keeps away."""
    question = select(Mute.member_id, Mute.person_id).where(Mute.member_id.in_(members))
    found: dict[int, set[int]] = {}
    for member, person in (await session.execute(question)).all():
        found.setdefault(member, set()).add(person)
    return found


async def threads(
    session: AsyncSession, members: Collection[int], among: Collection[int]
) -> dict[int, set[int]]:
    """Which of these threads each of these members has muted."""
    question = select(MutedThread.member_id, MutedThread.thread_id).where(
        MutedThread.member_id.in_(members), MutedThread.thread_id.in_(among)
    )
    found: dict[int, set[int]] = {}
    for member, thread in (await session.execute(question)).all():
        found.setdefault(member, set()).add(thread)
    return found


async def between(
    session: AsyncSession, viewer: Viewer, persons: Collection[int]
) -> dict[int, list[Mute]]:
    """How the member keeps each of these people away."""
    if viewer.member is None:
        return {}
    question = select(Mute).where(Mute.member_id == viewer.member.id, Mute.person_id.in_(persons))
    found: dict[int, list[Mute]] = {}
    for one in (await session.execute(question)).scalars():
        found.setdefault(one.person_id, []).append(one)
    return found


async def muted_threads(session: AsyncSession, viewer: Viewer) -> list[Post]:
    """The threads that the member has muted, the latest first."""
    me = viewer.member.id if viewer.member is not None else 0
    question = (
        select(Post)
        .join(MutedThread, MutedThread.thread_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(MutedThread.member_id == me, visible_posts(viewer))
        .order_by(MutedThread.created.desc(), Post.id.desc())
        .limit(MOST_THREADS)
    )
    return list((await session.execute(question)).scalars())
