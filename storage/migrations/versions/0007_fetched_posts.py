# SPDX-License-Identifier: Apache-2.0
"""Who fetched which posts, and where actors take deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fetched_posts",
        sa.Column("post_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("actor", sa.String(length=2048), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id", "host"),
    )
    op.add_column(
        "actor_keys",
        sa.Column("inbox", sa.String(length=2048), server_default="", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("actor_keys", "inbox")
    op.drop_table("fetched_posts")
