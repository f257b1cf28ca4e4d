# SPDX-License-Identifier: Apache-2.0
"""What a test may ask of the machine it runs on."""

import gc
import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

NEEDS_A_PROGRAM = ("browser", "postgres")
# httpx looks for it at each request to an application, all through the path; we have no trio.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
# What takes longest begins first, so that nobody waits for one last test at the end.
LONG = (
    "tests/journeys/test_demo_check.py",
    "tests/crash/",
    "tests/journeys/test_several_processes.py",
    "tests/simulation/",
    "tests/web/test_visibility.py",
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


def pytest_configure() -> None:
    """What is true of every test."""
    log_plainly()


def chromium() -> Path | None:
    """Where the system's Chromium is, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


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
