# SPDX-License-Identifier: Apache-2.0
"""Where people and forums have moved, and what posts elsewhere quote."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("members", "forums"):
        op.add_column(table, sa.Column("moved_to", sa.String(length=2048), nullable=True))
    op.create_index("ix_members_moved_to", "members", ["moved_to"])
    op.add_column("posts", sa.Column("quoted_uri", sa.String(length=2048), nullable=True))
    op.add_column("posts", sa.Column("quote_stamp", sa.String(length=2048), nullable=True))
    op.create_index("ix_posts_quote_stamp", "posts", ["quote_stamp"])
    op.add_column(
        "quotes", sa.Column("revoked", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("quotes", "revoked")
    op.drop_index("ix_posts_quote_stamp", "posts")
    op.drop_column("posts", "quote_stamp")
    op.drop_column("posts", "quoted_uri")
    op.drop_index("ix_members_moved_to", "members")
    for table in ("members", "forums"):
        op.drop_column(table, "moved_to")
