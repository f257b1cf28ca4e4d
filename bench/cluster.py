# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL cluster of our own, with the durability of a real one."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.processes import CannotMeasure, cpu_of_family

USER = "guildhall"
# What a small machine of an agency would have; commits are as durable as by default.
_OPTIONS = {
    "listen_addresses": "''",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
}


def programs() -> Path | None:
    """The folder of initdb and postgres, the newest version first."""
    folders = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdecimal() and (folder / "initdb").exists()
    ]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@dataclass
class Cluster:
    """Reached by its socket only; its data stays for the next run."""

    programs: Path
    data: Path
    socket: Path

    @classmethod
    def open(cls, data: Path) -> "Cluster":
        """Start the cluster of a folder, made when it is not there yet."""
        found = programs()
        if found is None:
            raise CannotMeasure("The PostgreSQL programs are not installed.")
        # A socket's path must be shorter than 108 bytes.
        socket = Path(tempfile.mkdtemp(prefix="guildhall-bench-"))
        cluster = cls(found, data, socket)
        data.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            try:
                shutil.chown(data, "postgres", "postgres")
                shutil.chown(socket, "postgres", "postgres")
            except LookupError as error:
                raise CannotMeasure("There is no account called postgres.") from error
        cluster._start()
        return cluster

    def _start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8")
        elif (self.data / "postmaster.pid").exists():
            # A run that was killed left it behind.
            with suppress(CannotMeasure):
                self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        log = str(self.socket / "log")
        options += f" -k {self.socket}"
        self._run("pg_ctl", "-D", str(self.data), "-l", log, "-o", options, "-w", "start")

    def _run(self, program: str, *arguments: str) -> str:
        account = "postgres" if os.geteuid() == 0 else None
        output = self.socket / "said"
        with output.open("wb") as said:
            done = subprocess.run(
                [self.programs / program, *arguments],
                cwd="/",
                env={"LC_ALL": "C.UTF-8", "PGHOST": str(self.socket), "PGUSER": USER},
                user=account,
                group=account,
                extra_groups=[] if account else None,
                # A file, since the server would keep a pipe open.
                stdout=said,
                stderr=said,
                timeout=300,
                check=False,
            )
        told = output.read_text(encoding="utf-8", errors="replace")
        if done.returncode:
            raise CannotMeasure(f"{program} failed: {told[-400:]}")
        return told

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}@/{name}?host={self.socket}"

    def names(self) -> set[str]:
        """The databases there are."""
        told = self._run("psql", "-d", "postgres", "-Atc", "SELECT datname FROM pg_database")
        return set(told.split())

    def create(self, name: str, template: str = "template0") -> None:
        self._run("createdb", "-T", template, name)

    def drop(self, name: str) -> None:
        self._run("dropdb", "--if-exists", "--force", name)

    def rename(self, name: str, to: str) -> None:
        self._run("psql", "-d", "postgres", "-c", f'ALTER DATABASE "{name}" RENAME TO "{to}"')

    def cpu(self) -> float:
        """Processor seconds of all its processes so far."""
        pid = int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        return cpu_of_family(pid)

    def close(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")
        shutil.rmtree(self.socket, ignore_errors=True)
