# SPDX-License-Identifier: Apache-2.0
"""What stewards withdrew from their forum, though another agency wrote it."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "practice_withdrawals",
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("note", sa.String(length=2048), nullable=False),
        sa.Column("forum", sa.String(length=500), nullable=False),
        sa.Column("words", sa.String(length=2000), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("agency", sa.String(length=500), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("stated", sa.Boolean(), nullable=False),
        sa.Column("given", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uri"),
    )
    op.create_index("ix_practice_withdrawals_note", "practice_withdrawals", ["note"])


def downgrade() -> None:
    op.drop_index("ix_practice_withdrawals_note", table_name="practice_withdrawals")
    op.drop_table("practice_withdrawals")
