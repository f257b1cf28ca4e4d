# SPDX-License-Identifier: Apache-2.0
"""Drafts of threads that keep their poll."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    poll = sa.String(length=3000)
    op.add_column("drafts", sa.Column("poll", poll, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("drafts", "poll")
