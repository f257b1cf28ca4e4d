# SPDX-License-Identifier: Apache-2.0
"""Ports for servers that are started, stopped and started again in a test."""

import random
import socket

# Below those that systems give to outgoing connections: such a one may be taken by any other test
# between two starts of a server.
FIRST, LAST = 10_000, 32_000
_given: set[int] = set()
_chance = random.SystemRandom()


def free_port() -> int:
    """A port nobody listens on, that this process has not given before."""
    while True:
        port = _chance.randint(FIRST, LAST)
        with socket.socket() as tried:
            if port not in _given and tried.connect_ex(("127.0.0.1", port)) != 0:
                _given.add(port)
                return port
