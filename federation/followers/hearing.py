# SPDX-License-Identifier: Apache-2.0
"""What other software says of who of our people follows a forum of its own."""

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta

import orjson
import structlog
from sqlalchemy import select

from federation.actors import Actors
from federation.authority import same_origin
from federation.errors import BadAnswer, WireError
from federation.followers.claims import Claim, digest_of, read
from federation.vocabulary.terms import ACCEPT
from federation.vocabulary.values import url_id_of
from federation.wire import Wire
from server import peers
from server.errors import Refusal
from server.forums import follows
from server.transaction import Transaction
from storage import forums, members
from storage.forums import CopyState, FollowState, Forum, ForumFollow
from storage.members import Member
from storage.peers import Peer

logger = structlog.get_logger("guildhall.followers")
AGAIN_AFTER = timedelta(hours=1)
# An answer to a follow may still be on its way.
SETTLED_AFTER = timedelta(minutes=10)
MOST_HELD = 2_000
AT_ONCE = 4
MOST_LISTED = 1_000
LOST = "Its server no longer counts you among the followers: follow it again."


class Heard:
    """Compares, once an hour for each forum, a few at once; what cannot be had is left."""

    def __init__(self, wire: Wire, actors: Actors) -> None:
        self._wire = wire
        self._actors = actors
        self._last: OrderedDict[str, datetime] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, signer: str, value: str) -> None:
        """A delivery of this signer carried the header; costs nothing while it is asked for."""
        claim = read(value)
        if claim is None or not (
            same_origin(claim.collection, signer) and same_origin(claim.url, signer)
        ):
            return
        now = self._wire.instance.clock.now()
        last = self._last.get(signer)
        if len(self._tasks) >= AT_ONCE or (last is not None and now - last < AGAIN_AFTER):
            return
        self._last[signer] = now
        self._last.move_to_end(signer)
        while len(self._last) > MOST_HELD:
            self._last.popitem(last=False)
        task = asyncio.create_task(self._compare(signer, claim))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def is_at_work(self) -> bool:
        return bool(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _compare(self, signer: str, claim: Claim) -> None:
        try:
            if not await self._differs(signer, claim):
                return
            actor = await self._actors.fetch(signer)
            if actor.followers != claim.collection:
                raise BadAnswer("This is not the collection of its followers.")
            listed = await self._listed(claim.url)
            async with self._wire.instance.transaction() as tx:
                forum = await forums.by_uri(tx.session, signer)
                if forum is not None:
                    await _mend(tx, forum, listed)
        except (Refusal, WireError) as error:
            logger.info("followers not compared", forum=signer, why=str(error))

    async def _differs(self, signer: str, claim: Claim) -> bool:
        """Whether this is a forum of other software that counts others of us than we do."""
        async with self._wire.instance.reading() as session:
            forum = await forums.by_uri(session, signer)
            if forum is None or forum.is_local or forum.copy_state == CopyState.KNOWN:
                return False
            peer = await session.get(Peer, forum.peer)
            if peer is None or peer.software == peers.GUILDHALL:
                return False
            question = (
                select(Member.uri)
                .join(ForumFollow, ForumFollow.member_id == Member.id)
                .where(
                    ForumFollow.forum_id == forum.id,
                    ForumFollow.state == FollowState.ACCEPTED,
                    Member.peer.is_(None),
                )
            )
            ours = list((await session.execute(question)).scalars())
        return digest_of(ours) != claim.digest

    async def _listed(self, url: str) -> set[str]:
        """The ids at our origin that the list holds. Mastodon gives it another id than its URL."""
        answer = await self._wire.plain(url, accept=ACCEPT)
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            raise BadAnswer("The answer is not JSON.") from error
        items = found.get("orderedItems", found.get("items")) if isinstance(found, dict) else None
        if answer.status != 200 or not isinstance(items, list) or len(items) > MOST_LISTED:
            raise BadAnswer("The answer lists no followers.")
        uris = {url_id_of(item) for item in items}
        return {uri for uri in uris if uri is not None and self._wire.urls.is_ours(uri)}


async def _mend(tx: Transaction, forum: Forum, listed: set[str]) -> None:
    """Have both sides count the same people; whoever followed a moment ago is left alone."""
    question = (
        select(ForumFollow, Member)
        .join(Member, Member.id == ForumFollow.member_id)
        .where(ForumFollow.forum_id == forum.id, Member.peer.is_(None))
    )
    known: set[str] = set()
    for held, member in (await tx.session.execute(question)).all():
        known.add(member.uri)
        if tx.now - held.created < SETTLED_AFTER:
            continue
        if held.state == FollowState.ACCEPTED and member.uri not in listed:
            await follows.declined(tx, member, forum, LOST)
        elif held.state == FollowState.REJECTED and member.uri in listed:
            follows.say_left(tx, member, forum, held.uri)
    for uri, stranger in sorted((await members.by_uris(tx.session, listed - known)).items()):
        if stranger.is_local:
            follows.say_left(tx, stranger, forum, f"{uri}#follow-{forum.id}-0")
