# SPDX-License-Identifier: Apache-2.0
"""Replication reports, and the replies that announce them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "replications",
        sa.Column("post_id", KEY, autoincrement=False, nullable=False),
        sa.Column("of", sa.String(length=2048), nullable=False),
        sa.Column("of_version", sa.Integer(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_replications_of", "replications", ["of", "post_id"])
    op.create_table(
        "announcing_posts",
        sa.Column("post_id", KEY, autoincrement=False, nullable=False),
        sa.Column("announces", sa.String(length=2048), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_announcing_posts_announces", "announcing_posts", ["announces"])


def downgrade() -> None:
    op.drop_table("announcing_posts")
    op.drop_table("replications")
