# SPDX-License-Identifier: Apache-2.0
"""Polls as a viewer of their posts is shown them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.viewers import Viewer
from storage.members import Member
from storage.polls import Poll, PollOption, PollVote
from storage.posts import Post


@dataclass(frozen=True)
class Choice:
    """What can be chosen, and how many chose it."""

    title: str
    votes: int


@dataclass(frozen=True)
class ShownPoll:
    """A poll; `own` are the places that the viewer chose.

    `over` says that all were told of the end, `ours` that it is counted here.
    """

    post: int
    multiple: bool
    hidden: bool
    ends: datetime
    voters: int
    choices: tuple[Choice, ...]
    over: bool = False
    ours: bool = True
    own: tuple[int, ...] = ()

    @property
    def votes(self) -> int:
        return sum(one.votes for one in self.choices)

    def has_ended(self, now: datetime) -> bool:
        return self.ends <= now

    def may_be_counted(self, now: datetime) -> bool:
        """Whether the viewer may know how many chose what."""
        if not self.ours:
            # Kept back by another server until it says how the poll ended.
            return not self.hidden or self.over
        return not self.hidden or bool(self.own) or self.has_ended(now)


async def of_posts(
    session: AsyncSession, viewer: Viewer, posts: Collection[int]
) -> dict[int, ShownPoll]:
    """The polls among posts that the viewer was found to see."""
    question = (
        select(Poll, Member.peer)
        .join(Post, Post.id == Poll.post_id)
        .join(Member, Member.id == Post.author_id)
        .where(Poll.post_id.in_(posts))
    )
    rows = (await session.execute(question)).all()
    polls = {row[0].post_id: row[0] for row in rows}
    ours = {row[0].post_id for row in rows if row[1] is None}
    if not polls:
        return {}
    choices: dict[int, list[Choice]] = {}
    options = (
        select(PollOption.post_id, PollOption.title, PollOption.votes)
        .where(PollOption.post_id.in_(polls))
        .order_by(PollOption.post_id, PollOption.place)
    )
    for post, title, votes in (await session.execute(options)).all():
        choices.setdefault(post, []).append(Choice(title, votes))
    own: dict[int, list[int]] = {}
    if viewer.member is not None:
        mine = (
            select(PollVote.post_id, PollVote.place)
            .where(PollVote.member_id == viewer.member.id, PollVote.post_id.in_(polls))
            .order_by(PollVote.place)
        )
        for post, place in (await session.execute(mine)).all():
            own.setdefault(post, []).append(place)
    return {
        post: ShownPoll(
            post, poll.multiple, poll.hidden, poll.ends, poll.voters,
            tuple(choices.get(post, ())), poll.over, post in ours,
            tuple(own.get(post, ())),
        )
        for post, poll in polls.items()
    }  # fmt: skip
