# SPDX-License-Identifier: Apache-2.0
"""Commands from a nursery are what they are elsewhere, and end with it."""

import signal
import socket
from importlib.metadata import version
from pathlib import Path

import pytest

from web.demo.nursery import GONE, Nursery, outer_environment
from web.demo.ports import free_port


async def test_a_nursery_runs_commands_and_takes_them_along(tmp_path: Path) -> None:
    given, printed, said = (tmp_path / name for name in ("in", "out", "err"))
    files, port = (given, printed, said), free_port()
    given.write_text("a password of several words\n")
    state = {
        "GUILDHALL_MODE": "demo",
        "GUILDHALL_STATE": str(tmp_path),
        "GUILDHALL_DATABASE": f"sqlite:///{tmp_path / 'guildhall.db'}",
    }
    async with Nursery() as nursery:
        one = await nursery.start(("version",), outer_environment(), files)
        assert await one.ended == 0
        assert printed.read_text().strip() == version("guildhall")
        ana = ("member", "add", "ana", "--email", "a@b.example", "--name", "A", "--password-stdin")
        assert await (await nursery.start(ana, outer_environment() | state, files)).ended == 0
        assert await (await nursery.start(ana, outer_environment() | state, files)).ended == 2
        assert said.read_text().strip().endswith(".")
        serve = ("serve", "--port", str(port))
        left, stopped = [
            await nursery.start((*serve, *more), outer_environment() | state, files)
            for more in ((), ("--host", "127.0.0.2"))
        ]
        nursery.send(stopped, signal.SIGKILL)
        assert await stopped.ended == -signal.SIGKILL
        assert not left.ended.done()
    assert await left.ended == GONE
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
