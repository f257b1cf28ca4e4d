# SPDX-License-Identifier: Apache-2.0
"""Waiting until a server answers."""

import asyncio
import time
from contextlib import suppress

from bench.measures import fetch
from bench.processes import CannotMeasure, Program

SECONDS = 60.0


def until_it_answers(port: int, request: bytes, program: Program, *, status: int = 200) -> float:
    """Ask until the answer has this status; the seconds it took."""
    begun = time.perf_counter()
    while time.perf_counter() < begun + SECONDS:
        if not program.running:
            raise CannotMeasure(f"A server did not start: {program.last_words}")
        with suppress(OSError, asyncio.IncompleteReadError):
            answered, _ = asyncio.run(fetch(port, request))
            if answered == status:
                return time.perf_counter() - begun
        time.sleep(0.01)
    raise CannotMeasure(f"A server did not answer: {program.last_words}")
