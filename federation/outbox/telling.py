# SPDX-License-Identifier: Apache-2.0
"""One fact being told: signing, storing, appending to the log."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from federation import forums
from federation.members import moment
from federation.signatures.proofs import add_proof
from federation.urls import host_of_uri, proof_key
from federation.wire import Wire
from server import peers
from server.transaction import Transaction
from storage import log
from storage.forums import FEDERATED, Forum, Visibility
from storage.log import ActivityBody, Entry, Form, Lane
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post


@dataclass
class Telling:
    """One fact being told."""

    wire: Wire
    tx: Transaction
    received: int | None

    async def sign(self, actor: str, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the actor's proof (FEP-8b32)."""
        key_id = proof_key(actor)
        key = await self.wire.keyring.key(self.tx.session, key_id)
        return add_proof(document, key=key, method=key_id, created=self.tx.now)

    def body(self, raw: str, subject: str) -> int:
        """Store an activity's bytes once."""
        row = ActivityBody(id=self.tx.ids.next(), body=raw, subject=subject)
        self.tx.session.add(row)
        return row.id

    async def lane(self, inbox: str) -> Lane:
        host = host_of_uri(inbox)
        await peers.seen(self.tx, host, "/".join(inbox.split("/")[:3]))
        return await log.lane_to(self.tx.session, inbox, host, self.tx.ids.next(), self.tx.now)

    async def send_direct(
        self, document: dict[str, Any], signer: str, inbox: str, *, order_key: str, subject: str
    ) -> None:
        """One activity to one inbox."""
        raw = orjson.dumps(await self.sign(signer, document)).decode()
        lane = await self.lane(inbox)
        entry = Entry(
            form=Form.DIRECT,
            activity_id=str(document["id"]),
            signer=signer,
            order_key=order_key,
            audience=inbox,
            subject=subject,
        )
        body = self.body(raw, subject)
        await self.tx.session.flush()
        await log.append(self.tx.session, entry, body, self.tx.now, [lane.id])

    async def announce(
        self, forum: Forum, raw: str, *, post: Post, order_key: str, follows: bool
    ) -> None:
        """Announce an activity, as it was received or made, to everyone who follows."""
        inner = orjson.loads(raw)
        is_public = forum.visibility == Visibility.PUBLIC
        head = forums.announce_head(forum.uri, str(inner["id"]), is_public=is_public)
        signed = await self.sign(forum.uri, head | {"object": inner})
        del signed["object"]
        # The inner bytes go on exactly as they came.
        whole = f'{orjson.dumps(signed).decode()[:-1]},"object":{raw}}}'
        body = self.body(whole, post.uri)
        await self.tx.session.flush()
        entry = Entry(
            form=Form.WRAPPED,
            activity_id=str(head["id"]),
            signer=forum.uri,
            order_key=order_key,
            audience=forum.uri,
            subject=post.uri,
            follows_subject=follows,
            closed=not is_public,
        )
        await log.append(
            self.tx.session, entry, body, self.tx.now, await self._author_lane(forum, inner)
        )

    async def _author_lane(self, forum: Forum, inner: dict[str, Any]) -> list[int]:
        """The author's own host gets the receipt, follower or not."""
        author = await self.tx.session.execute(
            select(Member).where(Member.uri == str(inner.get("actor", "")))
        )
        person = author.scalar_one_or_none()
        if person is None or person.is_local:
            return []
        lane = await self.lane(person.shared_inbox or person.inbox)
        held = await log.open_subscription(self.tx.session, forum.uri, lane.id)
        return [] if held is not None else [lane.id]

    async def boost(self, forum: Forum, post: Post) -> None:
        """Announce an opener by its id, where a follower may need that form."""
        if forum.visibility != Visibility.PUBLIC or not await self._needs_boost(forum):
            return
        published = moment(post.published)
        document = forums.boost(forum.uri, post.id, post.uri, published)
        raw = orjson.dumps(await self.sign(forum.uri, document)).decode()
        entry = Entry(
            form=Form.BOOST,
            activity_id=str(document["id"]),
            signer=forum.uri,
            order_key=post.uri,
            audience=forum.uri,
            subject=post.uri,
        )
        body = self.body(raw, post.uri)
        await self.tx.session.flush()
        await log.append(self.tx.session, entry, body, self.tx.now)

    async def _needs_boost(self, forum: Forum) -> bool:
        """Whether a lane of this forum leads to anything but a Guildhall."""
        question = (
            select(Lane.id)
            .join(log.Subscription, log.Subscription.lane_id == Lane.id)
            .outerjoin(Peer, Peer.host == Lane.peer)
            .where(
                log.Subscription.audience == forum.uri,
                log.Subscription.until_seq.is_(None),
                Peer.software != peers.GUILDHALL,
            )
            .limit(1)
        )
        return (await self.tx.session.execute(question)).first() is not None

    async def tell_about(
        self,
        post: Post,
        make: Callable[[], Awaitable[dict[str, Any]]],
        *,
        actor: Member,
        follows: bool,
    ) -> None:
        """Send a deed about a post to where it belongs.

        At the home it is announced (as received, or as made for a member of ours); at a copy
        a member's own deed goes to the home, and nothing else goes anywhere.
        """
        forum = await self.tx.session.get_one(Forum, post.forum_id)
        if forum.visibility not in FEDERATED:
            return
        opener = post if post.is_thread else await self.tx.session.get_one(Post, post.thread_id)
        if not forum.is_local:
            if actor.is_local:
                await self.send_direct(
                    await make(), actor.uri, forum.shared_inbox or forum.inbox,
                    order_key=opener.uri, subject=post.uri,
                )  # fmt: skip
            return
        raw = await self._received()
        if raw is None:
            if not actor.is_local:
                return
            raw = orjson.dumps(await self.sign(actor.uri, await make())).decode()
        await self.announce(forum, raw, post=post, order_key=opener.uri, follows=follows)

    async def _received(self) -> str | None:
        if self.received is None:
            return None
        row = await self.tx.session.get(ActivityBody, self.received)
        return row.body if row is not None else None
