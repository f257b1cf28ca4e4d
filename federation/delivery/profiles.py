# SPDX-License-Identifier: Apache-2.0
"""What each kind of software takes, and how long to wait for it."""

from server import peers
from server.randomness import Randomness
from storage.log import Form

SHORTEST_WAIT, LONGEST_WAIT = 5.0, 6 * 3600.0
# A peer that is down is tried with one delivery so often. Where the line between two was cut
# neither starts anew, so neither hears the other until one of them tries.
PROBED_EVERY = 600.0
BOOSTED = frozenset(
    {"mastodon", "glitch", "hometown", "gotosocial", "pleroma", "akkoma", "misskey"}
)
WRAPPED_ONLY = frozenset({"lemmy", "piefed", "mbin", "friendica"})


def takes(software: str, form: str) -> bool:
    """Whether software of this name understands a form (INTEROP: the profile per follower)."""
    if form == Form.BOOST:
        return software != peers.GUILDHALL and software not in WRAPPED_ONLY
    if form == Form.WRAPPED:
        return software not in BOOSTED
    return True


def wait_after(failures: int, randomness: Randomness, longest: float = LONGEST_WAIT) -> float:
    """Seconds until the next try: 5 s doubling up to `longest`, with a quarter of jitter."""
    wait = min(longest, SHORTEST_WAIT * 2.0 ** min(failures - 1, 20))
    return wait * (0.875 + 0.25 * randomness.fraction())
