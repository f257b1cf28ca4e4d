# SPDX-License-Identifier: Apache-2.0
"""What we tell other software of who of its people follows a forum of ours."""

from collections import OrderedDict
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.followers.claims import Claim, digest_of, written
from federation.forums import followers
from server.instance import Instance
from storage.forums import FollowState, Forum, ForumFollow
from storage.members import Member

KEPT_FOR = timedelta(minutes=1)
MOST_HELD = 2_000
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


class Told:
    """The header for each forum and host, made at most once a minute."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._held: OrderedDict[tuple[str, str], tuple[datetime, str]] = OrderedDict()

    async def header(self, forum: str, host: str) -> str:
        """The value for deliveries of a forum to a host; "" for a list that is too long."""
        now = self._instance.clock.now()
        held = self._held.get((forum, host))
        if held is not None and timedelta(0) <= now - held[0] < KEPT_FOR:
            return held[1]
        async with self._instance.reading() as session:
            found = await at_host(session, forum, host)
        value = ""
        if len(found) <= MOST:
            value = written(Claim(followers(forum), address(forum), digest_of(found)))
        self._held[(forum, host)] = (now, value)
        self._held.move_to_end((forum, host))
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return value
