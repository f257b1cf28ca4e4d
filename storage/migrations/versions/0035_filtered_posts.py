# SPDX-License-Identifier: Apache-2.0
"""Filters of single posts."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "filter_posts",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("filter_id", _ID, sa.ForeignKey("filters.id"), nullable=False),
        sa.Column("post_id", _ID, sa.ForeignKey("posts.id"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_filter_posts", "filter_posts", ["filter_id", "post_id"], unique=True)
    op.create_index("ix_filter_posts_post", "filter_posts", ["post_id"])


def downgrade() -> None:
    op.drop_table("filter_posts")
