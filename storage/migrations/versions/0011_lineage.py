# SPDX-License-Identifier: Apache-2.0
"""Notices about practices, and changes offered to their authors."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "practice_notices",
        sa.Column("uri", sa.String(2048), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("words", sa.String(2000), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("agency", sa.String(500), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("given", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uri"),
    )
    op.create_table(
        "change_offers",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(2048), nullable=False),
        sa.Column("post_id", KEY, sa.ForeignKey("posts.id"), nullable=False),
        sa.Column("from_id", KEY, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("based_on", sa.String(2048), nullable=False),
        sa.Column("of_version", sa.Integer(), nullable=False),
        sa.Column("sections", sa.String(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uri"),
    )
    op.create_index("ix_change_offers_post", "change_offers", ["post_id", "id"])
    op.create_index("ix_change_offers_from", "change_offers", ["from_id", "id"])


def downgrade() -> None:
    op.drop_table("change_offers")
    op.drop_table("practice_notices")
