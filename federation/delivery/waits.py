# SPDX-License-Identifier: Apache-2.0
"""How long to wait before a peer is tried again."""

from server.randomness import Randomness

SHORTEST_WAIT, LONGEST_WAIT = 5.0, 6 * 3600.0
# A peer that is down is tried with one delivery so often. Where the line between two was cut
# neither starts anew, so neither hears the other until one of them tries.
PROBED_EVERY = 600.0


def wait_after(failures: int, randomness: Randomness, longest: float = LONGEST_WAIT) -> float:
    """Seconds until the next try: 5 s doubling up to `longest`, with a quarter of jitter."""
    wait = min(longest, SHORTEST_WAIT * 2.0 ** min(failures - 1, 20))
    return wait * (0.875 + 0.25 * randomness.fraction())
