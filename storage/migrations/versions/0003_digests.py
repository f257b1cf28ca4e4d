# SPDX-License-Identifier: Apache-2.0
"""Digests by day, known differences, when copies are compared."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEW = ("compared", "compare_tried", "compare_next")
COUNTS = ("compare_tries", "compare_missing")
WORDS = {"compare_error": 500, "compare_rules": 64}


def upgrade() -> None:
    identifier = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "digest_buckets",
        sa.Column("forum_id", identifier, nullable=False),
        sa.Column("day", sa.String(length=64), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["forum_id"], ["forums.id"]),
        sa.PrimaryKeyConstraint("forum_id", "day"),
    )
    op.create_table(
        "known_differences",
        sa.Column("forum_id", identifier, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("day", sa.String(length=64), nullable=False),
        sa.Column("theirs", sa.String(), nullable=False),
        sa.Column("ours", sa.String(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["forum_id"], ["forums.id"]),
        sa.PrimaryKeyConstraint("forum_id", "uri"),
    )
    op.create_index(
        op.f("ix_known_differences_day"), "known_differences", ["forum_id", "day"], unique=False
    )
    # ADD COLUMN alone: forums are named by many tables, and are not to be made anew.
    for name in NEW:
        op.add_column("forums", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in COUNTS:
        op.add_column("forums", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    for name, length in WORDS.items():
        kind = sa.String(length=length)
        op.add_column("forums", sa.Column(name, kind, server_default="", nullable=False))
    op.create_index(op.f("ix_forums_compare_next"), "forums", ["compare_next"], unique=False)
    _mark_every_day()


def _mark_every_day() -> None:
    """The posts there are: each of their days is to be computed when it is asked for."""
    postgres = op.get_bind().dialect.name == "postgresql"
    day = (
        "to_char(published AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
        if postgres
        else "substr(published, 1, 10)"
    )
    op.execute(
        "INSERT INTO digest_buckets (forum_id, day, changes, posts, sha256) "  # noqa: S608
        f"SELECT DISTINCT forum_id, {day}, 1, 0, NULL FROM posts"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_forums_compare_next"), table_name="forums")
    for name in (*WORDS, *COUNTS, *NEW):
        op.drop_column("forums", name)
    op.drop_index(op.f("ix_known_differences_day"), table_name="known_differences")
    op.drop_table("known_differences")
    op.drop_table("digest_buckets")
