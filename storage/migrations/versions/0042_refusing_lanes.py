# SPDX-License-Identifier: Apache-2.0
"""Since when an inbox takes nothing and refuses what it is sent."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("lanes") as lanes:
        lanes.add_column(sa.Column("refusing_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("lanes") as lanes:
        lanes.drop_column("refusing_since")
