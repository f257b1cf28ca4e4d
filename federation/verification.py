# SPDX-License-Identifier: Apache-2.0
"""Who really sent a request: its signature, with keys resolved."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from federation.actors import Actors, KnownKey
from federation.askers import Asker, asker
from federation.errors import StatusError, Unreachable, WireError
from federation.fetch.allowance import MOST_KEPT_TO_VERIFY, MOST_TO_VERIFY, Allowance, limited
from federation.signatures.errors import SignatureRefused
from federation.signatures.proofs import check_proof, proof_method
from federation.signatures.request import Request
from federation.signatures.verify import Claim, check, claimed_host, read_claim
from federation.urls import host_of_uri
from federation.wire import Wire
from server import peers
from server.errors import Refusal
from server.peers import Decision

# Asked twice at most, and then for NodeInfo: ten seconds together.
PATIENCE = 3.0
Found = TypeVar("Found")


class Unverified(Refusal):
    """The request's signature could not be verified."""

    def __init__(self, message: str, status: int = 401, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


@dataclass(slots=True)
class Verified:
    """Who signed: the actor, its host, the key, and a digest that names this very request.

    `covered`: the lower-case names of the headers that the signature covers. `was_asked_for`: time
    has passed, since the key was not at hand.
    """

    actor: str
    host: str
    key_id: str
    digest: str
    covered: tuple[str, ...] = ()
    was_asked_for: bool = False


class Verifier:
    """Checks requests and proofs against the keys of their claimed signers."""

    def __init__(self, wire: Wire, actors: Actors) -> None:
        self._wire = wire
        self._actors = actors
        self._own_hosts = frozenset({wire.instance.settings.host})

    def claimed_host(self, request: Request) -> str:
        """The host that a request says it is of; Unverified when it says none."""
        try:
            return claimed_host(request)
        except SignatureRefused as error:
            raise Unverified(str(error), error.status) from error

    async def request(self, request: Request, now: datetime | None = None) -> Verified:
        """Who signed this request; Unverified with one sentence when that is not shown."""
        was_asked_for = False
        try:
            now = now or self._wire.instance.clock.now()
            claim = read_claim(request, now=now, own_hosts=self._own_hosts)
            held = self._actors.held(claim.key_id, now)
            if held is not None and _is_by(claim, held):
                owner = held.owner
            else:
                was_asked_for = True
                allowance = Allowance(
                    MOST_TO_VERIFY, room=MOST_KEPT_TO_VERIFY, requests=MOST_TO_VERIFY
                )
                with limited(allowance):
                    owner = await self._asked_for(claim, held)
        except SignatureRefused as error:
            raise Unverified(str(error), error.status) from error
        except WireError as error:
            raise _unresolved(error) from error
        return Verified(
            owner, host_of_uri(owner), claim.key_id, claim.digest, claim.covered, was_asked_for
        )

    async def _asked_for(self, claim: Claim, held: KnownKey | None) -> str:
        """Whose claim it is, by a key that is stored or fetched.

        One that is held and does not fit may have been rotated: it is asked for once more.
        """
        if held is None:
            known = await _patiently(self._actors.key(claim.key_id))
            if _is_by(claim, known):
                return known.owner
        fresh = await _patiently(self._actors.fresh_key(claim.key_id))
        if fresh is None:
            raise SignatureRefused("The signature does not match the key.")
        check(claim, fresh.key)
        return fresh.owner

    async def signer(self, verified: Verified, decision: Decision | None) -> Asker:
        """Who signed a request; a peer of whom nobody knows what it runs is asked first.

        `decision`: what policy says of this very host, or None where it is to be asked now.
        """
        host = verified.host
        async with self._wire.instance.knowing(peers.ahead(host)) as session:
            is_met = await peers.is_described(session, host)
            is_agency = await peers.is_guildhall(session, host)
        if not is_met and await self._actors.learn(host):
            return await asker(self._wire, host, verified.actor)
        if decision is None:
            decision = await self._wire.judge(host)
        return Asker(host, decision.allowed, decision.explicit and is_agency, verified.actor)

    async def proof(self, document: dict[str, object], actor: str) -> str | None:
        """The id of the actor's key whose proof (FEP-8b32) the document carries, if it holds.

        Raises a WireError while the key cannot be had: whether it holds is then not known.
        """
        try:
            method = proof_method(document)
            if method is None:
                return None
            known = await self._actors.key(method)
            if known.owner != actor:
                return None
            check_proof(document, known.key, now=self._wire.instance.clock.now())
        except SignatureRefused:
            return None
        except WireError as error:
            if not error.permanent:
                raise
            return None
        return method


def _is_by(claim: Claim, known: KnownKey) -> bool:
    try:
        check(claim, known.key)
    except SignatureRefused:
        return False
    return True


async def _patiently(asking: Awaitable[Found]) -> Found:
    """What somebody's server is asked while they wait: a connection is not held for long.

    The question goes on by itself, so that whoever comes again finds it answered.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            return await asking
    except TimeoutError:
        raise Unverified("Your key takes long to be had: come again.", 503, 10) from None


def _unresolved(error: WireError) -> Unverified:
    if isinstance(error, StatusError) and error.status == 429:
        return Unverified("Too many keys of your host were asked for: try later.", 429, 60)
    sentence = f"The key of the signature could not be had: {error}"
    if isinstance(error, Unreachable) or (isinstance(error, StatusError) and error.status >= 500):
        # To some servers a 401 is final, and this may be over in a minute.
        return Unverified(sentence, 503, 60)
    return Unverified(sentence, 401)
