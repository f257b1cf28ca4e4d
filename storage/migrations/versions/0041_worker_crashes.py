# SPDX-License-Identifier: Apache-2.0
"""When the loops of the worker failed last, for administrators."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "worker_crashes",
        sa.Column("loop", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("process", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("loop"),
    )


def downgrade() -> None:
    op.drop_table("worker_crashes")
