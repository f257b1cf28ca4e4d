# SPDX-License-Identifier: Apache-2.0
"""Polls that threads carry."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "polls",
        sa.Column("post_id", _ID, sa.ForeignKey("posts.id"), nullable=False),
        sa.Column("multiple", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("ends", _MOMENT, nullable=False),
        sa.Column("voters", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_polls_ends", "polls", ["over", "ends"])
    op.create_table(
        "poll_options",
        sa.Column("post_id", _ID, sa.ForeignKey("posts.id"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "place"),
    )
    op.create_table(
        "poll_votes",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("post_id", _ID, sa.ForeignKey("posts.id"), nullable=False),
        sa.Column("member_id", _ID, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_poll_votes", "poll_votes", ["post_id", "member_id", "place"], unique=True)


def downgrade() -> None:
    op.drop_table("poll_votes")
    op.drop_table("poll_options")
    op.drop_table("polls")
