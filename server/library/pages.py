# SPDX-License-Identifier: Apache-2.0
"""What the page of one practice shows, beside its discussion."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.library.lineage import Lineage, lineage_of
from server.library.offers import OfferLine, offers_on
from server.library.replicating import Adopter, sites_of
from server.library.warning import may_be_withdrawn
from server.permissions import Permission, may
from server.posts.detailed import detailed
from server.posts.pages import ThreadPage
from server.practices import ancestry, comparing, evidence, notices
from server.practices.comparing import Difference
from server.practices.evidence import Standing
from server.practices.fit import Fit, Site, fit
from server.practices.keeping import Library, library
from server.practices.notices import Notice
from server.practices.record import Record, unpack
from server.practices.standing import gather
from server.shown import ShownPost
from server.viewers import Sight, Viewer, posts_in
from storage.forums import Forum
from storage.members import Member
from storage.plain import Question, ask, found, given
from storage.posts import Post, PostState
from storage.practices import Practice, PracticeThread, PracticeVersion


@dataclass(frozen=True)
class Discussion:
    """A thread that a practice came of."""

    id: int
    title: str
    reply_count: int


@dataclass(frozen=True)
class PracticePage:
    """A practice as the viewer sees it; `parts` is the HTML of its longer texts."""

    practice: Practice
    record: Record
    parts: dict[str, str]
    standing: Standing
    library: Library
    is_stale: bool
    fit: Fit | None
    lineage: Lineage
    discussions: tuple[Discussion, ...]
    adopters: tuple[Adopter, ...]
    may_report: bool
    may_adapt: bool
    may_revise: bool
    may_withdraw: bool
    may_confirm: bool
    notice: Notice | None
    by_forum: Notice | None
    may_offer: bool
    offers: tuple[OfferLine, ...]
    until: datetime | None


async def practice_page(
    session: AsyncSession, viewer: Viewer, page: ThreadPage, now: datetime
) -> PracticePage:
    """The practice that opens a thread which was found to be the viewer's to see."""
    post = page.opener.post
    practice = await found(session, Practice, post.id)
    if practice is None:
        raise NotFound
    kept = await library(session)
    record = unpack(practice.record)
    is_live = post.state != PostState.DELETED
    is_closed = isinstance(post, ShownPost) and post.locked
    is_mine = viewer.member is not None and post.author_id == viewer.member.id
    is_home = page.forum.is_local or is_mine
    lineage = await lineage_of(session, viewer, practice, post.uri)
    adopters = await sites_of(session, viewer, post.uri, record.outcomes)
    grounds = await gather(session, practice, record, kept, now)
    return PracticePage(
        practice=practice,
        record=record,
        parts=json.loads(practice.parts),
        standing=evidence.stand(grounds),
        library=kept,
        is_stale=kept.is_stale(practice.reviewed, now),
        fit=_fit(viewer, kept, practice, record, adopters),
        lineage=lineage,
        discussions=await _discussions(session, viewer, post.id),
        adopters=adopters,
        may_report=is_live
        and not is_closed
        and viewer.member is not None
        and page.opener.author.peer != viewer.member.peer
        and may(page.standing, Permission.POST_THREAD)
        and any(outcome.indicator for outcome in record.outcomes),
        may_adapt=is_live and viewer.is_member,
        may_revise=page.opener.may_edit and not is_closed,
        may_withdraw=is_live
        and not is_mine
        and may_be_withdrawn(page.standing, page.opener.author),
        may_confirm=is_live and is_home and may(page.standing, Permission.CONFIRM_PRACTICE, post),
        notice=await notices.of(session, post.uri),
        by_forum=await notices.of_forum(session, post.uri),
        may_offer=is_live and is_mine and lineage.family.source is not None,
        offers=tuple(await offers_on(session, viewer, post)),
        until=evidence.until(grounds, practice.reviewed),
    )


def _fit(
    viewer: Viewer, kept: Library, practice: Practice, record: Record, adopters: Sequence[Adopter]
) -> Fit | None:
    """How the sites where it was done are like ours, for members alone.

    Our profile is nobody else's business.
    """
    if not viewer.is_member or kept.profile.is_empty:
        return None
    sites = [Site(practice.agency, record.setting)]
    sites += [Site(one.agency or "here", one.report.setting) for one in adopters]
    return fit(kept.profile, sites, record.conditions)


async def _discussions(
    session: AsyncSession, viewer: Viewer, practice: int
) -> tuple[Discussion, ...]:
    question = _came_from(viewer.sight)
    return tuple(await ask(session, question, practice=practice, **viewer.values))


@cache
def _came_from(sight: Sight) -> Question[Discussion]:
    return Question(
        select(Post.id, Post.title, Post.reply_count)
        .join(PracticeThread, PracticeThread.thread_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            PracticeThread.practice_id == given("practice"),
            Post.state == PostState.LIVE,
            posts_in(sight),
        )
        .limit(10),
        Discussion,
    )


@dataclass(frozen=True)
class Read:
    """A practice by itself, for files, printing and citing; with what it is warned of."""

    post: Post
    forum: Forum
    author: Member
    practice: Practice
    record: Record
    warnings: tuple[str, ...] = ()


async def read(session: AsyncSession, viewer: Viewer, post_id: int) -> Read:
    """A practice that the viewer may see; NotFound for anything else."""
    post, forum, author, practice = await detailed(session, viewer, post_id, Practice)
    uris = {post.uri, *await ancestry.above(session, practice, post.uri)}
    told = [notices.about(notice, post.uri) for notice in await notices.seen(session, viewer, uris)]
    return Read(post, forum, author, practice, unpack(practice.record), tuple(told))


@dataclass(frozen=True)
class VersionLine:
    """A version in the list of them."""

    version: int
    note: str
    at: datetime
    by: str


@dataclass(frozen=True)
class VersionsPage:
    """All versions, the latest first, and the two compared: what differs between them."""

    read: Read
    versions: tuple[VersionLine, ...]
    old: int
    new: int
    records: tuple[Record, Record]

    def differences(self) -> list[Difference]:
        """Slow for long texts: not to be asked for in the event loop."""
        return comparing.differences(*self.records)


async def versions_page(
    session: AsyncSession,
    viewer: Viewer,
    post_id: int,
    between: tuple[int | None, int | None] = (None, None),
) -> VersionsPage:
    """The versions of a practice, and two of them; by default the last two."""
    found = await read(session, viewer, post_id)
    question = (
        select(PracticeVersion.version, PracticeVersion.note, PracticeVersion.at, Member.name)
        .join(Member, Member.id == PracticeVersion.by_id)
        .where(PracticeVersion.post_id == post_id)
        .order_by(PracticeVersion.version.desc())
        .limit(200)
    )
    lines = tuple(VersionLine(*row) for row in (await session.execute(question)).all())
    held = [line.version for line in lines]
    old, new = _chosen(held, between)
    return VersionsPage(
        found,
        lines,
        old,
        new,
        (
            await _record(session, post_id, old, found.record),
            await _record(session, post_id, new, found.record),
        ),
    )


def _chosen(held: Sequence[int], between: tuple[int | None, int | None]) -> tuple[int, int]:
    """Two versions that are held, the older first."""
    latest = max(held, default=1)
    before = max((number for number in held if number < latest), default=latest)
    old, new = between[0] or before, between[1] or latest
    if old not in held or new not in held:
        raise NotFound
    return min(old, new), max(old, new)


async def _record(session: AsyncSession, post_id: int, version: int, now: Record) -> Record:
    row = await session.get(PracticeVersion, (post_id, version))
    return unpack(row.record) if row is not None else now
