# SPDX-License-Identifier: Apache-2.0
"""What the federation side of one instance stands on."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, TypeVar

from federation.errors import Forbidden, StatusError
from federation.fetch import Document, Door, Headers, Response, Signer
from federation.fetch.pace import await_turn, heed
from federation.keyring import RSA, Held, Keyring
from federation.level import Level
from federation.signatures.keys import SigningKey
from federation.signatures.sign import Prepared, prepare_draft, prepare_rfc9421
from federation.signed import Signed
from federation.urls import Urls, host_of_uri, main_key
from federation.vocabulary.errors import Malformed
from federation.vocabulary.reader import read
from server.instance import Instance
from server.members.accounts import add_keys
from server.peers import Decision
from server.rulebook import Rulebook
from storage import keys
from storage.keys import ActorKey

VERSION = "0.1.0"
MOST_HOSTS = 2_000


Found = TypeVar("Found", covariant=True)


class _Fetch(Protocol[Found]):
    async def __call__(self, url: str, *, sign: Signer | None, deadline: float) -> Found: ...


class Wire:
    """The instance with its door outward and its keys."""

    def __init__(self, instance: Instance, door: Door | None = None) -> None:
        self.instance = instance
        self.urls = Urls(instance.settings.origin)
        self.keyring = Keyring(instance.vault, instance.clock)
        self.signed = Signed()
        self.level = Level(instance)
        self.door = door or Door(
            resolve=_resolved(instance.settings.resolve),
            user_agent=f"Guildhall/{VERSION} (+{instance.settings.origin})",
            parse=_parsed,
        )
        self.rulebook = Rulebook(instance.database, instance.settings.federates)
        self._looking: dict[str, asyncio.Task[Held]] = {}
        self._own_key: SigningKey | None = None
        self._opened = False
        # Hosts that say they take the newer signature, or answered no other.
        self._rfc9421: OrderedDict[str, None] = OrderedDict()

    async def open(self) -> None:
        """Make the instance actor's keys at the first start."""
        if self._opened:
            return
        self._opened = True
        actor = self.urls.instance
        async with self.instance.reading() as session:
            present = bool(await keys.of_owner(session, actor))
        if not present:
            pair = await self.instance.vault.new_pair()
            async with self.instance.transaction() as tx:
                if await tx.session.get(ActorKey, main_key(actor)) is None:
                    add_keys(tx, actor, pair)

    async def close(self) -> None:
        await self.door.close()

    async def signer(self, actor: str | None = None, *, rfc9421: bool = False) -> Signer:
        """Signs requests as one of our actors; by default as the instance itself."""
        prepare = await self.preparer(actor, rfc9421=rfc9421)

        def headers(method: str, url: str, body: bytes | None) -> Mapping[str, str]:
            return prepare(method, url, body).signed()

        return headers

    async def preparer(
        self,
        actor: str | None = None,
        *,
        rfc9421: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> Callable[[str, str, bytes | None], Prepared]:
        """Makes requests ready to be signed as one of our actors; NoKey when it is gone.

        `extra` are headers that are sent along.
        """
        owner = actor or self.urls.instance
        held = self.keyring.held(owner, RSA) or await self._key_of(owner)
        key, key_id = held.key, held.key_id
        prepare = prepare_rfc9421 if rfc9421 else prepare_draft
        clock = self.instance.clock
        return lambda method, url, body: prepare(
            method=method,
            url=url,
            body=body,
            key=key,
            key_id=key_id,
            now=clock.now(),
            extra=extra,
        )

    async def _key_of(self, owner: str) -> Held:
        """The key of an actor, looked for once however many are about to sign with it."""
        looking = self._looking.get(owner)
        if looking is None:
            looking = self._looking[owner] = asyncio.create_task(self._read_key(owner))
            looking.add_done_callback(partial(self._looked, owner))
        return await asyncio.shield(looking)

    def _looked(self, owner: str, task: asyncio.Task[Held]) -> None:
        self._looking.pop(owner, None)
        if not task.cancelled():
            # Whoever asked may have left by now: its failure is nobody's then.
            task.exception()

    async def _read_key(self, owner: str) -> Held:
        async with self.instance.knowing(keys.ahead(owner, RSA)) as session:
            return await self.keyring.of(session, owner, RSA)

    async def answered(self, host: str) -> None:
        """A host has answered us, which whoever has something waiting for it wants to know."""

    async def judge(self, host: str) -> Decision:
        """What policy says of a host now."""
        return await self.rulebook.judge(host, self.instance.clock.now())

    async def must_be_allowed(self, uri: str) -> None:
        """Forbidden unless policy lets us talk with the host of `uri`."""
        decision = await self.judge(host_of_uri(uri))
        if not decision.allowed:
            raise Forbidden(decision.because)

    async def document(self, uri: str, *, deadline: float = 10.0) -> Document:
        """An ActivityPub document of an allowed host, fetched with a signed GET."""
        await self.must_be_allowed(uri)
        return await self._knocking(uri, deadline, self.door.document)

    async def key_document(self, uri: str, *, deadline: float = 10.0) -> Document:
        """A document about a key; it speaks for the origin it came from only."""
        await self.must_be_allowed(uri)
        return await self._knocking(uri, deadline, self.door.key_document)

    async def answer(
        self, uri: str, *, accept: str, headers: Headers, deadline: float = 10.0
    ) -> Response:
        """What an allowed host answers a signed GET with these headers, 304 included.

        Nothing is known yet of whether it may be believed.
        """
        await self.must_be_allowed(uri)

        async def fetch(url: str, *, sign: Signer | None, deadline: float) -> Response:
            return await self.door.get(
                url, accept=accept, sign=sign, headers=headers, deadline=deadline
            )

        return await self._knocking(uri, deadline, fetch)

    async def _knocking(self, uri: str, deadline: float, fetch: _Fetch[Found]) -> Found:
        """The signature a host is known to take, the draft's at first; then the other, once."""
        host = host_of_uri(uri)
        rfc9421 = host in self._rfc9421
        try:
            return await self._politely(uri, deadline, fetch, rfc9421=rfc9421)
        except StatusError as error:
            if error.status not in {400, 401}:
                raise
        found = await self._politely(uri, deadline, fetch, rfc9421=not rfc9421)
        self.learned(host, rfc9421=not rfc9421)
        return found

    def learned(self, host: str, *, rfc9421: bool) -> None:
        """Which signature a host takes: it says so (FEP-844e), or took no other."""
        self._rfc9421.pop(host, None)
        if rfc9421:
            self._rfc9421[host] = None
            while len(self._rfc9421) > MOST_HOSTS:
                self._rfc9421.popitem(last=False)

    async def _politely(
        self, uri: str, deadline: float, fetch: _Fetch[Found], *, rfc9421: bool
    ) -> Found:
        """One request, at the pace that is kept for what nobody waits for."""
        host = host_of_uri(uri)
        await await_turn(host)
        try:
            return await fetch(uri, sign=await self.signer(rfc9421=rfc9421), deadline=deadline)
        except StatusError as error:
            heed(host, error)
            raise

    async def plain(
        self, url: str, *, accept: str, deadline: float = 10.0, unlisted: bool = False
    ) -> Response:
        """A WebFinger or NodeInfo answer of an allowed host.

        `unlisted` is for an admin who opens a knock, and wants to know who that is.
        """
        if not unlisted:
            await self.must_be_allowed(url)
        return await self.door.get(
            url, accept=accept, sign=await self.signer(), max_bytes=100_000, deadline=deadline
        )


def _parsed(raw: bytes) -> dict[str, object]:
    try:
        return read(raw)
    except Malformed as error:
        raise ValueError(str(error)) from error


def _resolved(setting: Mapping[str, str]) -> dict[str, tuple[str, int | None]]:
    """`host -> (ip, port or None)` as the door wants it."""
    found: dict[str, tuple[str, int | None]] = {}
    for host, target in setting.items():
        ip, colon, port = target.rpartition(":")
        found[host] = (ip, int(port)) if colon and port.isdecimal() else (target, None)
    return found
