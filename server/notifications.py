# SPDX-License-Identifier: Apache-2.0
"""Notices to members on the site: replies, mentions, endorsements."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server import mutes
from server.facts import (
    Endorsed,
    EndorsementWithdrawn,
    PostDeleted,
    PostEdited,
    ReplyPosted,
    ThreadPosted,
)
from server.permissions import Standing, may_enter
from server.transaction import Transaction
from server.viewers import Sight, Viewer, posts_in, visible_posts
from storage import forums
from storage.base import insert
from storage.forums import Forum
from storage.members import Member
from storage.notifications import Notification
from storage.plain import Put, Question, ask, given
from storage.posts import Post, PostMention, PostState
from storage.practices import PracticeDraftPerson

PAGE = 30


class Notice(StrEnum):
    """What a member is told of."""

    REPLY = "reply"
    THREAD_REPLY = "thread_reply"
    MENTION = "mention"
    ENDORSEMENT = "endorsement"
    EVENT_PLACE = "event_place"
    EVENT_WAITING = "event_waiting"
    EVENT_REFUSED = "event_refused"
    EVENT_CHANGED = "event_changed"
    EVENT_REMINDER = "event_reminder"
    WARNING = "warning"
    SOURCE = "source"
    LINK = "link"
    WITHDRAWN = "withdrawn"
    REPORT = "report"
    POLL = "poll"
    OFFER = "offer"
    OFFER_TAKEN = "offer_taken"
    OFFER_DECLINED = "offer_declined"


# What people do to what a member wrote: nothing else falls silent with them.
TALK = (Notice.REPLY, Notice.THREAD_REPLY, Notice.MENTION, Notice.ENDORSEMENT)


def heard(me: Any) -> ColumnElement[bool]:
    """The condition on notices, joined to their posts, for what this member wants to hear."""
    return or_(Notification.kind.not_in(TALK), mutes.told(me, Notification.actor_id))


_NAMED = select(PostMention.member_id).where(PostMention.post_id == bindparam("post"))


async def tell_of_post(tx: Transaction, fact: ThreadPosted | ReplyPosted | PostEdited) -> None:
    """Tell whoever is named, answered, or asked the question; each person once."""
    post = await tx.session.get_one(Post, fact.post)
    named = await tx.session.execute(_NAMED, {"post": post.id})
    told: dict[int, Notice] = dict.fromkeys(named.scalars(), Notice.MENTION)
    if not post.is_thread and not isinstance(fact, PostEdited):
        opener = await tx.session.get_one(Post, post.thread_id)
        parent = await tx.session.get(Post, post.parent_id or 0)
        told.setdefault(opener.author_id, Notice.THREAD_REPLY)
        if parent is not None:
            told[parent.author_id] = Notice.REPLY
    if isinstance(fact, PostEdited):
        before = await tx.session.execute(
            select(Notification.member_id).where(
                Notification.post_id == post.id, Notification.actor_id == post.author_id
            )
        )
        told = {member: told[member] for member in told.keys() - set(before.scalars())}
    for member, kind in told.items():
        await _tell(tx, member, kind, post, post.author_id)


async def tell_of_answers(tx: Transaction, post: Post) -> None:
    """Tell the author of a post that came after its answers of those they have not heard of."""
    heard_of = (
        select(Notification.id)
        .where(Notification.post_id == Post.id, Notification.member_id == post.author_id)
        .exists()
    )
    question = select(Post).where(
        Post.parent_id == post.id, Post.state == PostState.LIVE, not_(heard_of)
    )
    for answer in (await tx.session.execute(question)).scalars().all():
        await _tell(tx, post.author_id, Notice.REPLY, answer, answer.author_id)


async def tell_of_endorsement(tx: Transaction, fact: Endorsed) -> None:
    post = await tx.session.get_one(Post, fact.post)
    await _tell(tx, post.author_id, Notice.ENDORSEMENT, post, fact.member)


async def tell_again(
    tx: Transaction, member_id: int, kind: Notice, post: Post, actor_id: int
) -> None:
    """Tell a member something that may be told more than once: the latest time counts."""
    await tx.session.execute(
        delete(Notification).where(
            Notification.member_id == member_id,
            Notification.kind == kind.value,
            Notification.post_id == post.id,
        )
    )
    await _tell(tx, member_id, kind, post, actor_id)


async def tell_author(tx: Transaction, kind: Notice, post: Post) -> None:
    """Tell the author of a post what nobody did: it stands as if they told themselves."""
    await _tell(tx, post.author_id, kind, post, post.author_id, may_be_self=True)


async def _tell(
    tx: Transaction,
    member_id: int,
    kind: Notice,
    post: Post,
    actor_id: int,
    *,
    may_be_self: bool = False,
) -> None:
    member = await tx.session.get(Member, member_id)
    if member is None or not member.is_local or (member_id == actor_id and not may_be_self):
        return
    forum = await tx.session.get_one(Forum, post.forum_id)
    standing = Standing(
        member,
        forum,
        steward=await forums.is_steward(tx.session, forum.id, member_id),
        listed=await forums.is_listed(tx.session, forum.id, member_id),
    )
    if not may_enter(standing):
        return
    await tx.session.execute(
        insert(tx.session, Notification)
        .values(
            id=tx.ids.next(),
            member_id=member_id,
            kind=kind.value,
            post_id=post.id,
            actor_id=actor_id,
            created=tx.now,
        )
        .on_conflict_do_nothing(index_elements=["member_id", "kind", "post_id", "actor_id"])
    )


async def tell_anew(
    tx: Transaction, member_id: int, kind: Notice, post: Post, actor_id: int
) -> None:
    """Tell somebody of a post, though the same was told before: it happened again."""
    await tx.session.execute(
        delete(Notification).where(
            Notification.member_id == member_id,
            Notification.kind == kind.value,
            Notification.post_id == post.id,
            Notification.actor_id == actor_id,
        )
    )
    await _tell(tx, member_id, kind, post, actor_id)


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    await tx.session.execute(delete(Notification).where(Notification.post_id == fact.post))


async def forget_endorsement(tx: Transaction, fact: EndorsementWithdrawn) -> None:
    await tx.session.execute(
        delete(Notification).where(
            Notification.post_id == fact.post,
            Notification.actor_id == fact.member,
            Notification.kind == Notice.ENDORSEMENT,
        )
    )


@dataclass(frozen=True)
class NoticeLine:
    """A notice with what it is about."""

    notice: Notification
    post: Post
    opener: Post
    actor: Member
    forum: Forum


@cache
def _unread(sight: Sight) -> Question[int]:
    invited = (
        select(func.count())
        .select_from(PracticeDraftPerson)
        .where(PracticeDraftPerson.member_id == given("me"), PracticeDraftPerson.seen.is_(None))
        .scalar_subquery()
    )
    return Question(
        select(func.count() + invited)
        .select_from(Notification)
        .join(Post, Post.id == Notification.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Notification.member_id == given("me"),
            Notification.read.is_(None),
            posts_in(sight),
            heard(given("me")),
        ),
        int,
    )


def ahead(member: int) -> Put:
    """What `unread_count` asks for an active member."""
    return _unread(Sight(signed_in=True, member=True)), {"me": member}


async def unread_count(session: AsyncSession, member: Member) -> int:
    """How many notices the member has not read, of posts that they may still see.

    An invitation to write a draft counts until it is seen.
    """
    viewer = Viewer(member)
    return (await ask(session, _unread(viewer.sight), **viewer.values))[0]


async def page(
    session: AsyncSession, member: Member, *, before: int | None = None
) -> list[NoticeLine]:
    """Up to PAGE notices, newest first, of posts the member may still see."""
    opener = aliased(Post)
    question = (
        select(Notification, Post, Member, Forum, opener)
        .join(Post, Post.id == Notification.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Notification.actor_id)
        .join(opener, opener.id == Post.thread_id)
        .where(Notification.member_id == member.id, visible_posts(Viewer(member)), heard(member.id))
        .order_by(Notification.id.desc())
        .limit(PAGE)
    )
    if before is not None:
        question = question.where(Notification.id < before)
    rows = (await session.execute(question)).all()
    return [NoticeLine(row[0], row[1], row[4], row[2], row[3]) for row in rows]


async def mark_read(tx: Transaction, member: Member, notice: int | None = None) -> None:
    """Mark one notice, or all, as read."""
    question = update(Notification).where(
        Notification.member_id == member.id, Notification.read.is_(None)
    )
    if notice is not None:
        question = question.where(Notification.id == notice)
    await tx.session.execute(question.values(read=tx.now))


async def mark_thread_read(tx: Transaction, member: Member, thread: int) -> None:
    """Mark the notices about a thread's posts as read, once its page was seen."""
    posts = select(Post.id).where(Post.thread_id == thread)
    await tx.session.execute(
        update(Notification)
        .where(
            Notification.member_id == member.id,
            Notification.read.is_(None),
            Notification.post_id.in_(posts),
        )
        .values(read=tx.now)
    )
