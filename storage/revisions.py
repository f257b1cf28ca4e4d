# SPDX-License-Identifier: Apache-2.0
"""The revisions in a folder: which a database has, and bringing it there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect


def _alembic(folder: Path, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    return config


def look(folder: Path, connection: Connection) -> tuple[str | None, str, bool, bool]:
    """(revision found, revision wanted, is it known here, is the database empty)."""
    script = ScriptDirectory.from_config(_alembic(folder, connection))
    found = MigrationContext.configure(connection).get_current_revision()
    wanted = script.get_current_head() or ""
    known = found is None or found in {revision.revision for revision in script.walk_revisions()}
    return found, wanted, known, not inspect(connection).get_table_names()


def migrate(folder: Path, connection: Connection) -> None:
    """Bring the database to this version's schema."""
    if connection.dialect.name == "postgresql":
        # Two processes that find it empty must not both make the tables.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(74102)")
    command.upgrade(_alembic(folder, connection), "head")
