# SPDX-License-Identifier: Apache-2.0
"""What practices that are not held here descend from."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "practice_ancestors",
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("above", sa.String(length=2048), nullable=False),
        sa.PrimaryKeyConstraint("uri", "above"),
    )
    op.create_index("ix_practice_ancestors_above", "practice_ancestors", ["above", "uri"])


def downgrade() -> None:
    op.drop_index("ix_practice_ancestors_above", table_name="practice_ancestors")
    op.drop_table("practice_ancestors")
