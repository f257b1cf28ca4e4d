# SPDX-License-Identifier: Apache-2.0
"""What peers say of themselves, asked for again before it is old."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import or_, select

from federation import discovery
from federation.rounds import ask_each
from federation.wire import Wire
from storage.peers import Peer

ROUND = 300.0
MOST_A_ROUND = 100
DAILY = timedelta(days=1)
HOURLY = timedelta(hours=1)


class Descriptions:
    """Asks each peer once a day what it runs, and each hour while it cannot be reached.

    What it runs decides what it is sent, and that it answers wakes whatever waits for it. One that
    an admin has paused is not asked. A round asks few, and the next time of each is moved by up to
    a quarter, so that peers which were described together do not stay together.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        # When those are asked again that were asked since we started.
        self._again: dict[str, datetime] = {}

    async def run_due(self) -> None:
        """Ask those whose time has come, at most MOST_A_ROUND, the longest unasked first.

        One that meets a fault of ours stops nobody; the first is raised once all were asked.
        """
        now = self._wire.instance.clock.now()
        self._again = {host: again for host, again in self._again.items() if again > now}
        question = select(Peer.host, Peer.failing_since, Peer.described).where(
            Peer.paused.is_(None),
            or_(
                Peer.described.is_(None),
                Peer.described <= now - DAILY,
                Peer.failing_since.is_not(None),
            ),
        )
        async with self._wire.instance.reading() as session:
            rows = (await session.execute(question)).all()
        never = datetime.min.replace(tzinfo=now.tzinfo)
        due = [row for row in rows if row.host not in self._again]
        due.sort(key=lambda row: (row.described or never, row.host))
        await ask_each(
            {
                row.host: partial(
                    self._ask, row.host, DAILY if row.failing_since is None else HOURLY
                )
                for row in due[:MOST_A_ROUND]
            },
            "peer not described",
        )

    async def _ask(self, host: str, wait: timedelta) -> None:
        instance = self._wire.instance
        # Before it is asked: one of which we cannot make anything must not stop the others.
        later = wait * (1.0 + 0.25 * instance.randomness.fraction())
        self._again[host] = instance.clock.now() + later
        await discovery.describe(self._wire, host)
