# SPDX-License-Identifier: Apache-2.0
"""The federation side of one instance, put together."""

from federation.actors import Actors
from federation.claims import Claims, owner_name
from federation.delivery.lanes import Delivery
from federation.descriptions import Descriptions
from federation.downloads import Downloads
from federation.fetch import Door
from federation.fetches import Fetches
from federation.followers.hearing import Heard
from federation.inbox import Inbox
from federation.links import Visits
from federation.liveness import Liveness
from federation.mentoring.pulling import Pulling
from federation.pushes import Pushes
from federation.quotes.awaited import Awaited
from federation.receive import Receiver
from federation.repair import Repair
from federation.verification import Verifier
from federation.wire import Wire
from server.instance import Instance


class Station(Wire):
    """The wire with everything that receives, delivers and repairs."""

    def __init__(self, instance: Instance, door: Door | None = None) -> None:
        super().__init__(instance, door)
        self.claims = Claims(instance, owner_name(instance.randomness))
        self.actors = Actors(self)
        self.verifier = Verifier(self, self.actors)
        self.fetches = Fetches(self)
        self.delivery = Delivery(self, self.claims.owner)
        self.liveness = Liveness(instance, self.delivery)
        self.followers = Heard(self, self.actors)
        self.inbox = Inbox(self, self.verifier, self.liveness, self.followers)
        self.receiver = Receiver(self, self.actors, self.verifier, self.claims)
        self.liveness.on_heard = self.receiver.heard
        self.downloads = Downloads(self)
        self.pushes = Pushes(self)
        self.visits = Visits(self)
        self.descriptions = Descriptions(self)
        self.stamps = Awaited(self, self.actors, self.verifier)
        self.mentors = Pulling(self, self.actors)
        # Whom a greeting has reached that must be begun anew for others, by origin or forum.
        self.greeted: set[str] = set()
        self.repair = Repair(self, self.receiver, self.claims.owner)

    async def answered(self, host: str) -> None:
        """What waits for a host that has answered us, to be sent or applied, is tried at once."""
        await self.delivery.heard(host)
        await self.receiver.returned(host)

    async def close(self) -> None:
        """Leave off; whatever goes wrong meanwhile, the door is closed."""
        try:
            await self.repair.stop()
            await self.downloads.close()
            await self.followers.close()
            await self.liveness.close()
        finally:
            await super().close()
