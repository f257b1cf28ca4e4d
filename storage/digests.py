# SPDX-License-Identifier: Apache-2.0
"""Forums day by day, to be compared with their homes, and known differences."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, ForeignKey, Index, Integer, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Url, Word, in_batches, insert
from storage.endorsements import Endorsement
from storage.members import Member
from storage.plain import Question, ask, given
from storage.posts import Post, PostState


class DigestBucket(Base):
    """What a forum holds of one UTC day; `sha256` is None where that is to be computed anew.

    `changes` counts what happened to the day, so that no sum of an older state is kept.
    """

    __tablename__ = "digest_buckets"

    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"), primary_key=True)
    day: Mapped[Word] = mapped_column(primary_key=True)
    changes: Mapped[int] = mapped_column(Integer, default=1)
    posts: Mapped[int] = mapped_column(Integer, default=0)
    sha256: Mapped[str | None] = mapped_column(Characters(64))


class KnownDifference(Base):
    """A line of a home's digest that our copy does not equal, and why that is in order.

    It counts as held while the home's line is `theirs` ("" for a post that it does not list)
    and our own is `ours` ("" for a post that we do not hold).
    """

    __tablename__ = "known_differences"
    __table_args__ = (Index("ix_known_differences_day", "forum_id", "day"),)

    forum_id: Mapped[int] = mapped_column(ForeignKey("forums.id"), primary_key=True)
    uri: Mapped[Url] = mapped_column(primary_key=True)
    day: Mapped[Word]
    theirs: Mapped[str]
    ours: Mapped[str]
    reason: Mapped[Word]
    note: Mapped[str] = mapped_column(Characters(500), default="")
    at: Mapped[datetime]


@dataclass(frozen=True)
class Standing:
    """A post as a digest sees it; `endorsers` are actor ids in no order."""

    uri: str
    published: datetime
    updated: datetime | None
    state: str
    locked: bool
    pinned: bool
    endorsers: tuple[str, ...]


def settled() -> ColumnElement[bool]:
    """The condition on `Post` for what a digest lists: neither on its way nor refused."""
    return Post.state.in_((PostState.LIVE, PostState.DELETED))


async def of_day(session: AsyncSession, forum_id: int, day: str) -> list[Standing]:
    """Every post of a forum that was published on this day."""
    since = datetime.combine(date.fromisoformat(day), time(), UTC)
    within = and_(Post.published >= since, Post.published < since + timedelta(days=1))
    return await _standings(session, and_(Post.forum_id == forum_id, within))


async def of_uris(session: AsyncSession, forum_id: int, uris: Collection[str]) -> list[Standing]:
    """Those of these posts that the forum holds."""
    found: list[Standing] = []
    for batch in in_batches(sorted(uris)):
        found += await _standings(session, and_(Post.forum_id == forum_id, Post.uri.in_(batch)))
    return found


async def _standings(session: AsyncSession, which: ColumnElement[bool]) -> list[Standing]:
    columns = (Post.id, Post.uri, Post.published, Post.updated, Post.state, Post.locked)
    rows = (await session.execute(select(*columns, Post.pinned).where(which, settled()))).all()
    endorsers = await _endorsers(session, [row.id for row in rows])
    return [Standing(*row[1:], tuple(endorsers.get(row.id, ()))) for row in rows]


async def _endorsers(session: AsyncSession, posts: Sequence[int]) -> dict[int, list[str]]:
    """Who endorses each post, those left out whose endorsement the home has not taken yet."""
    found: dict[int, list[str]] = {}
    for batch in in_batches(posts):
        question = (
            select(Endorsement.post_id, Member.uri)
            .join(Member, Member.id == Endorsement.member_id)
            .where(
                Endorsement.post_id.in_(batch),
                Endorsement.active,
                Endorsement.state == PostState.LIVE,
            )
        )
        for post_id, uri in await session.execute(question):
            found.setdefault(post_id, []).append(uri)
    return found


async def mark(session: AsyncSession, forum_id: int, days: Collection[str]) -> None:
    """These days have changed: what was computed of them holds no longer."""
    for day in sorted(days):
        statement = insert(session, DigestBucket).values(
            forum_id=forum_id, day=day, changes=1, posts=0, sha256=None
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["forum_id", "day"],
                set_={"changes": DigestBucket.changes + 1, "sha256": None},
            )
        )


async def mark_known(
    session: AsyncSession, forum_id: int, since: str, days: Collection[str] = ()
) -> None:
    """Whatever was computed of `days`, and of all from `since` on, holds no longer."""
    bucket = DigestBucket
    anew = (
        update(bucket)
        .where(bucket.forum_id == forum_id)
        .values(changes=bucket.changes + 1, sha256=None)
    )
    await session.execute(anew.where(bucket.day >= since))
    for batch in in_batches(sorted(day for day in days if day < since)):
        await session.execute(anew.where(bucket.day.in_(batch)))


_STALE: Question[tuple[str, int]] = Question(
    select(DigestBucket.day, DigestBucket.changes)
    .where(DigestBucket.forum_id == given("forum"), DigestBucket.sha256.is_(None))
    .order_by(DigestBucket.day.desc())
    .limit(given("limit", Integer())),
    lambda *both: both,
)


async def stale(session: AsyncSession, forum_id: int, limit: int) -> list[tuple[str, int]]:
    """(day, changes) of days to be computed, newest first."""
    return await ask(session, _STALE, forum=forum_id, limit=limit)


async def keep(
    session: AsyncSession, forum_id: int, day: str, changes: int, posts: int, sha256: str
) -> None:
    """Store what was computed, unless the day has changed meanwhile."""
    await session.execute(
        update(DigestBucket)
        .where(
            DigestBucket.forum_id == forum_id,
            DigestBucket.day == day,
            DigestBucket.changes == changes,
        )
        .values(posts=posts, sha256=sha256)
    )


_COMPUTED: Question[tuple[str, int, str]] = Question(
    select(DigestBucket.day, DigestBucket.posts, DigestBucket.sha256)
    .where(
        DigestBucket.forum_id == given("forum"),
        DigestBucket.posts > 0,
        DigestBucket.sha256.is_not(None),
    )
    .order_by(DigestBucket.day.desc()),
    lambda *all_three: all_three,
)


async def computed(session: AsyncSession, forum_id: int) -> list[tuple[str, int, str]]:
    """(day, posts, sha256) of every day with posts, newest first."""
    return await ask(session, _COMPUTED, forum=forum_id)


async def differences(session: AsyncSession, forum_id: int, day: str) -> list[KnownDifference]:
    """What is known to differ on a day of the home's."""
    question = select(KnownDifference).where(
        KnownDifference.forum_id == forum_id, KnownDifference.day == day
    )
    return list((await session.execute(question)).scalars())


async def differences_of(
    session: AsyncSession, forum_id: int, uris: Collection[str]
) -> dict[str, KnownDifference]:
    """What is known to differ about these posts."""
    found: dict[str, KnownDifference] = {}
    for batch in in_batches(sorted(uris)):
        question = select(KnownDifference).where(
            KnownDifference.forum_id == forum_id, KnownDifference.uri.in_(batch)
        )
        found |= {row.uri: row for row in (await session.execute(question)).scalars()}
    return found


async def count_differences(
    session: AsyncSession, forum_id: int, reasons: Collection[str] | None = None
) -> int:
    """How many there are, of these reasons only."""
    question = (
        select(func.count())
        .select_from(KnownDifference)
        .where(KnownDifference.forum_id == forum_id)
    )
    if reasons is not None:
        question = question.where(KnownDifference.reason.in_(reasons))
    return (await session.execute(question)).scalar_one()


async def forget_differences(
    session: AsyncSession, forum_id: int, reasons: Collection[str]
) -> set[str]:
    """Drop what differs for these reasons, to be looked at again; answers the days."""
    gone = (
        delete(KnownDifference)
        .where(KnownDifference.forum_id == forum_id, KnownDifference.reason.in_(reasons))
        .returning(KnownDifference.day)
    )
    return set((await session.execute(gone)).scalars())
