# SPDX-License-Identifier: Apache-2.0
"""Says what a test that hangs waits for, shortly before its worker is ended."""

import asyncio
import io
import os
import threading
import time
from collections.abc import Iterator

import pytest

# Before `faulthandler_timeout`, which shows where threads stand but not what is awaited.
PATIENCE = 400.0
_running: tuple[str, float] | None = None


def _watch(stderr: int) -> None:
    told = ""
    while True:
        time.sleep(5)
        running = _running
        if running and running[0] != told and time.monotonic() - running[1] > PATIENCE:
            told = running[0]
            os.write(stderr, f"\n{told} waits for:\n{_awaited()}".encode())


def _awaited() -> str:
    """The stack of every task, of whatever loop."""
    text = io.StringIO()
    # The only list of them that another thread can read; it may have another name one day.
    for task in list(getattr(asyncio.tasks, "_all_tasks", ())):
        if not task.done():
            task.print_stack(file=text)
    return text.getvalue()


def pytest_configure() -> None:
    # What a test says is caught; here nothing is yet.
    threading.Thread(target=_watch, args=[os.dup(2)], daemon=True).start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    global _running
    _running = item.nodeid, time.monotonic()
    try:
        return (yield)
    finally:
        _running = None
