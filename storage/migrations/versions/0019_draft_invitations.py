# SPDX-License-Identifier: Apache-2.0
"""Whether somebody has seen that they were invited to write a practice."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("practice_draft_people") as table:
        table.add_column(sa.Column("seen", sa.DateTime(timezone=True), nullable=True))
    # Whoever was invited before this was told in person.
    op.execute("UPDATE practice_draft_people SET seen = at")


def downgrade() -> None:
    with op.batch_alter_table("practice_draft_people") as table:
        table.drop_column("seen")
