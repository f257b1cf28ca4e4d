# SPDX-License-Identifier: Apache-2.0
"""Several events of a calendar file: looked over, chosen, announced at once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.calendar import series, writing
from server.calendar import typed as checking
from server.calendar.importing import Found
from server.calendar.typed import EventDraft
from server.errors import Invalid
from server.transaction import Transaction
from storage.events import Event
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState

MOST = 50
# As many as the rules of another agency's forum take from one person in a minute.
MOST_ELSEWHERE = series.MOST_AHEAD
NO_RULE = "Its rule for repeating cannot be read: use the form for it."
ONE_AT_A_TIME = "In a forum of another agency, what repeats is announced by itself: use the form."


@dataclass(frozen=True)
class Choice:
    """An event of a file; `fault` says why it cannot be announced, `note` what speaks against."""

    typed: Mapping[str, str]
    draft: EventDraft | None
    fault: str = ""
    note: str = ""

    @property
    def title(self) -> str:
        return self.typed.get("title", "")


@dataclass(frozen=True)
class Choices:
    """What is shown to choose from, how many more the file has, and how many go in at once."""

    shown: list[Choice]
    left: int
    most: int


def most_in(forum: Forum) -> int:
    """How many events are announced in a forum at once."""
    return MOST if forum.is_local else MOST_ELSEWHERE


async def choices(
    session: AsyncSession, forum: Forum, found: Sequence[Found], now: datetime
) -> Choices:
    """The events of a file: what can go into the calendar first, the soonest on top."""
    looked = await asyncio.to_thread(_looked_over, forum, found)
    there = await _there(session, forum, looked)
    noted = [replace(one, note=_note(one, there, now)) for one in looked]
    noted.sort(key=lambda one: (bool(one.fault), bool(one.note), _starts(one)))
    return Choices(noted[:MOST], max(0, len(noted) - MOST), most_in(forum))


def _looked_over(forum: Forum, found: Sequence[Found]) -> list[Choice]:
    return [look_over(forum, one) for one in found]


def look_over(forum: Forum, found: Found) -> Choice:
    """An event as the form would take it, or why it would not."""
    typed = found.typed
    if found.fault:
        return Choice(typed, None, found.fault)
    if not typed.get("source", "").strip():
        # An invitation often says no more than what it is called.
        typed = {**typed, "source": typed.get("title", "")}
    try:
        draft = checking.check(typed)
    except Invalid as error:
        return Choice(typed, None, " ".join(error.fields.values()) or error.sentence)
    if typed.get("rule") and draft.repeats is None:
        return Choice(typed, None, NO_RULE)
    if draft.repeats is not None and not forum.is_local:
        return Choice(typed, None, ONE_AT_A_TIME)
    return Choice(typed, draft)


async def _there(
    session: AsyncSession, forum: Forum, looked: Sequence[Choice]
) -> set[tuple[str, datetime]]:
    """Title and start of what is in the calendar of this forum already."""
    starts = {one.draft.details.starts for one in looked if one.draft is not None}
    question = (
        select(Post.title, Event.starts)
        .select_from(Event)
        .join(Post, Post.id == Event.post_id)
        .where(
            Event.starts.in_(starts),
            Post.forum_id == forum.id,
            Post.state.in_((PostState.LIVE, PostState.SENT)),
        )
    )
    return {(title, start) for title, start in (await session.execute(question)).all()}


def _starts(one: Choice) -> float:
    return one.draft.details.starts.timestamp() if one.draft is not None else 0


def _note(one: Choice, there: set[tuple[str, datetime]], now: datetime) -> str:
    if one.draft is None:
        return ""
    if (one.draft.post.title, one.draft.details.starts) in there:
        return "It is in the calendar already."
    if one.draft.details.ends <= now and one.draft.repeats is None:
        return "It is over."
    return ""


async def announce(
    tx: Transaction, author: Member, forum: Forum, chosen: Mapping[str, Mapping[str, str]]
) -> list[Post]:
    """Put what was chosen into a forum, all of it or nothing; Invalid names by key what is amiss.

    The rate of posts is asked once for all. Of what repeats the first is made now, and the
    calendar makes those that follow.
    """
    if not chosen:
        raise Invalid(message="Nothing is chosen: tick what should go into the calendar.")
    most = most_in(forum)
    if len(chosen) > most:
        raise Invalid(
            message=f"{len(chosen)} are chosen, and {most} can go in at once: tick fewer."
        )
    looked = {key: look_over(forum, Found(dict(typed))) for key, typed in chosen.items()}
    if faults := {key: one.fault for key, one in looked.items() if one.fault}:
        raise Invalid(faults)
    await writing.must_publish(tx, author, forum)
    made = []
    for one in looked.values():
        if one.draft is not None:
            made.append((await series.begin(tx, author, forum, one.draft, one.typed))[0])
    return made
