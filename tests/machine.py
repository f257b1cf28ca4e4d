# SPDX-License-Identifier: Apache-2.0
"""What a test may ask of the machine it runs on."""

import gc
import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

from server.members import passwords

NEEDS_A_PROGRAM = ("browser", "postgres")
# httpx looks for it at each request to an application, all through the path; we have no trio.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
# Nothing is imported to be let go of: to look for what is garbage takes a fifth of the time.
gc.set_threshold(100_000, 20, 100)
REAL_HASHER = passwords._hasher
# What takes longest, one for each worker in turn: see `pytest_collection_modifyitems`.
LONG = (
    "tests/journeys/test_demo_check.py::test_every_step",
    "tests/web/test_visibility.py",
    "tests/crash/test_kills.py",
    "tests/journeys/test_demo_check.py::test_the_demo_says",
    "tests/simulation/test_simulation.py",
    "tests/journeys/test_demo_check.py",
    "tests/journeys/test_several_processes.py",
    "tests/federation/test_payload_mutations.py",
    "tests/browser/",
    "tests/federation/test_payloads_handled.py",
    "tests/simulation/",
    "tests/crash/",
)


def log_plainly() -> None:
    """One line for each event, without the drawn tracebacks of a developer's console.

    Drawing one takes a second.
    """
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.add_log_level, plain])


def share_statements() -> None:
    """Have the engines of all tests compile each statement once, a fifth of all they did.

    SQLAlchemy keeps what it compiled by engine, and every test opens engines of its own. What is
    compiled depends on the kind of database and its version, which are the same for all.
    """
    kept = LRUCache[Any, Any](5_000)
    make = Engine.__init__

    def made(self: Engine, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self._compiled_cache = kept

    for kind in (SQLiteDialect_aiosqlite, PGDialect_asyncpg):
        kind.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        kind.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    Engine.__init__ = made  # type: ignore[method-assign]


def hash_quickly() -> None:
    """Have passwords of tests hashed in next to no time; `real_hashing` has it as it is."""
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def real_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords take as long to hash as with people's."""
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)


def pytest_configure() -> None:
    """What is true of every test."""
    log_plainly()
    hash_quickly()
    share_statements()


def chromium() -> Path | None:
    """Where the system's Chromium is, or None; without a window it does half the work."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    return None


def postgres_programs() -> Path | None:
    """The folder that holds initdb and postgres, the newest version first, or None."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    numbered = [folder for folder in folders if folder.parent.name.isdecimal()]
    for folder in sorted(numbered, key=lambda found: int(found.parent.name), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _rank(item: pytest.Item) -> int:
    """The place of a test in LONG; behind it for what is quick."""
    starts = (n for n, start in enumerate(LONG) if item.nodeid.startswith(start))
    return next(starts, len(LONG))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every worker begin with long tests, so that nobody waits for a last one at the end.

    With worksteal each is first given as many tests as the others, in this order.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ranked = sorted(((_rank(item), item) for item in items), key=lambda one: one[0])
    quick = [item for rank, item in ranked if rank == len(LONG)]
    total = len(items)
    items.clear()
    for number in range(workers):
        items += [item for rank, item in ranked if rank < len(LONG) and rank % workers == number]
        size = max(0, (number + 1) * total // workers - len(items))
        items += quick[:size]
        del quick[:size]
    items += quick


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported, as the server does: it all stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI set, a skip for want of a program is a failure: nobody would see it otherwise."""
    report = yield
    wanted = any(item.get_closest_marker(name) for name in NEEDS_A_PROGRAM)
    if report.skipped and wanted and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which is not allowed with CI set: {report.longreprtext}"
    return report
