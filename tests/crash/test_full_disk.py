# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, and a database that somebody else holds."""

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.commons import Commons, like
from tests.hostile.peer import Json, ScriptedPeer, mallory

DISK = "4m"
LONG = "It goes on. " * 4_000
MOST_DELIVERIES = 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def database_url(small_disk: Path, empty_database: Path) -> str:
    shutil.copy(empty_database, small_disk / "guildhall.db")
    return f"sqlite:///{small_disk / 'guildhall.db'}"


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """While the block runs there is no room on the disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass
    yield
    filler.unlink()


def numbered(gh: Commons, peer: ScriptedPeer, number: int) -> Json:
    """A Like that is long enough to need room."""
    return like(mallory(peer), gh.thread.uri, number, content=LONG)


async def test_on_a_full_disk_nothing_is_promised_and_reading_goes_on(
    gh: Commons, evil: ScriptedPeer, small_disk: Path
) -> None:
    await gh.sent(evil, numbered(gh, evil, 0))
    promised, refused = [0], 0
    with full(small_disk):
        for number in range(1, MOST_DELIVERIES):
            answer = await gh.deliver(evil, numbered(gh, evil, number))
            if answer.status_code == 503:
                refused = number
                break
            assert answer.status_code == 202
            promised.append(number)
        assert refused
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.text.count("\n") == 1
        page = await gh.client.get(f"/p/{gh.thread.id}/x", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "When are you open?" in page.text
    again = await gh.deliver(evil, numbered(gh, evil, refused))
    assert again.status_code == 202
    await gh.settled()
    for number in (*promised, refused):
        row = await gh.row(f"{mallory(evil)}#like-{number}")
        assert row.state != "waiting"
    assert await gh.endorsements(gh.thread) == 1
    with contextlib.closing(sqlite3.connect(small_disk / "guildhall.db")) as held:
        assert held.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_database_held_by_somebody_else_is_said_to_be_busy(
    gh: Commons, evil: ScriptedPeer, small_disk: Path
) -> None:
    await gh.sent(evil, numbered(gh, evil, 0))
    # What is waited for is otherwise 5 s.
    await gh.instance.database.run_sync(
        lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout = 200")
    )
    file = small_disk / "guildhall.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await gh.deliver(evil, like(mallory(evil), gh.thread.uri, 1))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        page = await gh.client.get("/forums", headers={"Accept": "text/html"})
        assert page.status_code == 200
        # Signing in writes a row; who does it sees a page and can do it again.
        form = await gh.client.get("/sign-in")
        token = form.text.partition('name="csrf" value="')[2].partition('"')[0]
        said = await gh.client.post(
            "/sign-in",
            data={"csrf": token, "login": "sam", "password": "wrong, and long enough"},
            headers={"Accept": "text/html"},
        )
        assert said.status_code == 503
        assert "try again in a little while" in said.text
        assert "<h1>" in said.text
        other.execute("ROLLBACK")
    assert (await gh.deliver(evil, like(mallory(evil), gh.thread.uri, 1))).status_code == 202
    await gh.settled()
    assert await gh.endorsements(gh.thread) == 1
