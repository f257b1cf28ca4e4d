# SPDX-License-Identifier: Apache-2.0
"""A database of either kind for a test, each its own."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.machine import postgres_programs

USER = "guildhall"
TEMPLATE = "migrated"
_numbers = itertools.count(1)
# Nothing here must survive the power: a test database is thrown away.
_OPTIONS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "autovacuum": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """A cluster of our own in a temporary folder, reached by its socket only."""

    programs: Path
    folder: Path

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, as `postgres` when root, since initdb refuses root."""
        account = "postgres" if os.geteuid() == 0 else None
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "PGHOST": str(self.folder), "PGUSER": USER},
            user=account,
            group=account,
            extra_groups=[] if account else None,
            # A file, since the server would keep a pipe open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed: {log.read_text() if log.exists() else ''}")

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def start(self) -> None:
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        self.begin()

    def begin(self) -> None:
        """Start the server, the first time or after a stop."""
        data = str(self.folder / "data")
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        options += f" -k {self.folder}"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running cluster; skips where the programs or the account for them are missing."""
    yield from postgres_cluster()


def postgres_cluster() -> Iterator[PostgresServer]:
    """A cluster that runs until it is no longer iterated over."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed")
    # Not pytest's own folder: a socket's path must be shorter than 108 bytes.
    folder = Path(tempfile.mkdtemp(prefix="guildhall-postgres-"))
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, "postgres", "postgres")
        except LookupError:
            folder.rmdir()
            pytest.skip("root cannot run PostgreSQL, and there is no account called postgres")
    server = PostgresServer(programs, folder)
    try:
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without tables."""
    name = f"empty_{next(_numbers)}"
    postgres_server.run("createdb", name)
    yield postgres_server.url(name)
    postgres_server.run("dropdb", "--force", name)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A migrated PostgreSQL database to copy; its tables are made from the same revisions."""
    postgres_server.run("createdb", TEMPLATE)
    _migrate(postgres_server.url(TEMPLATE))
    return TEMPLATE


def _migrate(url: str) -> None:
    # A process of its own: a fixture that needs no event loop must not open one.
    code = (
        "import asyncio, sys\n"
        "from storage.database import Database, prepare\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    await prepare(database)\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).resolve().parents[1]
    subprocess.run([sys.executable, "-c", code, url], cwd=root, check=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database with every table and no row."""
    name = f"test_{next(_numbers)}"
    postgres_server.run("createdb", "-T", postgres_template, name)
    yield postgres_server.url(name)
    postgres_server.run("dropdb", "--force", name)


EITHER = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=EITHER)
def database_url(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> str:
    """Where the instance keeps its rows: the test runs once on each kind of database.

    A module asks for it with `database_url = databases.database_url`.
    """
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    shutil.copy(empty_database, tmp_path / "guildhall.db")
    return f"sqlite:///{tmp_path / 'guildhall.db'}"


@pytest.fixture(params=EITHER)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("empty_postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'new.db'}"
