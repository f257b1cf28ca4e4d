# SPDX-License-Identifier: Apache-2.0
"""Whether forums were seen on a peer, which tells how unknown software reads."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "peers", sa.Column("has_groups", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("peers", "has_groups")
