# SPDX-License-Identifier: Apache-2.0
"""What we tell other software of who of its people follows a forum of ours."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.followers.claims import Claim, digest_of, written
from federation.forums import followers
from server.instance import Instance
from storage.base import in_batches
from storage.forums import FollowState, Forum, ForumFollow
from storage.members import Member

KEPT_FOR = timedelta(minutes=1)
# Twice as many as are sent to at once.
MOST_HELD = 4_000
# A longer list would be more work to fetch than it is worth.
MOST = 2_000


def address(forum: str) -> str:
    """Where a forum lists to each host the followers that it has there."""
    return f"{forum}/followers_synchronization"


async def at_host(session: AsyncSession, forum: str, host: str) -> list[str]:
    """The ids of those at a host who follow a forum of ours, at most MOST + 1."""
    question = (
        select(Member.uri)
        .join(ForumFollow, ForumFollow.member_id == Member.id)
        .join(Forum, Forum.id == ForumFollow.forum_id)
        .where(Forum.uri == forum, ForumFollow.state == FollowState.ACCEPTED, Member.peer == host)
        .order_by(Member.id)
        .limit(MOST + 1)
    )
    return list((await session.execute(question)).scalars())


async def at_hosts(
    session: AsyncSession, forum: str, hosts: Collection[str]
) -> dict[str, list[str]]:
    """The same for many hosts, in one question for some hundreds of them."""
    found: dict[str, list[str]] = {host: [] for host in hosts}
    for batch in in_batches(sorted(found)):
        place = func.row_number().over(partition_by=Member.peer, order_by=Member.id)
        question = (
            select(Member.peer, Member.uri, place.label("place"))
            .join(ForumFollow, ForumFollow.member_id == Member.id)
            .join(Forum, Forum.id == ForumFollow.forum_id)
            .where(
                Forum.uri == forum,
                ForumFollow.state == FollowState.ACCEPTED,
                Member.peer.in_(batch),
            )
            .subquery()
        )
        few = select(question.c.peer, question.c.uri).where(question.c.place <= MOST + 1)
        for host, uri in (await session.execute(few)).all():
            found[host].append(uri)
    return found


class Told:
    """The header for each forum and host, made at most once a minute."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._held: OrderedDict[tuple[str, str], tuple[datetime, str]] = OrderedDict()

    async def header(self, forum: str, host: str) -> str:
        """The value for deliveries of a forum to a host; "" for a list that is too long."""
        now = self._instance.clock.now()
        found = self.held(forum, host, now)
        if found is not None:
            return found
        async with self._instance.reading() as session:
            return self._hold(forum, host, await at_host(session, forum, host), now)

    async def read(self, session: AsyncSession, wanted: Iterable[tuple[str, str]]) -> None:
        """Have the values for these forums and hosts at hand, before they are sent to one by one.

        A question for each host would cost as much as its signature. What is about to run out is
        made anew as well, since those who are sent to last wait a while.
        """
        now = self._instance.clock.now()
        missing: dict[str, set[str]] = {}
        for forum, host in wanted:
            if self.held(forum, host, now + KEPT_FOR / 2) is None:
                missing.setdefault(forum, set()).add(host)
        for forum, hosts in missing.items():
            for host, found in (await at_hosts(session, forum, hosts)).items():
                self._hold(forum, host, found, now)

    def held(self, forum: str, host: str, now: datetime) -> str | None:
        """The value where it is at hand."""
        held = self._held.get((forum, host))
        return held[1] if held and timedelta(0) <= now - held[0] < KEPT_FOR else None

    def _hold(self, forum: str, host: str, found: list[str], now: datetime) -> str:
        value = ""
        if len(found) <= MOST:
            value = written(Claim(followers(forum), address(forum), digest_of(found)))
        self._held[(forum, host)] = (now, value)
        self._held.move_to_end((forum, host))
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return value
