# SPDX-License-Identifier: Apache-2.0
"""One entry on its way to one inbox."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from federation.delivery.bodies import Bodies
from federation.delivery.health import Health, Origin
from federation.delivery.leases import Leases
from federation.delivery.settling import Settling
from federation.delivery.signing import Signing
from federation.delivery.visibility import ASKED_EVERY, Visibilities
from federation.delivery.windows import Slots
from federation.errors import StatusError, WireError
from federation.fetch import Response, retry_after
from federation.followers import claims
from federation.followers.telling import Told
from federation.keyring import NoKey
from federation.wire import Wire
from server.peers import Decision
from server.rulebook import Rules
from server.software import takes
from storage.forums import FEDERATED, Visibility
from storage.lanes import Item, Work
from storage.log import Form

logger = structlog.get_logger("guildhall.delivery")
AGAIN = {401, 403, 408, 429}
OUTAGE = {429, 502, 503, 504}
DEADLINE = 10.0
DONE, REFUSED, LATER, DOUBTFUL, DOWN = "done", "refused", "later", "doubtful", "down"


@dataclass(frozen=True)
class Outcome:
    """How one sending ended: done, final refusal, for itself later, or the peer is down.

    Doubtful is what the peer fails at for now, perhaps as at everything; `is_broken` where it
    says that the fault is its own.
    """

    kind: str
    detail: str = ""
    is_broken: bool = False


@dataclass
class Office:
    """What all sendings of this process share.

    `crashed` is called with what a fault of ours was met at, and the fault.
    """

    wire: Wire
    health: Health
    slots: Slots
    signing: Signing
    settling: Settling
    bodies: Bodies
    told: Told
    visibilities: Visibilities
    leases: Leases
    crashed: Callable[[str, Exception], None]
    _rules: Rules | None = None
    _asked: float = 0.0

    async def rules(self) -> Rules:
        """The rules in force, to decide about hosts at this moment.

        Where they must be asked for (PostgreSQL), those asked for at most ASKED_EVERY ago count.
        """
        rulebook, now = self.wire.rulebook, asyncio.get_running_loop().time()
        rules = rulebook.at_once()
        if rules is None:
            if self._rules is None or not 0 <= now - self._asked < ASKED_EVERY:
                self._rules, self._asked = await rulebook.rules(), now
            rules = self._rules
        return rules

    async def judge(self, host: str) -> Decision:
        """What policy says of a host."""
        rules, instance = await self.rules(), self.wire.instance
        return rules.decide(instance.settings.federates, host, instance.clock.now())


_DONE = Outcome(DONE)


def _kept_back(item: Item) -> Outcome:
    """What our own rules keep from being sent.

    What one of us says to a home that is off the list for now waits, since nobody else can say
    it; what a forum tells its followers they find out by themselves once they are listed again.
    """
    if item.form == Form.DIRECT:
        return Outcome(LATER, "Our own rules keep this from being sent.")
    return Outcome(REFUSED, "policy")


def is_compared(origin: Origin, item: Item) -> bool:
    """Whether a forum says this itself to software that may count its followers otherwise."""
    return not origin.is_guildhall and item.form != Form.DIRECT and item.signer == item.audience


def may_go(item: Item, decision: Decision, origin: Origin, visibility: str | None) -> bool:
    """Policy and visibility, asked again at the moment of sending; None is no forum of ours."""
    if not decision.allowed:
        return False
    closed = item.closed
    if item.form != Form.DIRECT:
        if visibility is not None and visibility not in FEDERATED:
            return False
        closed = closed or visibility == Visibility.AGENCIES
    return not closed or (decision.explicit and origin.is_guildhall)


def is_taken(status: int) -> bool:
    """Whether a status says that the peer has it.

    A conflict says that this very request has come before: a repeat after a crash.
    """
    return 200 <= status < 300 or status == HTTPStatus.CONFLICT


class Courier:
    """Sends the entries of one lane, and counts what came of it; `taken` is called for answers.

    `last_refusal` is what the peer itself said; what we could not send is in `refused` only.
    `first` is what came of a first try that was made before: an answer, or why there is none.
    """

    def __init__(
        self,
        office: Office,
        work: Work,
        origin: Origin,
        taken: Callable[[], None],
        first: Response | WireError | None = None,
    ) -> None:
        self._first = first
        self._taken = taken
        self._office = office
        self._work = work
        self._origin = origin
        self.delivered = 0
        self.refused = 0
        self.last_refusal = ""

    async def send(self, item: Item) -> Outcome:
        """Send one entry, if it still may go and the peer understands it."""
        if not takes(self._origin.profile, item.form):
            return _DONE
        try:
            async with self._office.slots.place():
                body = await self._office.bodies.body(item.body_id)
                if body is None:
                    return _DONE
                if not await self._may_go(item):
                    return _kept_back(item)
                response = await self._post(item, body)
        except NoKey:
            return self._keep("The actor who signs this is gone.")
        except StatusError as error:
            return await self._judge(error.status, str(error), error.retry_after)
        except WireError as error:
            if error.permanent:
                return self._keep(str(error))
            return await self.down(str(error))
        if is_taken(response.status):
            self.delivered += 1
            await self._answered()
            return _DONE
        said = response.body[:300].decode("utf-8", "replace").strip()
        return await self._judge(
            response.status, f"{response.status} {said}", retry_after(response.headers)
        )

    async def _post(self, item: Item, body: bytes) -> Response:
        """The signature it is known to take, once the other where that is not understood.

        Of Guildhall both are known, and the draft's costs half.
        """
        modern = self._origin.is_asked_in_rfc9421
        first, self._first = self._first, None
        if isinstance(first, WireError):
            raise first
        response = first or await self._knock(item, body, rfc9421=modern)
        if response.status in {400, 401}:
            response = await self._knock(item, body, rfc9421=not modern)
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                await self._office.health.learned(self._origin, rfc9421=not modern)
        return response

    async def _knock(self, item: Item, body: bytes, *, rfc9421: bool) -> Response:
        sign = await self._signer(item, rfc9421=rfc9421)
        return await self._office.wire.door.post(
            self._work.inbox, body=body, sign=sign, deadline=DEADLINE
        )

    async def _signer(
        self, item: Item, *, rfc9421: bool
    ) -> Callable[[str, str, bytes | None], Awaitable[Mapping[str, str]]]:
        extra = await self._compared(item)
        prepare = await self._office.wire.preparer(item.signer, rfc9421=rfc9421, extra=extra)

        async def headers(method: str, url: str, body: bytes | None) -> Mapping[str, str]:
            return await self._office.signing.headers(prepare(method, url, body))

        return headers

    async def _compared(self, item: Item) -> dict[str, str]:
        """What has other software compare its list of followers with ours (FEP-8fcf)."""
        if not is_compared(self._origin, item):
            return {}
        value = await self._office.told.header(item.signer, self._origin.host)
        return {claims.NAME: value} if value else {}

    async def _may_go(self, item: Item) -> bool:
        decision = await self._office.judge(self._origin.host)
        visibilities = await self._office.visibilities.of([item.audience])
        return may_go(item, decision, self._origin, visibilities[item.audience])

    async def _judge(self, status: int, detail: str, wait: float | None) -> Outcome:
        if status in OUTAGE:
            return await self.down(detail, wait)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return Outcome(DOUBTFUL, f"It leads elsewhere: {detail}")
        is_broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if is_broken or status in AGAIN:
            return Outcome(DOUBTFUL, detail, is_broken)
        await self._answered()
        return self._refuse(detail)

    def _keep(self, detail: str) -> Outcome:
        """What cannot be sent at all is over like a refusal, but is no word of the peer's."""
        self.refused += 1
        logger.warning("delivery impossible", inbox=self._work.inbox, detail=detail[:200])
        return Outcome(REFUSED, detail)

    def _refuse(self, detail: str) -> Outcome:
        """The peer has said no for good."""
        self.refused += 1
        self.last_refusal = detail
        logger.warning("delivery refused", inbox=self._work.inbox, detail=detail[:200])
        return Outcome(REFUSED, detail)

    async def _answered(self) -> None:
        await self._office.health.succeeded(self._origin)
        self._taken()

    async def down(self, detail: str, wait: float | None = None) -> Outcome:
        """The peer is down: the whole lane waits, nothing is parked."""
        await self._office.health.failed(self._origin, detail, wait)
        return Outcome(DOWN, detail)
