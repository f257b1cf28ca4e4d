# SPDX-License-Identifier: Apache-2.0
"""Who asks for a document, and whether they are answered at all."""

from dataclasses import dataclass

from federation.wire import Wire
from server import peers
from server.settings import Federation
from server.viewers import Viewer


@dataclass(frozen=True)
class Asker:
    """Who asks for a document: nobody known, or a verified host and what policy says of it.

    `actor` is who signed for the host, once that is verified.
    """

    host: str | None
    allowed: bool
    agency: bool
    actor: str = ""

    @property
    def viewer(self) -> Viewer:
        return Viewer(peer=self.host or "", agency=self.agency)


async def asker(wire: Wire, host: str | None, actor: str = "") -> Asker:
    """What a verified host (None for an unsigned request) may be answered at all."""
    instance = wire.instance
    mode = instance.settings.federates
    if host is None:
        return Asker(None, mode is Federation.OPEN, False)
    decision = await wire.judge(host)
    agency = decision.explicit
    if agency:
        async with instance.knowing(peers.ahead(host)) as session:
            agency = await peers.is_guildhall(session, host)
    return Asker(host, decision.allowed, agency, actor)
