# SPDX-License-Identifier: Apache-2.0
"""Events in lists: what comes, what a month or a week holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.events import times
from server.events.details import LONGEST, Details, of_row
from server.viewers import Sight, Viewer, posts_in
from storage.among import among
from storage.base import UtcDateTime
from storage.events import CalendarChoice, Event, EventGuest, GuestState
from storage.forums import FollowState, Forum, ForumFollow
from storage.members import Member
from storage.plain import Question, ask, found, given
from storage.posts import Post, PostState

PAGE = 30
MOST_SHOWN = 400
_DAY = timedelta(days=1)
_LONGEST = LONGEST + 2 * _DAY


@dataclass(frozen=True)
class Line:
    """An event in a list; `mine` is where the viewer stands with it."""

    post: Post
    forum: Forum
    author: Member
    details: Details
    going: int
    waiting: int
    mine: str = ""

    @property
    def is_full(self) -> bool:
        capacity = self.details.capacity
        return capacity is not None and self.author.is_local and self.going >= capacity


@dataclass(frozen=True)
class Chosen:
    """What of the calendar is looked at: one forum, one kind, one's own; "" and None for all."""

    forum: int | None = None
    kind: str = ""
    mine: bool = False


@dataclass(frozen=True)
class Agenda:
    """Events in the order they begin; `after` (moment and id) is where the next page starts."""

    lines: list[Line]
    after: str = ""
    days: list[tuple[date, list[Line]]] = field(default_factory=list)


Row = tuple[Post, Forum, Member, Event]
_MOMENT = UtcDateTime()


@cache
def _listed(sight: Sight, asked: frozenset[str], most: int) -> Question[Row]:
    """Events in the order they begin, by the conditions that are asked for by name."""
    coming = select(EventGuest.post_id).where(
        EventGuest.member_id == given("me"),
        EventGuest.state.in_((GuestState.GOING, GuestState.WAITING, GuestState.ASKED)),
    )
    # None lasts longer than from `earliest` on, so that what is long over is not looked at.
    starts, earliest, at = Event.starts, given("earliest", _MOMENT), given("at", _MOMENT)
    conditions: dict[str, ColumnElement[bool]] = {
        "forum": Post.forum_id == given("forum"),
        "kind": Event.kind == given("kind", Event.kind.type),
        "mine": or_(Event.post_id.in_(coming), Post.author_id == given("me")),
        "until": starts < given("until", _MOMENT),
        "at": or_(starts > at, and_(starts == at, Event.post_id > given("last"))),
    }
    return Question(
        select(Post, Forum, Member, Event)
        .select_from(Event)
        .join(Post, Post.id == Event.post_id)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(
            posts_in(sight),
            Post.state.in_((PostState.LIVE, PostState.SENT)),
            Event.ends > given("since", _MOMENT),
            starts > earliest,
            *(conditions[name] for name in sorted(asked)),
        )
        .order_by(starts, Event.post_id)
        .limit(most),
        lambda post, forum, author, event: (post, forum, author, event),
    )


async def agenda(
    session: AsyncSession,
    viewer: Viewer,
    chosen: Chosen,
    now: datetime,
    *,
    zone: str = "",
    after: tuple[datetime, int] | None = None,
) -> Agenda:
    """What is not over yet, the soonest first, PAGE at a time, by day."""
    span: dict[str, Any] = {"since": now}
    if after is not None:
        span |= {"at": after[0], "last": after[1]}
    listed = await _lines(session, viewer, chosen, span, PAGE + 1)
    shown = listed[:PAGE]
    more = ""
    if len(listed) > PAGE:
        last = shown[-1]
        more = f"{int(last.details.starts.timestamp() * 1000)}-{last.post.id}"
    return Agenda(shown, more, by_day(shown, zone, floor=now))


async def between(
    session: AsyncSession, viewer: Viewer, chosen: Chosen, span: tuple[date, date], zone: str = ""
) -> list[tuple[date, list[Line]]]:
    """Every day from the first to the last, with what is on it; at most MOST_SHOWN events."""
    first, last = span
    # A day too many on each side, since each event may have a zone of its own.
    starts = times.midnight(first - _DAY, zone or times.DEFAULT)
    ends = times.midnight(last + 2 * _DAY, zone or times.DEFAULT)
    moments = {"since": starts, "until": ends}
    lines = await _lines(session, viewer, chosen, moments, MOST_SHOWN)
    days: dict[date, list[Line]] = {}
    for line in lines:
        for day in days_of(line.details, zone):
            if first <= day <= last:
                days.setdefault(day, []).append(line)
    length = (last - first).days + 1
    return [(day, days.get(day, [])) for day in (first + n * _DAY for n in range(length))]


async def _lines(
    session: AsyncSession, viewer: Viewer, chosen: Chosen, span: dict[str, Any], most: int
) -> list[Line]:
    """What is not over at the moment `since` of a span, as far as that names more."""
    asked: set[str] = {"until", "at"} & span.keys()
    if chosen.forum is not None:
        asked.add("forum")
    if chosen.kind:
        asked.add("kind")
    if chosen.mine and viewer.member is not None:
        asked.add("mine")
    about = {"forum": chosen.forum, "kind": chosen.kind, "earliest": span["since"] - _LONGEST}
    question = _listed(viewer.sight, frozenset(asked), most)
    rows = await ask(session, question, **about, **span, **viewer.values)
    mine = await _standing(session, viewer, [row[0].id for row in rows])
    return [
        Line(post, forum, author, of_row(event), event.going, event.waiting, mine.get(post.id, ""))
        for post, forum, author, event in rows
    ]


async def _standing(
    session: AsyncSession, viewer: Viewer, posts: Sequence[int]
) -> Mapping[int, str]:
    """Where the viewer stands with each of these events."""
    if viewer.member is None or not posts:
        return {}
    return dict(await ask(session, _STANDING, me=viewer.member.id, posts=list(posts)))


_STANDING: Question[tuple[int, str]] = Question(
    select(EventGuest.post_id, EventGuest.state).where(
        EventGuest.member_id == given("me"), among(EventGuest.post_id, "posts")
    ),
    lambda post, state: (post, state),
)


def days_of(details: Details, zone: str = "") -> list[date]:
    """The days that an event touches, in a zone or in its own; whole days are days anywhere."""
    name = details.zone if details.all_day or not zone else zone
    first = times.wall(details.starts, name).date()
    # What ends at midnight does not touch the day that begins then.
    last = times.wall(details.ends - timedelta(milliseconds=1), name).date()
    return [first + n * _DAY for n in range(max(0, (last - first).days) + 1)]


def by_day(
    lines: Sequence[Line], zone: str = "", *, floor: datetime | None = None
) -> list[tuple[date, list[Line]]]:
    """Events under the day on which they begin, or today for what has begun already."""
    begun: dict[date, list[Line]] = {}
    for line in lines:
        day = days_of(line.details, zone)[0]
        if floor is not None:
            name = zone or line.details.zone
            day = max(day, times.wall(floor, name).date())
        begun.setdefault(day, []).append(line)
    return sorted(begun.items())


async def choice(session: AsyncSession, member: Member | None) -> CalendarChoice | None:
    """How a member reads the calendar, if they have said so."""
    return None if member is None else await found(session, CalendarChoice, member.id)


def followed_by(member: int) -> ColumnElement[bool]:
    """The condition on `Post` for forums that a member follows."""
    return Post.forum_id.in_(
        select(ForumFollow.forum_id).where(
            ForumFollow.member_id == member, ForumFollow.state == FollowState.ACCEPTED
        )
    )
