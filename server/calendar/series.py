# SPDX-License-Identifier: Apache-2.0
"""Events that repeat: each occurrence is an event of its own, made ahead.

What repeats may go on for years; so many occurrences are in the calendar at a time as people
can plan with, and each that passes makes room for the next.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select

from server.calendar import typed as checking
from server.calendar import writing
from server.calendar.recurring import Rule, days_of, horizon, occurrences
from server.calendar.typed import EventDraft
from server.errors import Invalid, NotAllowed
from server.events import times
from server.events.details import Details, of_row
from server.transaction import Transaction
from storage.events import Event, EventSeries
from storage.forums import Forum
from storage.members import Member, MemberState
from storage.posts import Post, PostState

# As many as the rules of another agency's forum take from one person in a minute.
MOST_AHEAD = 8
_MINUTE = timedelta(minutes=1)
# What of a form is not said of each occurrence.
_ONCE = ("repeat", "repeat_until", "repeat_count", "except_on", "rule")
_OF_A_PAGE = ("csrf", "once", "following")


async def publish(tx: Transaction, author: Member, forum: Forum, typed: Mapping[str, str]) -> Post:
    """Put an event into a forum, with those that repeat it; answers the first.

    `typed` is the form; Invalid names its fields that need another look.
    """
    draft = checking.check(typed)
    await writing.must_publish(tx, author, forum)
    post, series = await begin(tx, author, forum, draft, typed)
    if series is not None:
        await extend(tx, series)
    return post


async def begin(
    tx: Transaction, author: Member, forum: Forum, draft: EventDraft, typed: Mapping[str, str]
) -> tuple[Post, EventSeries | None]:
    """An event, and if it repeats its series, of which the first is made.

    `typed` is the form that `draft` was checked of. Nobody is asked whether it may be.
    """
    if draft.repeats is None:
        return await writing.enter(tx, author, forum, draft), None
    details, rule = draft.details, draft.repeats
    number = tx.ids.next()
    first = next(occurrences(rule))
    series = EventSeries(
        id=number,
        uri=f"{author.uri}#series-{number}",
        forum_id=forum.id,
        author_id=author.id,
        rule=rule.rule,
        except_on="\n".join(day.isoformat() for day in rule.except_on),
        zone=details.zone,
        starts=named(rule.first),
        minutes=round((details.ends - details.starts) / _MINUTE),
        draft=_kept(typed),
        made=1,
        upto=named(first),
        ended=False,
        at=tx.now,
    )
    post = await writing.enter(tx, author, forum, occurrence(draft, series, first))
    tx.session.add(series)
    await tx.session.flush()
    return post, series


def _kept(typed: Mapping[str, str]) -> str:
    """The form of an occurrence, as a series keeps it."""
    said = {name: value for name, value in typed.items() if name not in _OF_A_PAGE}
    return json.dumps({**said, **dict.fromkeys(_ONCE, "")}, ensure_ascii=False)


def named(start: datetime) -> str:
    """The local start that names an occurrence in its series: `2026-11-30T10:00`."""
    return start.isoformat(timespec="minutes")


def occurrence(draft: EventDraft, series: EventSeries, start: datetime) -> EventDraft:
    """The event of a series that begins at a local time."""
    details = replace(
        at(draft.details, start, series.minutes), series=series.uri, series_at=named(start),
        rule=series.rule,
    )  # fmt: skip
    return EventDraft(draft.post, details)


def at(details: Details, start: datetime, minutes: int) -> Details:
    """The same at another local time, as long as it was; whole days stay whole."""
    if details.all_day:
        days = max(1, round(minutes / (24 * 60)))
        first = start.date()
        return replace(
            details,
            starts=times.midnight(first, details.zone),
            ends=times.midnight(first + timedelta(days=days), details.zone),
        )
    starts = times.resolve(start, details.zone)
    return replace(details, starts=starts, ends=starts + minutes * _MINUTE)


async def extend(tx: Transaction, series: EventSeries) -> int:
    """Make the next occurrences, as far as one plans ahead; answers how many."""
    author = await tx.session.get_one(Member, series.author_id)
    forum = await tx.session.get_one(Forum, series.forum_id)
    if author.state != MemberState.ACTIVE:
        series.ended = True
        return 0
    ahead = select(func.count()).where(Event.series == series.uri, Event.starts > tx.now)
    room = MOST_AHEAD - (await tx.session.execute(ahead)).scalar_one()
    draft = checking.check(json.loads(series.draft))
    made = 0
    for start in occurrences(rule_of(series), after=datetime.fromisoformat(series.upto)):
        found = occurrence(draft, series, start)
        if made >= room or found.details.starts > horizon(tx.now):
            return made
        series.upto = named(start)
        if found.details.ends > tx.now:
            await writing.enter(tx, author, forum, found)
            made += 1
            series.made += 1
    series.ended = True
    return made


def rule_of(series: EventSeries) -> Rule:
    """The rule of a stored series."""
    first = datetime.fromisoformat(series.starts)
    return Rule(series.rule, first, days_of(series.except_on.splitlines()))


async def _own(tx: Transaction, actor: Member, post: Post) -> tuple[EventSeries, list[Post]]:
    """The series that an event is of, with this and the following occurrences."""
    post, event = await writing.must_change(tx, actor, post)
    question = select(EventSeries).where(
        EventSeries.uri == event.series, EventSeries.author_id == actor.id
    )
    series = (await tx.session.execute(question)).scalar_one_or_none()
    if series is None:
        raise NotAllowed("This event does not repeat.")
    following = (
        select(Post)
        .join(Event, Event.post_id == Post.id)
        .where(
            Event.series == event.series,
            Event.starts >= event.starts,
            Event.status != "cancelled",
            Post.author_id == actor.id,
            Post.state != PostState.DELETED,
        )
        .order_by(Event.starts)
        .limit(4 * MOST_AHEAD)
    )
    return series, list((await tx.session.execute(following)).scalars())


async def revise(tx: Transaction, actor: Member, post: Post, typed: Mapping[str, str]) -> Post:
    """Change an event and those that follow it: each keeps its day, all have the new hours."""
    draft = checking.check({**typed, **dict.fromkeys(_ONCE, "")})
    series, posts = await _own(tx, actor, post)
    begins = times.wall(draft.details.starts, draft.details.zone)
    here = of_row(await tx.session.get_one(Event, post.id))
    if begins.date() != times.wall(here.starts, here.zone).date():
        raise Invalid(
            {"start_date": "To move it to another day, change this one alone, or begin anew."}
        )
    minutes = round((draft.details.ends - draft.details.starts) / _MINUTE)
    for one in posts:
        before = of_row(await tx.session.get_one(Event, one.id))
        day = times.wall(before.starts, before.zone).date()
        moved = at(draft.details, datetime.combine(day, begins.time()), minutes)
        await writing.rewrite(tx, one, EventDraft(draft.post, moved))
    series.zone, series.minutes = draft.details.zone, minutes
    series.draft = _kept(typed)
    # What is made later has the new hours too; which days it has, the rule says as before.
    first, upto = (datetime.fromisoformat(one) for one in (series.starts, series.upto))
    series.starts = named(datetime.combine(first.date(), begins.time()))
    series.upto = named(datetime.combine(upto.date(), begins.time()))
    return posts[0]


async def call_off(tx: Transaction, actor: Member, post: Post) -> None:
    """Call an event off and all that follow it; the series ends."""
    series, posts = await _own(tx, actor, post)
    series.ended = True
    for one in posts:
        await writing.change(tx, one, status="cancelled")
