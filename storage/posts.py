# SPDX-License-Identifier: Apache-2.0
"""Posts of every kind, their history, tags and read marks."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word
from storage.plain import Question, ask, given


class Kind(StrEnum):
    """What a post is."""

    THREAD = "thread"
    REPLY = "reply"
    PRACTICE = "practice"
    REPLICATION = "replication"
    EVENT = "event"
    RESOURCE = "resource"


class PostState(StrEnum):
    """Where a post stands; SENT and REFUSED are ours at somebody else's forum."""

    LIVE = "live"
    SENT = "sent"
    REFUSED = "refused"
    DELETED = "deleted"
    HIDDEN = "hidden"


_OPENERS: Any = dict.fromkeys(("sqlite_where", "postgresql_where"), text("thread_id = id"))


class Post(Base):
    """Anything shared in a forum; `thread_id` is its own id for an opener.

    `context` is the thread's collection, kept on openers. `parent_uri` names a parent
    that is not held here; the reply then stands under the opener until it arrives.

    `branch_id` is the reply under the opener that this reply descends from.
    `arrived` is when this instance came to hold it, which unread marks go by. `quoted_uri` is a
    post that it shows with its author's leave, for which the document `quote_stamp` stands; a
    stamp alone could not be had yet, and is asked for again.
    """

    __tablename__ = "posts"
    __table_args__ = (
        Index("ix_posts_thread", "thread_id", "id"),
        Index("ix_posts_tree", "thread_id", "branch_id", "id"),
        Index("ix_posts_latest", "forum_id", "pinned", "bumped", "id", **_OPENERS),
        Index("ix_posts_latest_of_all", "forum_id", "bumped", "id", **_OPENERS),
        Index("ix_posts_newest", "forum_id", "id", **_OPENERS),
        Index("ix_posts_branch", "branch_id", "id"),
        Index("ix_posts_parent", "parent_id"),
        Index("ix_posts_author", "author_id", "id"),
        Index("ix_posts_published", "forum_id", "published"),
        Index("ix_posts_unmet_parent", "parent_uri"),
        Index("ix_posts_context", "context"),
        Index("ix_posts_url", "url"),
        Index("ix_posts_quote_stamp", "quote_stamp"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    url: Mapped[Url]
    kind: Mapped[Word]
    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    thread_id: Mapped[int]
    branch_id: Mapped[int | None]
    parent_id: Mapped[int | None]
    parent_uri: Mapped[str | None] = mapped_column(Characters(2048))
    context: Mapped[str] = mapped_column(Characters(2048), default="")
    title: Mapped[str] = mapped_column(Characters(500), default="")
    slug: Mapped[Word] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    html: Mapped[str] = mapped_column(default="")
    language: Mapped[Word] = mapped_column(default="en")
    published: Mapped[datetime]
    updated: Mapped[datetime | None]
    deleted: Mapped[datetime | None]
    arrived: Mapped[datetime]
    state: Mapped[Word] = mapped_column(default=PostState.LIVE)
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    revision: Mapped[int] = mapped_column(Integer, default=0)
    reply_count: Mapped[int] = mapped_column(Integer, default=0)
    endorsement_count: Mapped[int] = mapped_column(Integer, default=0)
    withheld_count: Mapped[int] = mapped_column(Integer, default=0)
    bumped: Mapped[datetime]
    pinned: Mapped[bool] = mapped_column(default=False)
    locked: Mapped[bool] = mapped_column(default=False)
    quoted_uri: Mapped[str | None] = mapped_column(Characters(2048))
    quote_stamp: Mapped[str | None] = mapped_column(Characters(2048))

    @property
    def is_thread(self) -> bool:
        return self.id == self.thread_id


class PostRevision(Base):
    """What a post said before an edit; scrubbed with the post."""

    __tablename__ = "post_revisions"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(Characters(500))
    source: Mapped[str]
    written: Mapped[datetime]


class PostTag(Base):
    """A tag a thread carries."""

    __tablename__ = "post_tags"
    __table_args__ = (Index("ix_post_tags_tag", "tag", "post_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    tag: Mapped[Word] = mapped_column(primary_key=True)


class PostMention(Base):
    """A person a post names, known at the time it was written."""

    __tablename__ = "post_mentions"
    __table_args__ = (Index("ix_post_mentions_member", "member_id", "post_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)


class Withheld(Base):
    """A post we may not hold: counted, never stored."""

    __tablename__ = "withheld"

    uri: Mapped[Url] = mapped_column(primary_key=True)
    thread_id: Mapped[int | None]
    forum_id: Mapped[int]
    peer: Mapped[str] = mapped_column(Characters(255))
    at: Mapped[datetime]


class RawObject(Base):
    """A remote object's own bytes, apart from the row so that they can be scrubbed."""

    __tablename__ = "raw_objects"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    body: Mapped[str]
    digest: Mapped[str] = mapped_column(Characters(64))
    key_id: Mapped[Url]
    fetched: Mapped[datetime]


class ReadMark(Base):
    """How far a member has read a thread: everything arrived up to `seen`."""

    __tablename__ = "read_marks"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    seen: Mapped[datetime]


class Draft(Base):
    """What a member is writing; `place` is `forum:ID`, `reply:ID` or `edit:ID`.

    `poll` holds the fields of a poll as they were typed, as JSON; "" where there is none.
    """

    __tablename__ = "drafts"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    place: Mapped[Word] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Characters(500), default="")
    source: Mapped[str] = mapped_column(default="")
    tags: Mapped[str] = mapped_column(Characters(500), default="")
    poll: Mapped[str] = mapped_column(Characters(3000), default="")
    updated: Mapped[datetime]


# Put together once: that takes longer than the answer.
_BY_URI = select(Post).where(Post.uri == bindparam("uri"))
_ID = select(Post.id).where(Post.id == bindparam("id"))
_ID_BY_URI = select(Post.id).where(Post.uri == bindparam("uri"))


async def by_uri(session: AsyncSession, uri: str) -> Post | None:
    """The post whose object id is `uri`."""
    return (await session.execute(_BY_URI, {"uri": uri})).scalar_one_or_none()


async def is_held(session: AsyncSession, uri: str) -> bool:
    """Whether there is a post whose object id is `uri`."""
    return (await session.execute(_ID_BY_URI, {"uri": uri})).first() is not None


async def is_numbered(session: AsyncSession, number: int) -> bool:
    """Whether there is a post with this id."""
    return (await session.execute(_ID, {"id": number})).first() is not None


async def by_url(session: AsyncSession, url: str) -> Post | None:
    """The post whose page at its home is `url`."""
    question = select(Post).where(Post.url == url).order_by(Post.id).limit(1)
    return (await session.execute(question)).scalar_one_or_none()


_WITHOUT_THEIR_STAMP: Question[tuple[int, str]] = Question(
    select(Post.id, Post.quote_stamp)
    # Compared, since an index is not looked into for what is merely not null.
    .where(Post.quote_stamp > "", Post.quoted_uri.is_(None), Post.state == PostState.LIVE)
    .order_by(Post.id)
    .limit(given("limit", Integer())),
    lambda *both: both,
)


async def without_their_stamp(session: AsyncSession, limit: int) -> dict[int, str]:
    """The posts whose stamp could not be had yet, the oldest first: their ids, and it."""
    return dict(await ask(session, _WITHOUT_THEIR_STAMP, limit=limit))
