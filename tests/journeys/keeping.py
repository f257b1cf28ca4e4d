# SPDX-License-Identifier: Apache-2.0
"""An agency's database as a whole: read, copied, and put back."""

import itertools
import shutil
from pathlib import Path
from typing import Protocol

from tests.databases import PostgresServer

_numbers = itertools.count(1)


class Keeping(Protocol):
    """What is done with a database by its agency's name; but for `content`, while it is at rest."""

    def content(self, name: str) -> bytes:
        """All that it holds."""

    def copy(self, name: str) -> str:
        """Make a backup; answers what it is called."""

    def put_back(self, name: str, backup: str) -> None:
        """Have it as it was when the backup was made."""

    def end(self) -> None:
        """Drop the backups."""


class Files:
    """Databases that are files of a folder; what a row leaves behind is looked at as well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _files(self, name: str) -> list[Path]:
        return [path for path in self._folder.glob(f"{name}.db*") if path.is_file()]

    def content(self, name: str) -> bytes:
        return b"".join(path.read_bytes() for path in self._files(name))

    def copy(self, name: str) -> str:
        backup = f"{name}.backup-{next(_numbers)}"
        shutil.copy(self._folder / f"{name}.db", self._folder / backup)
        return backup

    def put_back(self, name: str, backup: str) -> None:
        for path in self._files(name):
            path.unlink()
        shutil.copy(self._folder / backup, self._folder / f"{name}.db")

    def end(self) -> None:
        pass


class Cluster:
    """Databases of one PostgreSQL; `databases` are what they are called there."""

    def __init__(self, server: PostgresServer, databases: dict[str, str]) -> None:
        self._server = server
        self._databases = databases
        self._backups: list[str] = []

    def content(self, name: str) -> bytes:
        dump = self._server.folder / f"dump-{next(_numbers)}"
        self._server.run("pg_dump", "-f", str(dump), self._databases[name])
        try:
            return dump.read_bytes()
        finally:
            dump.unlink()

    def copy(self, name: str) -> str:
        backup = f"backup_{next(_numbers)}"
        self._server.run("createdb", "-T", self._databases[name], backup)
        self._backups.append(backup)
        return backup

    def put_back(self, name: str, backup: str) -> None:
        self._server.run("dropdb", "--force", self._databases[name])
        self._server.run("createdb", "-T", backup, self._databases[name])

    def end(self) -> None:
        for backup in self._backups:
            self._server.run("dropdb", "--force", backup)
