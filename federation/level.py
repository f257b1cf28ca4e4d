# SPDX-License-Identifier: Apache-2.0
"""Which peers have made good what was given up on the way to them."""

from collections import OrderedDict
from datetime import datetime

from server.instance import Instance
from storage import traffic

MOST_HOSTS = 2_000


class Level:
    """Peers that compared forums of ours with their copies, and found nothing missing.

    One has caught up once it found that of every forum that it is sent, since the day on which
    something was given up. Until then it is kept in memory: who compares does so again within
    the hour.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        # By host, when it was last level with each forum.
        self._found: OrderedDict[str, dict[str, datetime]] = OrderedDict()

    async def found(self, host: str, forum: str) -> None:
        """The peer holds all that it may see of a forum."""
        async with self._instance.reading() as session:
            given_up = await traffic.given_up(session, host)
        if not given_up:
            self._found.pop(host, None)
            return
        found = self._found.setdefault(host, {})
        found[forum] = self._instance.clock.now()
        self._found.move_to_end(host)
        while len(self._found) > MOST_HOSTS:
            self._found.popitem(last=False)
        behind = {
            lane
            for lane, since, audience in given_up
            if audience is not None and (audience not in found or found[audience] < since)
        }
        if level := {lane for lane, _, _ in given_up} - behind:
            async with self._instance.transaction() as tx:
                await traffic.caught_up(tx.session, sorted(level))
