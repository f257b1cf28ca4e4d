# SPDX-License-Identifier: Apache-2.0
"""Runs the revisions on the connection that is handed in."""

from alembic import context
from sqlalchemy import Connection

from storage.base import Base


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
