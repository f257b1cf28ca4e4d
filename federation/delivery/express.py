# SPDX-License-Identifier: Apache-2.0
"""Single entries over connections that stand open: most of a fan-out."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

import structlog

from federation.delivery.health import Origin
from federation.delivery.sending import DEADLINE, Office, is_compared, is_taken, may_go
from federation.errors import Forbidden, WireError
from federation.fetch import ACTIVITY_JSON, Answer, OpenLine, Response
from federation.followers import claims
from federation.keyring import RSA, Held
from federation.signatures.sign import prepare_draft, prepare_rfc9421
from server.peers import Decision
from server.rulebook import Rules
from server.software import takes
from storage.lanes import Settled, Work

logger = structlog.get_logger("guildhall.delivery")
# What came of a sending that a lane's own turn has to make something of; None before any.
First = Response | WireError | None
Slowly = Callable[[Work, Origin, First], None]


class Parcel:
    """One entry on its way to one inbox."""

    __slots__ = ("_express", "body", "end", "line", "origin", "slot", "work")

    def __init__(
        self,
        express: "Express",
        work: Work,
        origin: Origin,
        line: OpenLine,
    ) -> None:
        self._express = express
        self.work, self.origin = work, origin
        self.line = line
        self.slot = express.office.slots.place()
        self.body, self.end = b"", 0.0

    def let_in(self) -> None:
        self._express.ready(self)

    def signed(self, headers: dict[str, str] | Exception) -> None:
        self._express.signed(self, headers)

    def answered(self, came: Answer | Exception) -> None:
        self._express.answered(self, came)

    def written(self) -> None:
        self._express.written(self)


class Moment:
    """What several that start together ask once."""

    __slots__ = ("_keys", "_mode", "_rules", "_wire", "end", "now", "visibilities")

    def __init__(
        self, office: Office, rules: Rules, visibilities: Mapping[str, str | None]
    ) -> None:
        self.visibilities = visibilities
        self._wire, self._rules = office.wire, rules
        self._mode = office.wire.instance.settings.federates
        self.now = office.wire.instance.clock.now()
        self.end = asyncio.get_running_loop().time() + DEADLINE
        self._keys: dict[str, Held | None] = {}

    def decision(self, host: str) -> Decision:
        """What policy says of a host."""
        return self._rules.decide(self._mode, host, self.now)

    def key(self, signer: str) -> Held | None:
        """The key of one of our actors, where it is at hand."""
        if signer not in self._keys:
            self._keys[signer] = self._wire.keyring.held(signer, RSA)
        return self._keys[signer]


class Express:
    """Sends what needs nothing but a signature: a few calls for each, and no task of its own.

    A lane's own turn has a task with a dozen steps that could wait, which takes as long as half
    a signature. Here nothing waits but for the signature and the answer. Whatever is out of the
    ordinary, before or after the sending, is left to the lane's own turn, which asks everything
    again; so every rule about what becomes of a sending stands there alone.
    """

    def __init__(self, office: Office, slowly: Slowly, ended: Callable[[], None]) -> None:
        self.office = office
        self._slowly = slowly
        self._ended = ended
        self._parcels: dict[int, Parcel] = {}
        self._ready: deque[Parcel] = deque()
        self._sent: dict[Parcel, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None
        self._settling: set[asyncio.Task[None]] = set()
        self._empty: asyncio.Future[None] | None = None
        self._is_stopped = False

    @property
    def lanes(self) -> Collection[int]:
        """The lanes that have something on its way here, or not yet written down."""
        return self._parcels.keys()

    async def make_ready(self, works: Collection[Work]) -> None:
        """Have at hand what many of them will need: bodies and keys."""
        items = [work.items[0] for work in works if len(work.items) == 1]
        for body_id in {item.body_id for item in items}:
            await self.office.bodies.body(body_id)
        for signer in {item.signer for item in items}:
            # An actor who is gone is what the lane's own turn finds out.
            with suppress(LookupError):
                await self.office.wire.preparer(signer)

    def put(self, work: Work, origin: Origin) -> bool:
        """Take a lane's only entry; whether it can go this way."""
        if len(work.items) != 1 or work.held or work.behind or work.more or self._is_stopped:
            return False
        if not origin.is_well or not takes(origin.profile, work.items[0].form):
            return False
        room = origin.window.place()
        if not room.enter_at_once():
            return False
        try:
            line = self.office.wire.door.at_hand(work.inbox)
        except Forbidden:
            line = None
        if line is None:
            room.leave()
            return False
        parcel = self._parcels[work.lane] = Parcel(self, work, origin, line)
        self.office.slots.queue(parcel.slot, parcel.let_in)
        return True

    def ready(self, parcel: Parcel) -> None:
        """It has a place among those that are under way."""
        if self._is_stopped:
            return
        self._ready.append(parcel)
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start_ready())

    async def _start_ready(self) -> None:
        try:
            while self._ready:
                moment = await self._moment()
                while self._ready and self._start(self._ready[0], moment):
                    self._ready.popleft()
                if self._ready:
                    # What has run out meanwhile is had anew, for all that follow as well.
                    await self.make_ready([self._ready[0].work])
                    moment = await self._moment()
                    is_started = self._start(self._ready[0], moment)
                    parcel = self._ready.popleft()
                    if not is_started:
                        self._leave_to_turn(parcel)
        except Exception as error:  # a fault of ours, which their turns meet again and survive
            logger.error("deliveries not started", exc_info=error)
            while self._ready:
                self._leave_to_turn(self._ready.popleft())

    async def _moment(self) -> Moment:
        audiences = {parcel.work.items[0].audience for parcel in self._ready}
        visibilities = await self.office.visibilities.of(audiences)
        return Moment(self.office, await self.office.rules(), visibilities)

    def _start(self, parcel: Parcel, moment: Moment) -> bool:
        """Have it signed, if nothing speaks against it now."""
        office, item, origin = self.office, parcel.work.items[0], parcel.origin
        if not office.leases.holds(parcel.work.lane, moment.now):
            return False
        if not origin.is_well or origin.host in office.health.paused:
            return False
        if item.audience not in moment.visibilities:
            return False
        visibility = moment.visibilities[item.audience]
        if not may_go(item, moment.decision(origin.host), origin, visibility):
            return False
        extra: Mapping[str, str] = {}
        if is_compared(origin, item):
            claim = office.told.held(item.signer, origin.host, moment.now)
            if claim is None:
                return False
            extra = {claims.NAME: claim} if claim else {}
        body, key = office.bodies.held(item.body_id), moment.key(item.signer)
        if body is None or key is None:
            return False
        prepare = prepare_rfc9421 if origin.is_asked_in_rfc9421 else prepare_draft
        prepared = prepare(
            method="POST",
            url=parcel.line.target.url,
            body=body,
            key=key.key,
            key_id=key.key_id,
            now=moment.now,
            extra=extra,
        )
        parcel.body, parcel.end = body, moment.end
        office.signing.put(prepared, parcel.signed)
        return True

    def signed(self, parcel: Parcel, headers: dict[str, str] | Exception) -> None:
        """Send it."""
        if isinstance(headers, Exception) or self._is_stopped:
            self._leave_to_turn(parcel)
            return
        self._sent[parcel] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(parcel.end, self._look)
        try:
            parcel.line.post(headers, ACTIVITY_JSON, parcel.body, parcel.answered)
        except ValueError as error:  # nothing that may be sent: its turn meets it again
            logger.error("delivery not sent", inbox=parcel.work.inbox, exc_info=error)
            self._sent.pop(parcel, None)
            self._leave_to_turn(parcel)

    def _look(self) -> None:
        """One clock for all: they stand in the order in which their time is over."""
        loop = asyncio.get_running_loop()
        now, self._timer = loop.time(), None
        for parcel in list(self._sent):
            if parcel.end > now:
                self._timer = loop.call_at(parcel.end, self._look)
                return
            parcel.line.late()

    def answered(self, parcel: Parcel, came: Answer | Exception) -> None:
        """Note that it was delivered; anything else is for the lane's own turn."""
        self._sent.pop(parcel, None)
        if isinstance(came, Answer) and is_taken(came.status):
            self._delivered(parcel)
        else:
            self._give_back(parcel, parcel.line.told(came, DEADLINE))

    def _delivered(self, parcel: Parcel) -> None:
        work, origin = parcel.work, parcel.origin
        self._leave(parcel)
        if not self.office.health.fared_well(origin):
            task = asyncio.create_task(self.office.health.succeeded(origin))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        cursor = max(work.items[0].seq, work.until)
        settled = Settled(work.lane, origin.host, cursor, delivered=1, release=True)
        self.office.settling.note(settled, parcel.written)

    def _leave(self, parcel: Parcel) -> None:
        """Make room for others."""
        self.office.slots.leave(parcel.slot)
        parcel.origin.window.place().leave()

    def _leave_to_turn(self, parcel: Parcel) -> None:
        """Let the lane's own turn do it; nothing was sent."""
        parcel.line.let_go()
        self._give_back(parcel, None)

    def _give_back(self, parcel: Parcel, first: First) -> None:
        self._leave(parcel)
        self.written(parcel)
        if not self._is_stopped:
            self._slowly(parcel.work, parcel.origin, first)

    def written(self, parcel: Parcel) -> None:
        """Nothing more is to be done about it here."""
        self._parcels.pop(parcel.work.lane, None)
        if self._empty is not None and not self._parcels and not self._empty.done():
            self._empty.set_result(None)
        self._ended()

    async def stop(self, seconds: float) -> None:
        """Let what is on its way end, at most this long; what has not begun is dropped."""
        self._is_stopped = True
        loop = asyncio.get_running_loop()
        begun = [parcel for parcel in self._parcels.values() if parcel.end]
        self._parcels = {parcel.work.lane: parcel for parcel in begun}
        if begun:
            self._empty = loop.create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty
        for parcel in list(self._parcels.values()):
            parcel.line.close()
        if self._starting is not None:
            self._starting.cancel()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._settling, return_exceptions=True)
