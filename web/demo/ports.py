# SPDX-License-Identifier: Apache-2.0
"""Ports for servers that are stopped and started again where they were."""

import errno
import os
import random
import socket
import sys
from collections import deque
from contextlib import ExitStack

from web.demo.agencies import CommandFailed

# Below those that systems give to outgoing connections: one of these might otherwise hold the
# port of a server between two of its starts.
_FIRST, _LAST = 10_000, 32_000
_chance = random.SystemRandom()
# Linux lets a server listen where a socket is bound that does not listen, if both allow it, and
# gives the port to nobody who does not: so a port is kept for its server, started or not.
_KEEPS, _MOST_KEPT = sys.platform == "linux", 100
_kept: deque[int] = deque()


def free_ports(count: int, first: int = 0) -> list[int]:
    """Ports nobody listens at: any, or `first` and those after it.

    CommandFailed, before anything is started, where one of those cannot be had.
    """
    if first:
        wanted = list(range(first, first + count))
        for port in wanted:
            _must_be_free(port)
        return wanted
    found: list[int] = []
    with ExitStack() as held:
        # All are held at once, so that no two are the same.
        while len(found) < count:
            one, port = held.enter_context(socket.socket()), _chance.randint(_FIRST, _LAST)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if _KEEPS:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                _kept.append(os.dup(one.fileno()))
    while len(_kept) > _MOST_KEPT:
        os.close(_kept.popleft())
    return found


def free_port() -> int:
    """A port nobody listens at."""
    return free_ports(1)[0]


def _must_be_free(port: int) -> None:
    if not 0 < port < 1 << 16:
        raise CommandFailed(f"{port} is not a port: choose one from 1 to 65535.")
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
            one.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandFailed(f"port {port} is in use, choose another --port.") from error
            said = error.strerror or error
            raise CommandFailed(f"port {port} cannot be had: {said}.") from error
