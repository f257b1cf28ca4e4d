# SPDX-License-Identifier: Apache-2.0
"""Forums, who follows, steers and may enter them."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word, in_batches


class Visibility(StrEnum):
    """Who may read a forum, widest first."""

    PUBLIC = "public"
    AGENCIES = "agencies"
    INSTANCE = "instance"
    MEMBERS = "members"


FEDERATED = (Visibility.PUBLIC, Visibility.AGENCIES)


class CopyState(StrEnum):
    """What we hold of a forum that lives elsewhere; HOME when it lives here."""

    HOME = "home"
    KNOWN = "known"
    WAITING = "waiting"
    FILLING = "filling"
    CURRENT = "current"
    STALE = "stale"


class Forum(Base):
    """A forum; `peer` is None for our own, else the origin it lives at.

    Of a copy: `checked` is when its home was last heard about it, `compared` when both last held
    the same. A comparison was last tried at `compare_tried` and is due at `compare_next`;
    `compare_tries` failed since one held, the last for `compare_error`. `compare_rules` names the
    rules it went by, `compare_missing` counts the posts that they keep out. `moved_to` is the id
    of the forum that it has become; both said so.
    """

    __tablename__ = "forums"
    __table_args__ = (
        Index("ix_forums_peer_title", "peer", "title"),
        Index("ix_forums_handle", "handle", "peer"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    handle: Mapped[Word]
    peer: Mapped[str | None] = mapped_column(Characters(255))
    url: Mapped[Url]
    title: Mapped[str] = mapped_column(Characters(500))
    agency: Mapped[str] = mapped_column(Characters(500), default="")
    description_source: Mapped[str] = mapped_column(default="")
    description_html: Mapped[str] = mapped_column(default="")
    visibility: Mapped[Word] = mapped_column(default=Visibility.PUBLIC)
    language: Mapped[Word] = mapped_column(default="en")
    inbox: Mapped[Url]
    shared_inbox: Mapped[str | None] = mapped_column(Characters(2048))
    outbox: Mapped[str] = mapped_column(Characters(2048), default="")
    moderators: Mapped[str] = mapped_column(Characters(2048), default="")
    copy_state: Mapped[Word] = mapped_column(default=CopyState.HOME)
    backfill_done: Mapped[int] = mapped_column(Integer, default=0)
    backfill_total: Mapped[int] = mapped_column(Integer, default=0)
    checked: Mapped[datetime | None]
    compared: Mapped[datetime | None]
    compare_tried: Mapped[datetime | None]
    compare_next: Mapped[datetime | None] = mapped_column(index=True)
    compare_tries: Mapped[int] = mapped_column(Integer, default=0)
    compare_error: Mapped[str] = mapped_column(Characters(500), default="")
    compare_rules: Mapped[str] = mapped_column(Characters(64), default="")
    compare_missing: Mapped[int] = mapped_column(Integer, default=0)
    thread_count: Mapped[int] = mapped_column(Integer, default=0)
    post_count: Mapped[int] = mapped_column(Integer, default=0)
    follower_count: Mapped[int] = mapped_column(Integer, default=0)
    bumped: Mapped[datetime | None]
    created: Mapped[datetime]
    updated: Mapped[datetime]
    fetched: Mapped[datetime | None]
    moved_to: Mapped[str | None] = mapped_column(Characters(2048))

    @property
    def is_local(self) -> bool:
        return self.peer is None


class FollowState(StrEnum):
    """How far a follow has come."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ForumFollow(Base):
    """One person follows one forum, whichever of the two lives here."""

    __tablename__ = "forum_follows"
    __table_args__ = (Index("ix_forum_follows_member", "member_id", "state"),)

    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    state: Mapped[Word]
    uri: Mapped[Url]
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    n: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime]


class ForumSteward(Base):
    """A person who moderates a forum."""

    __tablename__ = "forum_stewards"
    __table_args__ = (Index("ix_forum_stewards_member", "member_id", "forum_id"),)

    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    created: Mapped[datetime]


class ForumMember(Base):
    """A local member listed for a forum of the `members` visibility."""

    __tablename__ = "forum_members"
    __table_args__ = (Index("ix_forum_members_member", "member_id", "forum_id"),)

    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    created: Mapped[datetime]


async def by_handle(session: AsyncSession, handle: str, peer: str | None = None) -> Forum | None:
    """The forum `@handle` here, or `@handle@peer`."""
    question = (
        select(Forum)
        .where(Forum.handle == handle, Forum.peer == peer)
        .order_by(Forum.id.desc())
        .limit(1)
    )
    return (await session.execute(question)).scalar_one_or_none()


async def by_uri(session: AsyncSession, uri: str) -> Forum | None:
    """The forum whose actor id is `uri`."""
    return (await session.execute(select(Forum).where(Forum.uri == uri))).scalar_one_or_none()


async def by_uris(session: AsyncSession, uris: Collection[str]) -> dict[str, Forum]:
    """The forums among these actor ids, by them."""
    found: dict[str, Forum] = {}
    for batch in in_batches(sorted(uris)):
        rows = await session.execute(select(Forum).where(Forum.uri.in_(batch)))
        found |= {forum.uri: forum for forum in rows.scalars()}
    return found


async def visibilities(session: AsyncSession, uris: Collection[str]) -> dict[str, str]:
    """Who may read our forums with these ids; others are left out."""
    found: dict[str, str] = {}
    for batch in in_batches(sorted(uris)):
        question = select(Forum.uri, Forum.visibility).where(
            Forum.uri.in_(batch), Forum.peer.is_(None)
        )
        found |= {row[0]: row[1] for row in (await session.execute(question)).all()}
    return found


async def is_steward(session: AsyncSession, forum_id: int, member_id: int) -> bool:
    """Whether the person moderates the forum."""
    return await session.get(ForumSteward, (forum_id, member_id)) is not None


async def is_listed(session: AsyncSession, forum_id: int, member_id: int) -> bool:
    """Whether the member is on the list of a closed forum."""
    return await session.get(ForumMember, (forum_id, member_id)) is not None


async def follow_of(session: AsyncSession, forum_id: int, member_id: int) -> ForumFollow | None:
    """How this person follows this forum, if at all."""
    return await session.get(ForumFollow, (forum_id, member_id))


async def followed_by(session: AsyncSession, member_id: int, uri: str) -> str | None:
    """The id of the forum that the person follows by the Follow with the id `uri`."""
    question = (
        select(Forum.uri)
        .join(ForumFollow, ForumFollow.forum_id == Forum.id)
        .where(ForumFollow.member_id == member_id, ForumFollow.uri == uri)
        .limit(1)
    )
    return (await session.execute(question)).scalar_one_or_none()
