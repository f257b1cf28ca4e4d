# SPDX-License-Identifier: Apache-2.0
"""What an administrator sees first: numbers, and what is stuck."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import crashes
from server.audit import last_check
from server.crashes import Crash
from server.mail import MOST_ATTEMPTS
from storage import traffic
from storage.base import Base
from storage.facts import FactRow
from storage.forums import Forum
from storage.letters import Letter
from storage.members import Member
from storage.peers import Knock, Peer, PolicyRule, Verdict
from storage.posts import Post, PostState

LATE = timedelta(minutes=5)


@dataclass(frozen=True)
class Overview:
    """Counts; `late_facts` are deeds that other agencies should have been told of by now.

    `record_fault` is what the last look at the record found, empty when it was whole, and `crash`
    the last failure of the worker, in whichever process, if it was within a day.
    """

    members: int
    forums: int
    copies: int
    posts: int
    peers: int
    allow_rules: int
    knocks: int
    failing_peers: int
    refusing_peers: int
    late_facts: int
    waiting_letters: int
    failed_letters: int
    record_fault: str
    crash: Crash | None

    @property
    def is_new(self) -> bool:
        """Whether there is still everything to set up."""
        return self.members < 2 or not self.forums or not self.allow_rules


async def page(session: AsyncSession, now: datetime) -> Overview:
    """The numbers of the administration's first page."""

    async def count(table: type[Base], *conditions: ColumnElement[bool]) -> int:
        question = select(func.count()).select_from(table).where(*conditions)
        return (await session.execute(question)).scalar_one()

    checked = await last_check(session)
    unsent = Letter.sent.is_(None)
    return Overview(
        members=await count(Member, Member.peer.is_(None)),
        forums=await count(Forum, Forum.peer.is_(None)),
        copies=await count(Forum, Forum.peer.is_not(None)),
        posts=await count(Post, Post.state == PostState.LIVE),
        peers=await count(Peer),
        allow_rules=await count(PolicyRule, PolicyRule.verdict == Verdict.ALLOW),
        knocks=await count(Knock),
        failing_peers=await count(Peer, Peer.failing_since.is_not(None)),
        refusing_peers=await count(Peer, traffic.is_refusing(now)),
        late_facts=await count(FactRow, FactRow.done.is_(None), FactRow.at < now - LATE),
        waiting_letters=await count(Letter, unsent, Letter.attempts < MOST_ATTEMPTS),
        failed_letters=await count(Letter, unsent, Letter.attempts >= MOST_ATTEMPTS),
        record_fault=checked.fault if checked is not None else "",
        crash=await crashes.last(session, now),
    )
