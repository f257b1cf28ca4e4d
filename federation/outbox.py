# SPDX-License-Identifier: Apache-2.0
"""The way out: a fact becomes log rows, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import select

from federation import endorsements, forums, posts
from federation.documents import forum_document
from federation.members import moment
from federation.posts import Deed
from federation.sharing import shared
from federation.signatures.proofs import add_proof
from federation.urls import host_of_uri, proof_key
from federation.wire import Wire
from server import peers
from server.facts import (
    ActivityRefused,
    Endorsed,
    EndorsementWithdrawn,
    Fact,
    FollowerAccepted,
    FollowerLeft,
    FollowerRejected,
    ForumChanged,
    ForumFollowed,
    ForumLeft,
    PostDeleted,
    PostEdited,
    RemovalAsked,
    ReplyPosted,
    StewardNamed,
    ThreadLocked,
    ThreadPinned,
    ThreadPosted,
    unpack,
)
from server.transaction import Transaction
from storage import facts as facts_storage
from storage import forums as forums_storage
from storage import log
from storage.endorsements import Endorsement
from storage.facts import FactRow
from storage.forums import FEDERATED, FollowState, Forum, ForumFollow, Visibility
from storage.log import ActivityBody, Entry, Form, Lane
from storage.members import Member
from storage.peers import Peer
from storage.posts import Kind, Post

logger = structlog.get_logger("guildhall.outbox")
MOST_ATTEMPTS = 12


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


async def _posted(t: Telling, fact: ThreadPosted | ReplyPosted) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    if post.state == "deleted":
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        return posts.create(sharing, document)

    await t.tell_about(post, make, actor=author, follows=False)
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    if post.is_thread and forum.is_local:
        await t.boost(forum, post)


async def _edited(t: Telling, fact: PostEdited) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    if post.state == "deleted":
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        return posts.update(sharing, document, fact.revision)

    await t.tell_about(post, make, actor=author, follows=True)


async def _deleted(t: Telling, fact: PostDeleted | RemovalAsked) -> None:
    if not fact.by:
        return
    post = await t.tx.session.get_one(Post, fact.post)
    actor = await t.tx.session.get_one(Member, fact.by)
    deed = await _deed(t, post, actor)
    former = "Article" if post.kind == Kind.THREAD else "Note"
    reason = None if post.author_id == actor.id else fact.reason

    async def make() -> dict[str, Any]:
        return posts.delete(deed, former, post.deleted or t.tx.now, reason)

    await t.tell_about(post, make, actor=actor, follows=True)


async def _deed(t: Telling, post: Post, actor: Member) -> Deed:
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    is_public = forum.visibility == Visibility.PUBLIC
    return Deed(actor=actor.uri, post=post.uri, forum=forum.uri, public=is_public)


async def _endorsed(t: Telling, fact: Endorsed | EndorsementWithdrawn) -> None:
    post = await t.tx.session.get_one(Post, fact.post)
    member = await t.tx.session.get_one(Member, fact.member)
    held = await t.tx.session.get(Endorsement, (post.id, member.id))
    if held is None:
        return
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    author = await t.tx.session.get_one(Member, post.author_id)
    named = author.uri if forum.visibility == Visibility.PUBLIC else None
    uri = f"{member.uri}#like-{post.id}-{fact.n}" if member.is_local else held.uri
    like = endorsements.like(uri, member.uri, post.uri, forum.uri, author=named)

    async def make() -> dict[str, Any]:
        if isinstance(fact, Endorsed):
            return like
        return forums.undo(member.uri, like, like["to"]) | {"audience": forum.uri}

    await t.tell_about(post, make, actor=member, follows=False)


async def _locked(t: Telling, fact: ThreadLocked) -> None:
    if not fact.by:
        return
    post = await t.tx.session.get_one(Post, fact.post)
    actor = await t.tx.session.get_one(Member, fact.by)
    deed = await _deed(t, post, actor)

    async def make() -> dict[str, Any]:
        locking = posts.lock(deed, fact.n)
        return locking if fact.locked else forums.undo(actor.uri, locking, locking["to"])

    await t.tell_about(post, make, actor=actor, follows=True)


async def _pinned(t: Telling, fact: ThreadPinned) -> None:
    if not fact.by:
        return
    post = await t.tx.session.get_one(Post, fact.post)
    actor = await t.tx.session.get_one(Member, fact.by)
    deed = await _deed(t, post, actor)

    async def make() -> dict[str, Any]:
        return posts.pin(deed, fact.n, pinned=fact.pinned)

    await t.tell_about(post, make, actor=actor, follows=True)


async def _steward_named(t: Telling, fact: StewardNamed) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    if not forum.is_local or forum.visibility not in FEDERATED:
        return
    person = await t.tx.session.get_one(Member, fact.member)
    by = await t.tx.session.get_one(Member, fact.by)
    is_public = forum.visibility == Visibility.PUBLIC
    deed = Deed(actor=by.uri, post=person.uri, forum=forum.uri, public=is_public)
    document = posts.steward(deed, fact.n, named=fact.named)
    raw = orjson.dumps(await t.sign(by.uri, document)).decode()
    await _announce_forum(t, forum, raw)


async def _forum_changed(t: Telling, fact: ForumChanged) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    if not forum.is_local or forum.visibility not in FEDERATED:
        return
    document = forums.update_group(forum, await forum_document(t.tx.session, t.wire.urls, forum))
    raw = orjson.dumps(await t.sign(forum.uri, document)).decode()
    entry = Entry(
        form=Form.WRAPPED,
        activity_id=str(document["id"]),
        signer=forum.uri,
        order_key=forum.uri,
        audience=forum.uri,
        subject=forum.uri,
        closed=forum.visibility != Visibility.PUBLIC,
    )
    body = t.body(raw, forum.uri)
    await t.tx.session.flush()
    await log.append(t.tx.session, entry, body, t.tx.now)


async def _announce_forum(t: Telling, forum: Forum, raw: str) -> None:
    """Announce something about the forum itself."""
    stand_in = Post(uri=forum.uri)
    await t.announce(forum, raw, post=stand_in, order_key=forum.uri, follows=False)


async def _followed(t: Telling, fact: ForumFollowed) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    member = await t.tx.session.get_one(Member, fact.member)
    held = await forums_storage.follow_of(t.tx.session, forum.id, member.id)
    if held is None or held.state != FollowState.PENDING:
        return
    document = forums.follow(held.uri, member.uri, forum.uri)
    await t.send_direct(
        document, member.uri, forum.shared_inbox or forum.inbox,
        order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def _left(t: Telling, fact: ForumLeft) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    member = await t.tx.session.get_one(Member, fact.member)
    inner = forums.follow(fact.uri, member.uri, forum.uri)
    await t.send_direct(
        forums.undo(member.uri, inner, [forum.uri]), member.uri,
        forum.shared_inbox or forum.inbox, order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def _follower_accepted(t: Telling, fact: FollowerAccepted) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    held = await forums_storage.follow_of(t.tx.session, forum.id, person.id)
    if held is None or held.state != FollowState.ACCEPTED:
        return
    lane = await t.lane(person.shared_inbox or person.inbox)
    await log.subscribe(t.tx.session, forum.uri, lane, t.tx.ids.next())
    await t.send_direct(
        forums.answer("Accept", forum.uri, person.uri, held.uri), forum.uri,
        person.shared_inbox or person.inbox,
        order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def _follower_rejected(t: Telling, fact: FollowerRejected) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    await t.send_direct(
        forums.answer("Reject", forum.uri, person.uri, fact.uri, fact.reason), forum.uri,
        person.shared_inbox or person.inbox,
        order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def _follower_left(t: Telling, fact: FollowerLeft) -> None:
    """End the subscription once nobody behind the lane follows any more."""
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    inbox = person.shared_inbox or person.inbox
    remaining = (
        select(Member.id)
        .join(ForumFollow, ForumFollow.member_id == Member.id)
        .where(
            ForumFollow.forum_id == forum.id,
            ForumFollow.state == FollowState.ACCEPTED,
            (Member.shared_inbox == inbox) | (Member.inbox == inbox),
        )
        .limit(1)
    )
    if (await t.tx.session.execute(remaining)).first() is None:
        await log.unsubscribe(t.tx.session, forum.uri, await t.lane(inbox))


async def _refused(t: Telling, fact: ActivityRefused) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    if person.is_local:
        return
    await t.send_direct(
        forums.refusal(forum.uri, person.uri, fact.activity, fact.reason), forum.uri,
        person.shared_inbox or person.inbox, order_key=fact.activity, subject=fact.activity,
    )  # fmt: skip


TELLERS: dict[type[Fact], Callable[[Telling, Any], Awaitable[None]]] = {
    ThreadPosted: _posted,
    ReplyPosted: _posted,
    PostEdited: _edited,
    PostDeleted: _deleted,
    RemovalAsked: _deleted,
    Endorsed: _endorsed,
    EndorsementWithdrawn: _endorsed,
    ThreadLocked: _locked,
    ThreadPinned: _pinned,
    StewardNamed: _steward_named,
    ForumChanged: _forum_changed,
    ForumFollowed: _followed,
    ForumLeft: _left,
    FollowerAccepted: _follower_accepted,
    FollowerRejected: _follower_rejected,
    FollowerLeft: _follower_left,
    ActivityRefused: _refused,
}


async def tell_waiting(wire: Wire) -> int:
    """Tell the facts that wait, one transaction each; answers how many were told."""
    instance = wire.instance
    async with instance.reading() as session:
        waiting = await facts_storage.waiting(session, instance.clock.now())
    told = 0
    for row in waiting:
        try:
            await _tell(wire, row.id)
            told += 1
        except Exception as error:  # the outermost loop: one bad fact must not stop the rest
            logger.error("fact not told", fact=row.kind, id=row.id, exc_info=error)
            async with instance.transaction() as tx:
                held = await tx.session.get_one(FactRow, row.id)
                held.attempts += 1
                held.error = f"{type(error).__name__}: {error}"[:500]
                held.next_try = tx.now + timedelta(seconds=min(3_600, 5 * 2**held.attempts))
                if held.attempts >= MOST_ATTEMPTS:
                    held.done = tx.now
    return told


async def _tell(wire: Wire, row_id: int) -> None:
    async with wire.instance.transaction() as tx:
        await log.lock(tx.session)
        row = await tx.session.get_one(FactRow, row_id, with_for_update=True)
        if row.done is not None:
            return
        fact = unpack(row.kind, row.payload)
        teller = TELLERS.get(type(fact))
        if teller is not None:
            await teller(Telling(wire, tx, row.received), fact)
        row.done = tx.now
