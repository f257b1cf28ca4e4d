# SPDX-License-Identifier: Apache-2.0
"""When a copy is compared with its home, and how that went."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, and_, exists, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import digests
from server.errors import NotFound, Unavailable
from server.facts import CheckAsked
from server.forums.standing import standing_now
from server.peers import GUILDHALL
from server.permissions import Permission, may
from server.settings import Federation
from server.transaction import Transaction
from storage import digests as storage
from storage import plain
from storage.among import among
from storage.base import UtcDateTime
from storage.digests import KnownDifference
from storage.forums import CopyState, Forum
from storage.members import Member
from storage.peers import Peer
from storage.plain import Question, given, whole
from storage.posts import Post

EVERY = timedelta(hours=1)
SHORTEST_WAIT, LONGEST_WAIT = 5.0, 6 * 3_600.0
MOST_TRIES = 16
FRESH = timedelta(minutes=10)
AFTER_START = 60.0
ANEW = timedelta(days=400)


@dataclass(frozen=True)
class Outcome:
    """How a comparison ended: `error` is one sentence for people, "" where all is in order.

    `through` where everything was gone through, even if some of it could not be had; `more` where
    there was too much to do at once; `repeats` for homes that are asked every hour, others only
    until all could be had.
    """

    error: str = ""
    through: bool = False
    more: bool = False
    repeats: bool = True


async def ask(
    tx: Transaction, member: Member | None, forum: Forum, thread: int | None = None
) -> Forum:
    """A member, or an operator (None), wants a copy compared with its home now.

    What the copy holds is summed up anew, so that damage done past Guildhall is found: all of it
    for an operator, for a member the last ANEW and the days of the posts of `thread`. Answers the
    row; once the comparison has ended, its `compare_next` is another.
    """
    if tx.settings.federates is Federation.OFF:
        raise Unavailable("Federation is switched off here.")
    forum = await tx.session.get_one(Forum, forum.id)
    if member is not None and not may(await standing_now(tx, member, forum), Permission.FOLLOW):
        raise NotFound
    if forum.is_local:
        raise NotFound("This forum lives here: there is nothing to check it with.")
    if forum.copy_state not in (CopyState.FILLING, CopyState.CURRENT):
        raise NotFound("Nobody here follows this forum, so there is no copy of it to check.")
    since = "" if member is None else digests.day_of(tx.now - ANEW)
    days = set() if thread is None else await _days_of(tx, thread)
    await storage.mark_known(tx.session, forum.id, since, days)
    soon(tx, forum)
    return forum


async def _days_of(tx: Transaction, thread: int) -> set[str]:
    """The days on which the posts of a thread were published."""
    question = select(Post.published).where(Post.thread_id == thread)
    return {digests.day_of(moment) for moment in (await tx.session.execute(question)).scalars()}


def soon(tx: Transaction, forum: Forum) -> None:
    """Have a copy compared as soon as a worker can; `forum` is a row of this transaction."""
    forum.compare_next = tx.now
    tx.record(CheckAsked(forum.id))


def _compared() -> ColumnElement[bool]:
    """The condition on `Forum` and `Peer` for copies that are looked at at all.

    One of other software, which has no digest, only while it is to be filled or asked for.
    """
    current = and_(
        Forum.copy_state == CopyState.CURRENT,
        or_(Peer.software == GUILDHALL, Forum.compare_next.is_not(None)),
    )
    return and_(Forum.peer.is_not(None), or_(Forum.copy_state == CopyState.FILLING, current))


def _due() -> Question[Forum]:
    heard = and_(Forum.compare_tries > 0, Peer.last_heard > Forum.compare_tried)
    differs = exists().where(
        KnownDifference.forum_id == Forum.id, KnownDifference.reason.in_(digests.BY_RULES)
    )
    other_rules = and_(Forum.compare_rules != given("rules", Forum.compare_rules.type), differs)
    come = Forum.compare_next <= given("now", UtcDateTime())
    when = or_(Forum.compare_next.is_(None), come, heard, other_rules)
    busy = among(Forum.peer, "busy", Forum.peer.type)
    return Question(
        select(Forum)
        .outerjoin(Peer, Peer.host == Forum.peer)
        .where(_compared(), when, not_(busy))
        .order_by(Forum.compare_next)
        .limit(given("limit", Integer())),
        whole,
    )


_DUE = _due()


async def due(
    session: AsyncSession, now: datetime, rules: str, limit: int, busy: Collection[str] = ()
) -> list[Forum]:
    """Copies to be compared now, those due longest first, none of a home in `busy`.

    Also those whose home was heard of since a try failed, and those with known differences that
    went by other rules than `rules`.
    """
    return await plain.ask(session, _DUE, now=now, rules=rules, limit=limit, busy=[*busy])


_NEXT_DUE: Question[datetime | None] = Question(
    select(func.min(Forum.compare_next))
    .outerjoin(Peer, Peer.host == Forum.peer)
    .where(_compared()),
    lambda moment: moment,
)


async def next_due(session: AsyncSession) -> datetime | None:
    """When the next comparison is due."""
    return (await plain.ask(session, _NEXT_DUE))[0]


async def bring_forward(tx: Transaction) -> None:
    """After a start: what was not compared lately is, within a minute, each at its own second."""
    question = (
        select(Forum)
        .outerjoin(Peer, Peer.host == Forum.peer)
        .where(
            _compared(),
            Forum.compare_next > tx.now + timedelta(seconds=AFTER_START),
            or_(Forum.compared.is_(None), Forum.compared < tx.now - FRESH),
        )
    )
    for forum in (await tx.session.execute(question)).scalars():
        wait = tx.randomness.fraction() * AFTER_START
        forum.compare_next = tx.now + timedelta(seconds=wait)


async def ended(
    tx: Transaction, forum_id: int, asked: datetime | None, rules: str, outcome: Outcome
) -> None:
    """Keep how a comparison went; `asked` is when it was due, unless it is due once more."""
    forum = await tx.session.get_one(Forum, forum_id)
    forum.compare_tried = tx.now
    forum.compare_error = outcome.error[:500]
    forum.compare_rules = rules
    forum.compare_missing = await storage.count_differences(tx.session, forum.id, digests.WITHHELD)
    if outcome.error:
        forum.compare_tries += 1
        wait = min(LONGEST_WAIT, SHORTEST_WAIT * 2.0**forum.compare_tries)
    else:
        wait = 0.0 if outcome.more else EVERY.total_seconds()
    if outcome.through and not outcome.error:
        forum.compare_tries = 0
        forum.compared = forum.checked = tx.now
    done = outcome.through or forum.compare_tries >= MOST_TRIES
    if done and forum.copy_state == CopyState.FILLING:
        forum.copy_state = CopyState.CURRENT
    if done and not outcome.repeats and not 0 < forum.compare_tries < MOST_TRIES:
        forum.compare_next = None
    elif forum.compare_next == asked:
        # A quarter more or less, so that a thousand forums do not ask at the same second.
        spread = 0.75 + tx.randomness.fraction() / 2
        forum.compare_next = tx.now + timedelta(seconds=wait * spread)
