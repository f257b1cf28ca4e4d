# SPDX-License-Identifier: Apache-2.0
"""Actors elsewhere: fetched, checked both ways, remembered with keys."""

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from federation import discovery
from federation.authority import same_origin
from federation.errors import BadAnswer, Busy, Unreachable, WireError
from federation.forums import forum_card
from federation.members import person_card
from federation.origins import is_asked_at
from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import VerificationKey
from federation.urls import host_of_uri, without_fragment
from federation.vocabulary.actors import Actor, PublicKey, parse_actor
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import url_id_of
from federation.wire import Wire
from server import peers
from server.forums import elsewhere as forums_elsewhere
from server.members import elsewhere as members_elsewhere
from server.transaction import Transaction
from storage import forums, keys, members, plain
from storage.base import insert
from storage.forums import Forum
from storage.keys import ActorKey
from storage.members import Member
from storage.peers import Peer

STALE = timedelta(days=1)
KEY_RETRY = timedelta(minutes=1)
# Of a server that is down: it may be starting at this moment, with deliveries behind it.
KEY_RETRY_SOON = timedelta(seconds=3)
KEY_HELD = timedelta(minutes=5)
FETCHES_A_HOST = 30
FETCH_WINDOW = timedelta(minutes=1)
MOST_KEYS_HELD = 5_000
MOST_HOSTS_HELD = 2_000
MEETING_SECONDS = 3.0
PEOPLE = frozenset({"Person", "Service", "Application", "Organization"})


@dataclass(frozen=True)
class KnownKey:
    """A public key, the actor it speaks for, and since when it is held."""

    key: VerificationKey
    owner: str
    since: datetime


class Actors:
    """Keys and actors of other origins; fetches are coalesced and limited per host."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._keys: OrderedDict[str, KnownKey] = OrderedDict()
        self._refused: OrderedDict[str, datetime] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[KnownKey]] = {}
        self._met: OrderedDict[str, datetime] = OrderedDict()
        self._fetches: OrderedDict[str, deque[datetime]] = OrderedDict()
        # Hosts whose word on signatures was taken: what they then take counts for more.
        self._declared: OrderedDict[str, None] = OrderedDict()

    async def key(self, key_id: str) -> KnownKey:
        """The key with this id: held, stored, or fetched once from its origin."""
        held = self.held(key_id)
        if held is not None:
            return held
        async with self._wire.instance.reading() as session:
            row = await plain.found(session, ActorKey, key_id)
        if row is not None and row.retired is None:
            return self._hold(key_id, _known(row, self._wire.instance.clock.now()))
        return await self.fetch_key(key_id)

    def held(self, key_id: str, now: datetime | None = None) -> KnownKey | None:
        """The key if it is in memory and was read not long ago.

        Another process may have learned since that it was rotated: no key is held for ever.
        """
        known = self._keys.get(key_id)
        if known is None:
            return None
        if (now or self._wire.instance.clock.now()) - known.since > KEY_HELD:
            del self._keys[key_id]
            return None
        self._keys.move_to_end(key_id)
        return known

    async def is_known(self, key_id: str) -> bool:
        """Whether the key is held or stored, without asking anybody."""
        if key_id in self._keys:
            return True
        async with self._wire.instance.reading() as session:
            return await plain.found(session, ActorKey, key_id) is not None

    async def fresh_key(self, key_id: str) -> KnownKey | None:
        """The key asked for again, at most once a minute: it may have been rotated."""
        async with self._wire.instance.reading() as session:
            row = await plain.found(session, ActorKey, key_id)
        now = self._wire.instance.clock.now()
        if row is None or row.sealed is not None or now - row.checked < KEY_RETRY:
            return None
        return await self.fetch_key(key_id)

    async def fetch_key(self, key_id: str) -> KnownKey:
        """Ask the key's origin, one question at a time for each key."""
        now = self._wire.instance.clock.now()
        again = self._refused.get(key_id)
        if again is not None and now < again <= now + KEY_RETRY:
            host = host_of_uri(key_id)
            raise Unreachable("The key could not be had a moment ago.", host=host)
        task = self._fetching.get(key_id)
        if task is None:
            self._must_be_few(host_of_uri(key_id))
            task = asyncio.create_task(self._fetch_key(key_id))
            self._fetching[key_id] = task
            task.add_done_callback(partial(self._fetched, key_id))
        try:
            return await asyncio.shield(task)
        except WireError as error:
            self._refused[key_id] = now + (KEY_RETRY if error.permanent else KEY_RETRY_SOON)
            while len(self._refused) > MOST_KEYS_HELD:
                self._refused.popitem(last=False)
            raise

    def _fetched(self, key_id: str, task: asyncio.Task[KnownKey]) -> None:
        self._fetching.pop(key_id, None)
        if not task.cancelled():
            # Whoever asked may have left by now: its failure is nobody's then.
            task.exception()

    def _must_be_few(self, host: str) -> None:
        """At most FETCHES_A_HOST key fetches per host and minute."""
        now = self._wire.instance.clock.now()
        times = self._fetches.setdefault(host, deque())
        self._fetches.move_to_end(host)
        while times and now - times[0] > FETCH_WINDOW:
            times.popleft()
        while len(self._fetches) > MOST_HOSTS_HELD:
            self._fetches.popitem(last=False)
        if len(times) >= FETCHES_A_HOST:
            raise Busy(429, retry_after=FETCH_WINDOW.total_seconds())
        times.append(now)

    async def _fetch_key(self, key_id: str) -> KnownKey:
        document = await self._wire.key_document(without_fragment(key_id))
        owner = _owner_of(document.data)
        if owner is None or not same_origin(owner, key_id):
            raise BadAnswer("The key names no owner on its own origin.")
        data = document.data
        if not is_asked_at(owner, document.url):
            # A key document of its own: its owner must list the key (two-way link).
            data = (await self._wire.document(owner)).data
        actor = _parsed_actor(data)
        if actor.id != owner:
            raise BadAnswer("The key's owner answers under another id.")
        async with self._wire.instance.transaction() as tx:
            await remember_keys(tx, actor)
        self.forget(actor.id)
        for key in actor.keys:
            self._try_hold(key)
        found = self._keys.get(key_id)
        if found is None:
            raise BadAnswer("The owner does not list this key.")
        return found

    def _try_hold(self, key: PublicKey) -> None:
        try:
            now = self._wire.instance.clock.now()
            self._hold(key.id, KnownKey(_verification_key(key.kind, key.value), key.owner, now))
        except SignatureRefused:
            return

    def _hold(self, key_id: str, known: KnownKey) -> KnownKey:
        self._keys[key_id] = known
        while len(self._keys) > MOST_KEYS_HELD:
            self._keys.popitem(last=False)
        return known

    def forget(self, owner: str) -> None:
        """Drop the held keys of an actor, after its document was read anew."""
        for key_id in [key for key, known in self._keys.items() if known.owner == owner]:
            del self._keys[key_id]

    async def person(self, uri: str, *, fresh: bool = False, follower: bool = False) -> Member:
        """The person with this id, fetched when unknown or stale.

        A `follower` may also be a Group: forums of other software follow forums.
        """
        async with self._wire.instance.reading() as session:
            held = await members.by_uri(session, uri)
        if held is not None and (held.is_local or not (fresh or self._is_stale(held.fetched))):
            return held
        try:
            actor = await self.fetch(uri)
        except WireError:
            if held is None or fresh:
                raise
            return held
        if actor.type not in PEOPLE and not (follower and actor.type == "Group"):
            raise BadAnswer("This is not a person.")
        async with self._wire.instance.transaction() as tx:
            await remember_keys(tx, actor)
            await self._note_peer(tx, actor)
            return await members_elsewhere.remember(tx, person_card(actor))

    async def forum(self, uri: str, *, fresh: bool = False) -> Forum:
        """The forum with this id, fetched when unknown or stale."""
        async with self._wire.instance.reading() as session:
            held = await forums.by_uri(session, uri)
        if held is not None and (held.is_local or not (fresh or self._is_stale(held.fetched))):
            return held
        try:
            actor = await self.fetch(uri)
        except WireError:
            if held is None or fresh:
                raise
            return held
        if actor.type != "Group":
            raise BadAnswer("This is not a forum.")
        async with self._wire.instance.reading() as session:
            peer = await plain.found(session, Peer, host_of_uri(uri))
        async with self._wire.instance.transaction() as tx:
            await remember_keys(tx, actor)
            await self._note_peer(tx, actor)
            name = peer.name if peer else ""
            return await forums_elsewhere.remember(tx, forum_card(actor, name))

    async def fetch(self, uri: str) -> Actor:
        """An actor as its origin describes it now."""
        document = await self._wire.document(uri)
        actor = _parsed_actor(document.data)
        if not is_asked_at(actor.id, document.url) or actor.id != without_fragment(uri):
            # An address that leads on to somebody else's actor gives nobody their authority.
            raise BadAnswer("The actor answers under another id.")
        for inbox in (actor.inbox, actor.shared_inbox):
            if inbox is not None and not same_origin(inbox, actor.id):
                raise BadAnswer("The actor's inbox is on another origin.")
        self.forget(actor.id)
        return actor

    async def meet(self, host: str) -> None:
        """Learn what a new peer runs, which decides what it sees and is sent.

        Asked at most once a minute for each host; that nothing was learned is no error.
        """
        async with self._wire.instance.knowing(peers.ahead(host)) as session:
            is_known = await peers.is_described(session, host)
        if not is_known:
            await self.learn(host)

    async def learn(self, host: str) -> bool:
        """Ask a peer what it runs, at most once a minute; False when it was not asked."""
        now = self._wire.instance.clock.now()
        last = self._met.get(host)
        if last is not None and now - last < KEY_RETRY:
            return False
        self._met[host] = now
        while len(self._met) > MOST_HOSTS_HELD:
            self._met.popitem(last=False)
        with suppress(WireError):
            await discovery.describe(self._wire, host, deadline=MEETING_SECONDS)
        return True

    async def _note_peer(self, tx: Transaction, actor: Actor) -> None:
        """What an actor tells of its server: it has forums, it takes RFC 9421 (FEP-844e).

        The first tells how software that we do not know reads. Once told the second, a server
        that then takes the draft's signatures only is not told of it again by each actor.
        """
        host = host_of_uri(actor.id)
        if actor.type != "Group" and not actor.rfc9421:
            return
        peer = await peers.seen(tx, host, "/".join(actor.id.split("/")[:3]))
        peer.has_groups = peer.has_groups or actor.type == "Group"
        if actor.rfc9421 and host not in self._declared:
            self._declared[host] = None
            while len(self._declared) > MOST_HOSTS_HELD:
                self._declared.popitem(last=False)
            peer.speaks_rfc9421 = True
            self._wire.learned(host, rfc9421=True)

    def _is_stale(self, fetched: datetime | None) -> bool:
        return fetched is None or self._wire.instance.clock.now() - fetched > STALE


async def remember_keys(tx: Transaction, actor: Actor) -> None:
    """Store the keys an actor lists; those it no longer lists are retired."""
    listed = {key.id: key for key in actor.keys}
    for row in await keys.of_owner(tx.session, actor.id):
        if row.sealed is None and row.key_id not in listed:
            row.retired = row.retired or tx.now
    for key in listed.values():
        values = {
            "owner": actor.id,
            "kind": key.kind,
            "public": key.value,
            "checked": tx.now,
            "retired": None,
            "inbox": actor.shared_inbox or actor.inbox or "",
        }
        await tx.session.execute(
            insert(tx.session, ActorKey)
            .values(key_id=key.id, created=tx.now, label="", **values)
            .on_conflict_do_update(index_elements=["key_id"], set_=values)
        )


def _known(row: ActorKey, now: datetime) -> KnownKey:
    return KnownKey(_verification_key(row.kind, row.public), row.owner, now)


def _verification_key(kind: str, value: str) -> VerificationKey:
    if kind == "multikey":
        return VerificationKey.from_multikey(value)
    return VerificationKey.from_pem(value)


def _owner_of(data: dict[str, object]) -> str | None:
    """Whose key a document holds: the actor itself, or the owner a bare key names."""
    if "inbox" in data or "preferredUsername" in data:
        return url_id_of(data)
    embedded = data.get("publicKey")
    key = embedded if isinstance(embedded, dict) else data
    return url_id_of(key.get("owner", key.get("controller")))


def _parsed_actor(data: dict[str, object]) -> Actor:
    try:
        return parse_actor(data)
    except Malformed as error:
        raise BadAnswer(str(error)) from error
