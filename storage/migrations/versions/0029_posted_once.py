# SPDX-License-Identifier: Apache-2.0
"""What apps posted under a key of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "posted_once",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_posted_once_created", "posted_once", ["created"])


def downgrade() -> None:
    op.drop_table("posted_once")
