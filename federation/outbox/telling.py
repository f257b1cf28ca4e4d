# SPDX-License-Identifier: Apache-2.0
"""One fact being told: signing, storing, appending to the log."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from federation import forums
from federation.keyring import ED25519
from federation.members import moment
from federation.outbox import needs
from federation.signatures.proofs import add_proof
from federation.urls import host_of_uri
from federation.wire import Wire
from server import peers
from server.transaction import Transaction
from storage import log, members
from storage.forums import FEDERATED, Forum, Visibility
from storage.log import ActivityBody, Entry, Form, Lane
from storage.members import Member
from storage.passing import PassingBody
from storage.posts import Post


@dataclass
class Telling:
    """One fact being told."""

    wire: Wire
    tx: Transaction
    received: int | None

    async def sign(self, actor: str, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the actor's proof (FEP-8b32)."""
        held = await self.wire.keyring.of(self.tx.session, actor, ED25519)
        return add_proof(document, key=held.key, method=held.key_id, created=self.tx.now)

    async def append(
        self,
        raw: str,
        entries: Sequence[tuple[Entry, Sequence[int]]],
        *,
        passing: bool = False,
    ) -> None:
        """Append an activity in some forms, each with the lanes it names; its bytes stand once."""
        row = ActivityBody(id=self.tx.ids.next(), body=raw, subject=entries[0][0].subject)
        self.tx.session.add(row)
        await self.tx.session.flush()
        for entry, lanes in entries:
            seq = await log.append(self.tx.session, entry, row.id, self.tx.now, lanes)
            if passing and seq is not None:
                self.tx.session.add(PassingBody(seq=seq, body_id=row.id))

    async def lane(self, inbox: str) -> Lane:
        """The lane to an inbox, looked for once in a transaction."""
        known: dict[str, Lane] = self.tx.session.info.setdefault("lanes", {})
        if inbox not in known:
            known[inbox] = await self._lane(inbox)
        return known[inbox]

    async def _lane(self, inbox: str) -> Lane:
        host = host_of_uri(inbox)
        await peers.seen(self.tx, host, "/".join(inbox.split("/")[:3]))
        return await log.lane_to(self.tx.session, inbox, host, self.tx.ids.next(), self.tx.now)

    async def send_direct(
        self,
        document: dict[str, Any],
        signer: str,
        inbox: str,
        *,
        order_key: str,
        subject: str,
        also: Sequence[int] = (),
        passing: bool = False,
    ) -> None:
        """One activity to one inbox; `also` are other lanes that it goes to.

        Of one that is `passing` nothing but its id stays here once it was delivered.
        """
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
        await self.append(raw, [(entry, [lane.id, *also])], passing=passing)

    async def announce(
        self,
        forum: Forum,
        raw: str,
        *,
        post: Post,
        order_key: str,
        follows: bool,
        form: Form = Form.WRAPPED,
        actor: Member | None = None,
    ) -> None:
        """Announce an activity, as it was received or made, to everyone who follows.

        `actor` is whose activity it most likely is, where that person is at hand.
        """
        inner = orjson.loads(raw)
        is_public = forum.visibility == Visibility.PUBLIC
        head = forums.announce_head(forum.uri, str(inner["id"]), is_public=is_public)
        signed = await self.sign(forum.uri, head | {"object": inner})
        del signed["object"]
        # The inner bytes go on exactly as they came.
        whole = f'{orjson.dumps(signed).decode()[:-1]},"object":{raw}}}'
        entry = Entry(
            form=form,
            activity_id=str(head["id"]),
            signer=forum.uri,
            order_key=order_key,
            audience=forum.uri,
            subject=post.uri,
            follows_subject=follows,
            closed=not is_public,
        )
        await self.append(whole, [(entry, await self._author_lane(forum, post, inner, actor))])

    async def _author_lane(
        self, forum: Forum, post: Post, inner: dict[str, Any], actor: Member | None
    ) -> list[int]:
        """The actor's own host gets the receipt, follower or not."""
        uri = str(inner.get("actor", ""))
        person = actor
        if person is None and post.author_id:
            # Mostly the author of the post, who is at hand; what stands for a forum has none.
            person = await self.tx.session.get(Member, post.author_id)
        if person is None or person.uri != uri:
            person = await members.by_uri(self.tx.session, uri)
        if person is None or person.is_local:
            return []
        lane = await self.lane(person.shared_inbox or person.inbox)
        held = await log.open_subscription(self.tx.session, forum.uri, lane.id)
        return [] if held is not None else [lane.id]

    async def boost(self, forum: Forum, post: Post) -> None:
        """Announce an opener by its id, where a follower may need that form."""
        if forum.visibility != Visibility.PUBLIC:
            return
        if await needs.is_wanted(self.tx.session, forum, Form.BOOST):
            published = moment(post.published)
            await self._point(forums.boost(forum.uri, post.id, post.uri, published), forum, post)

    async def undo_boost(self, forum: Forum, post: Post) -> None:
        """Take a boost back, where one was sent: whoever got it hears of that too."""
        published = moment(post.published)
        document = forums.undo_boost(forum.uri, post.id, post.uri, published)
        if await needs.was_boosted(self.tx.session, document["object"]["id"]):
            await self._point(document, forum, post, follows=True)

    async def _point(
        self, document: dict[str, Any], forum: Forum, post: Post, *, follows: bool = False
    ) -> None:
        raw = orjson.dumps(await self.sign(forum.uri, document)).decode()
        entry = Entry(
            form=Form.BOOST,
            activity_id=str(document["id"]),
            signer=forum.uri,
            order_key=post.uri,
            audience=forum.uri,
            subject=post.uri,
            follows_subject=follows,
        )
        await self.append(raw, [(entry, ())])

    async def tell_about(
        self,
        post: Post,
        make: Callable[[], Awaitable[dict[str, Any]]],
        *,
        actor: Member,
        follows: bool,
        bare: Form | None = None,
        named: Sequence[Member] = (),
    ) -> None:
        """Send a deed about a post to where it belongs.

        At the home it is announced (as received, or as made for a member of ours); at a copy
        a member's own deed goes to the home, and nothing else goes anywhere. `bare` is the form
        in which it also goes as it is to who takes no announcement, and to those `named` in it.
        """
        forum = await self.tx.session.get_one(Forum, post.forum_id)
        if forum.visibility not in FEDERATED:
            return
        opener = post if post.is_thread else await self.tx.session.get_one(Post, post.thread_id)
        others: list[int] = []
        if bare is not None and actor.is_local and forum.visibility == Visibility.PUBLIC:
            others = await self._lanes(await needs.listeners(self.tx, named))
            if bare == Form.AUTHOR:
                others += await self._holders(post, forum, actor)
        if not forum.is_local:
            if actor.is_local:
                await self.send_direct(
                    await make(), actor.uri, forum.shared_inbox or forum.inbox,
                    order_key=opener.uri, subject=post.uri, also=others,
                )  # fmt: skip
            return
        raw = await self.as_received()
        if raw is None:
            if not actor.is_local:
                return
            raw = orjson.dumps(await self.sign(actor.uri, await make())).decode()
        await self.announce(
            forum, raw, post=post, order_key=opener.uri, follows=follows, actor=actor
        )
        if bare is not None and actor.is_local:
            await self._say(forum, post, raw, order_key=opener.uri, form=bare, others=others)

    async def withdraw(self, post: Post, author: Member, document: dict[str, Any]) -> None:
        """Delete in the name of an author of ours, whose post somebody else removed.

        Software that takes no announcement takes this from nobody but the author.
        """
        forum = await self.tx.session.get_one(Forum, post.forum_id)
        if forum.visibility != Visibility.PUBLIC:
            return
        opener = post if post.is_thread else await self.tx.session.get_one(Post, post.thread_id)
        others = set(await self._holders(post, forum, author))
        form = Form.AUTHOR
        if not forum.is_local:
            form = Form.DIRECT
            others.discard((await self.lane(forum.shared_inbox or forum.inbox)).id)
        raw = orjson.dumps(await self.sign(author.uri, document)).decode()
        await self._say(forum, post, raw, order_key=opener.uri, form=form, others=sorted(others))

    async def _holders(self, post: Post, forum: Forum, author: Member) -> list[int]:
        """The lanes to who got a post from its author's server itself, sent or fetched."""
        sent = await needs.holders(self.tx.session, post.uri, author.uri)
        lanes, inboxes = await needs.fetchers(self.tx, post, forum)
        return [*sent, *lanes, *await self._lanes(inboxes)]

    async def _lanes(self, inboxes: Sequence[str]) -> list[int]:
        return [(await self.lane(inbox)).id for inbox in inboxes]

    async def _say(
        self,
        forum: Forum,
        post: Post,
        raw: str,
        *,
        order_key: str,
        form: Form,
        others: Sequence[int],
    ) -> None:
        """Append the bare activity of an author of ours, in the forms that anybody needs."""
        if forum.visibility != Visibility.PUBLIC:
            return
        changes = form == Form.AUTHOR
        forms: list[tuple[Form, Sequence[int]]] = []
        if form != Form.DIRECT and (
            (changes and others)
            or await needs.is_wanted(self.tx.session, forum, form, ever=changes)
        ):
            forms.append((form, others if changes else ()))
        if others and not changes:
            forms.append((Form.DIRECT, others))
        inner = orjson.loads(raw)
        entries = [
            (
                Entry(
                    form=one,
                    activity_id=str(inner["id"]),
                    signer=str(inner["actor"]),
                    order_key=order_key,
                    audience=forum.uri,
                    subject=post.uri,
                    follows_subject=changes,
                ),
                lanes,
            )
            for one, lanes in forms
        ]
        if entries:
            await self.append(raw, entries)

    async def as_received(self) -> str | None:
        """The bytes of what was received, where that is told on."""
        if self.received is None:
            return None
        row = await self.tx.session.get(ActivityBody, self.received)
        return row.body if row is not None else None
