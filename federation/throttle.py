# SPDX-License-Identifier: Apache-2.0
"""How fast one origin may deliver: token buckets by host."""

from collections import OrderedDict
from datetime import datetime
from math import ceil

MOST_HOSTS = 10_000


class Throttle:
    """`burst` deliveries at once, then `rate` a second, for each host; a rate of 0 is no limit.

    In this process's memory, so several processes allow as many times as much. The hosts longest
    silent make room for new ones: their buckets are full again by then.
    """

    def __init__(self, rate: int, burst: int, most: int = MOST_HOSTS) -> None:
        self._rate = rate
        self._burst = float(max(burst, 1))
        self._most = most
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, host: str, now: datetime) -> int:
        """Whole seconds until the host may deliver again; 0 if it may now. Nothing is taken."""
        if not self._rate or host not in self._held:
            return 0
        tokens = self._tokens(host, now.timestamp())
        return 0 if tokens >= 1 else ceil((1 - tokens) / self._rate)

    def spend(self, host: str, now: datetime) -> int:
        """Take one token; else, as `wait` does, how long to wait for it."""
        if not self._rate:
            return 0
        moment = now.timestamp()
        tokens = self._tokens(host, moment)
        if tokens < 1:
            return ceil((1 - tokens) / self._rate)
        self._held[host] = (tokens - 1, moment)
        self._held.move_to_end(host)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return 0

    def _tokens(self, host: str, moment: float) -> float:
        tokens, since = self._held.get(host, (self._burst, moment))
        return min(self._burst, tokens + max(0.0, moment - since) * self._rate)

    def __len__(self) -> int:
        return len(self._held)
