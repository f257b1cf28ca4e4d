# SPDX-License-Identifier: Apache-2.0
"""People: members of this agency and of others."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, bindparam, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word, in_batches


class MemberState(StrEnum):
    """Whether a person may act."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    GONE = "gone"


class Member(Base):
    """A person; `peer` is None for our own members, else the origin they live at.

    `moved_to` is the id of the account elsewhere that they use now; both said so.
    """

    __tablename__ = "members"
    __table_args__ = (
        Index("ix_members_handle", "handle", "peer"),
        Index("ux_members_email", "email", unique=True),
        Index("ix_members_moved_to", "moved_to"),
        Index("ix_members_avatar_file", "avatar_file"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    handle: Mapped[Word]
    peer: Mapped[str | None] = mapped_column(Characters(255))
    url: Mapped[Url]
    name: Mapped[str] = mapped_column(Characters(500))
    role_title: Mapped[str] = mapped_column(Characters(500), default="")
    agency: Mapped[str] = mapped_column(Characters(500), default="")
    bio_source: Mapped[str] = mapped_column(default="")
    bio_html: Mapped[str] = mapped_column(default="")
    avatar_file: Mapped[str | None] = mapped_column(Characters(80))
    avatar_url: Mapped[str | None] = mapped_column(Characters(2048))
    inbox: Mapped[Url]
    shared_inbox: Mapped[str | None] = mapped_column(Characters(2048))
    state: Mapped[Word] = mapped_column(default=MemberState.ACTIVE)
    is_admin: Mapped[bool] = mapped_column(default=False)
    indexable: Mapped[bool] = mapped_column(default=True, server_default=true())
    email: Mapped[str | None] = mapped_column(Characters(320))
    password_hash: Mapped[str | None] = mapped_column(Characters(255))
    created: Mapped[datetime]
    updated: Mapped[datetime]
    fetched: Mapped[datetime | None]
    moved_to: Mapped[str | None] = mapped_column(Characters(2048))

    @property
    def is_local(self) -> bool:
        return self.peer is None


class Handle(Base):
    """The one namespace of people and forums here; a name is never given twice."""

    __tablename__ = "handles"

    name: Mapped[Word] = mapped_column(primary_key=True)
    kind: Mapped[Word]
    owner_id: Mapped[int]


class Invitation(Base):
    """An admin's link by which one person may sign up; only its hash is kept."""

    __tablename__ = "invitations"

    id: Mapped[Key]
    token_hash: Mapped[str] = mapped_column(Characters(64), unique=True)
    note: Mapped[str] = mapped_column(Characters(200), default="")
    invited_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    created: Mapped[datetime]
    expires: Mapped[datetime]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class EmailConfirmation(Base):
    """A sign-up by e-mail domain that waits for its letter to be answered."""

    __tablename__ = "email_confirmations"

    token_hash: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    email: Mapped[str] = mapped_column(Characters(320))
    created: Mapped[datetime]
    expires: Mapped[datetime]


async def by_handle(session: AsyncSession, handle: str, peer: str | None = None) -> Member | None:
    """The person `@handle` here, or `@handle@peer`."""
    question = (
        select(Member)
        .where(Member.handle == handle, Member.peer == peer)
        .order_by(Member.id.desc())
        .limit(1)
    )
    return (await session.execute(question)).scalar_one_or_none()


# Put together once: that takes longer than the answer.
_BY_URI = select(Member).where(Member.uri == bindparam("uri"))


async def by_uri(session: AsyncSession, uri: str) -> Member | None:
    """The person whose actor id is `uri`."""
    return (await session.execute(_BY_URI, {"uri": uri})).scalar_one_or_none()


async def by_uris(session: AsyncSession, uris: Collection[str]) -> dict[str, Member]:
    """The people among these actor ids, by them."""
    found: dict[str, Member] = {}
    for batch in in_batches(sorted(uris)):
        rows = await session.execute(select(Member).where(Member.uri.in_(batch)))
        found |= {member.uri: member for member in rows.scalars()}
    return found


async def moved_there(session: AsyncSession, uri: str) -> Sequence[Member]:
    """The accounts that the person with the id `uri` used before, the latest ten."""
    question = select(Member).where(Member.moved_to == uri).order_by(Member.id.desc()).limit(10)
    return (await session.execute(question)).scalars().all()


async def by_email(session: AsyncSession, email: str) -> Member | None:
    """The local member who signs in with `email` (compared in lower case)."""
    return (
        await session.execute(select(Member).where(Member.email == email.lower()))
    ).scalar_one_or_none()


async def by_ids(session: AsyncSession, ids: Collection[int]) -> dict[int, Member]:
    """Several people at once."""
    rows = await session.execute(select(Member).where(Member.id.in_(set(ids))))
    return {member.id: member for member in rows.scalars()}
