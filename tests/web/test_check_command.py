# SPDX-License-Identifier: Apache-2.0
"""What `guildhall forum check` refuses, and what it says without a server."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from server.instance import Instance
from server.settings import load
from tests import makers
from web.cli import desk
from web.cli.program import main

PERMITS = f"@permits@{makers.LAKESIDE}"


@pytest.fixture
def _agency(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Riverton with a forum of its own and a copy of Lakeside's; no server runs."""
    shutil.copy(empty_database, tmp_path / "guildhall.db")
    monkeypatch.setenv("GUILDHALL_MODE", "test")
    monkeypatch.setenv("GUILDHALL_ORIGIN", "http://riverton.localhost:8000")
    monkeypatch.setenv("GUILDHALL_DATABASE", f"sqlite:///{tmp_path / 'guildhall.db'}")
    monkeypatch.setenv("GUILDHALL_STATE", str(tmp_path))
    monkeypatch.setattr(desk, "WORKER_SECONDS", 0.2)

    async def furnish() -> None:
        instance = await Instance.open(load())
        sam = await makers.member(instance, "sam", admin=True)
        await makers.forum(instance, sam, "counters")
        await makers.follow(instance, sam, await makers.forum_elsewhere(instance))
        await makers.forum_elsewhere(instance, "data")
        await instance.close()

    asyncio.run(furnish())


def typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, what was printed, and what was said beside it."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, printed.out.strip(), printed.err.strip()


@pytest.mark.usefixtures("_agency")
def test_only_a_copy_can_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    for name, sentence in (
        ("counters", "This forum lives here: there is nothing to check it with."),
        (
            f"@data@{makers.LAKESIDE}",
            "Nobody here follows this forum, so there is no copy of it to check.",
        ),
        ("nothing", "There is no forum nothing."),
    ):
        assert typed(capsys, "forum", "check", name) == (2, "", sentence)


@pytest.mark.usefixtures("_agency")
def test_without_a_server_the_check_waits(capsys: pytest.CaptureFixture[str]) -> None:
    queued = (0, "queued: the server is not running", "")
    assert typed(capsys, "forum", "check", PERMITS) == queued
    status, printed, _ = typed(capsys, "forum", "check", PERMITS, "--json")
    told = json.loads(printed)
    assert (status, told["queued"], told["error"], told["compared"]) == (0, True, "", None)
