# SPDX-License-Identifier: Apache-2.0
"""A database of either kind for a test, each its own."""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.machine import postgres_programs
from tests.once import once

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
    "max_connections": "100",
    "autovacuum": "off",
}
# What tells a database whose tables a test changed from one that was only filled.
_SHAPE = """concat_ws(' ', (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_index),
    (SELECT count(*) FROM pg_statistic),
    (SELECT string_agg(version_num, ' ') FROM public.alembic_version))"""
_MARKED = f"""CREATE SCHEMA beside; CREATE TABLE beside.made (shape text);
INSERT INTO beside.made SELECT {_SHAPE}"""
# Some 20 ms, where to make and drop a database takes 150. Fails where it is not like new.
_EMPTIED = f"""SET lock_timeout = '5s'; SET session_replication_role = replica;
DO $$
DECLARE name text; held boolean;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO held;
    IF held THEN EXECUTE format('DELETE FROM %I', name); END IF;
  END LOOP;
  IF (SELECT shape FROM beside.made) <> {_SHAPE}
    OR pg_database_size(current_database()) > {20_000_000} THEN
    RAISE 'not like new';
  END IF;
END $$"""  # noqa: S608


@dataclass(frozen=True)
class PostgresServer:
    """A cluster of our own in a temporary folder, reached by its socket only."""

    programs: Path
    folder: Path
    # What it is a copy of, which has been migrated; else it is begun without anything.
    made: Path | None = None
    options: Mapping[str, str] = field(default_factory=lambda: _OPTIONS)
    # Migrated databases without a row that a test is done with.
    spare: list[str] = field(default_factory=list)

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

    def say(self, name: str, statements: str) -> None:
        """Have one of its databases do something."""
        self.run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", name, "-c", statements)

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def start(self) -> None:
        data = str(self.folder / "data")
        if self.made is None:
            self.run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        else:
            # With its owner, who is not who runs this where that is root.
            subprocess.run(["cp", "-a", self.made, data], check=True)
        self.begin()

    def begin(self) -> None:
        """Start the server, the first time or after a stop."""
        data = str(self.folder / "data")
        options = " ".join(f"-c {name}={value}" for name, value in self.options.items())
        options += f" -k {self.folder}"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "stop")

    def migrate(self) -> None:
        """Make the database that others are copies of."""
        self.run("createdb", TEMPLATE)
        _migrate(self.url(TEMPLATE))
        self.say(TEMPLATE, _MARKED)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A running cluster; skips where the programs or the account for them are missing."""
    yield from postgres_cluster(once(tmp_path_factory, "postgres", _found))


def _found(data: Path) -> None:
    """The files of a cluster with the template in it, made once for all that are like it."""
    with contextlib.closing(postgres_cluster()) as clusters:
        server = next(clusters)
        try:
            server.migrate()
        finally:
            server.stop("fast")
        subprocess.run(["cp", "-a", server.folder / "data", data], check=True)


def postgres_cluster(
    made: Path | None = None, others: Mapping[str, str] = _OPTIONS
) -> Generator[PostgresServer]:
    """A cluster that runs until it is no longer iterated over, a copy of what was `made`.

    `others` are options that differ from those of all tests.
    """
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
    server = PostgresServer(programs, folder, made, {**_OPTIONS, **others})
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
    if postgres_server.made is None:
        postgres_server.migrate()
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
    with borrowed(postgres_server, postgres_template) as url:
        yield url


@contextlib.contextmanager
def borrowed(server: PostgresServer, template: str) -> Iterator[str]:
    """The address of a migrated database without a row, which is emptied for the next."""
    if server.spare:
        name = server.spare.pop()
    else:
        name = f"test_{next(_numbers)}"
        server.run("createdb", "-T", template, name)
    yield server.url(name)
    try:
        server.say(name, _EMPTIED)
    except RuntimeError:
        server.run("dropdb", "--force", name)
    else:
        server.spare.append(name)


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
