# SPDX-License-Identifier: Apache-2.0
"""A poll that has ended is asked for once more: its last Update may be lost."""

from collections import OrderedDict
from datetime import timedelta

from federation import authority
from federation.incoming import Incoming
from federation.posts import from_wire
from server.facts import PollCounted
from server.posts import voting
from storage.forums import Forum
from storage.members import Member
from storage.polls import Poll
from storage.posts import Post, PostState

MOST_KNOWN = 10_000
# How long after its end the server of its author may still be counting, or be away.
SETTLED = timedelta(hours=1)
FORGOTTEN = timedelta(days=30)


class EndedPolls:
    """Asks for the last counts of polls elsewhere; which are known is kept in memory."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, None] = OrderedDict()

    async def ask(self, incoming: Incoming, opener: Post) -> None:
        """Take the counts of a thread's poll from its author's server, once it has ended.

        One document at most, and never again once the end was heard. WireError where it could
        not be had.
        """
        instance = incoming.wire.instance
        async with instance.reading() as session:
            poll = await session.get(Poll, opener.id)
            author = await session.get_one(Member, opener.author_id)
            forum = await session.get_one(Forum, opener.forum_id)
        now = instance.clock.now()
        if poll is None or author.is_local or opener.id in self._known:
            return
        if not poll.ends <= now <= poll.ends + FORGOTTEN:
            return
        if not await incoming.is_allowed(opener.uri):
            return
        found = await incoming.fetch_post(opener.uri)
        authority.must_be_author(author.uri, found.author or "")
        authority.must_own(author.uri, found, ours=incoming.origin)
        said = from_wire(found, forum.uri).poll
        if said is None or said.over or now > said.ends + SETTLED:
            self._know(opener.id)
        if said is None:
            return
        async with incoming.deed() as tx:
            post = await tx.session.get_one(Post, opener.id)
            if post.state != PostState.DELETED and await voting.put(tx, post, said):
                tx.record(PollCounted(post.id, said.voters, said.over))

    def _know(self, post: int) -> None:
        self._known[post] = None
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
