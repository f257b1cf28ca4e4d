# SPDX-License-Identifier: Apache-2.0
"""What mentors and mentees are told, letters wanted, and passing bodies."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mentoring_notices",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("who", sa.String(length=500), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("read", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mentoring_notices_member", "mentoring_notices", ["member_id", "id"])
    op.create_index("ix_mentoring_notices_unread", "mentoring_notices", ["member_id", "read"])
    op.create_table(
        "letters_declined",
        sa.Column("member_id", KEY, autoincrement=False, nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("member_id", "about"),
    )
    op.create_table(
        "passing_bodies",
        sa.Column("seq", KEY, autoincrement=False, nullable=False),
        sa.Column("body_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["log.seq"]),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "mentor_offers",
        sa.Column("post_id", KEY, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    entries = "mentoring_entries"
    op.add_column(entries, sa.Column("changed", MOMENT, nullable=True))
    op.add_column(
        entries, sa.Column("is_gone", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column(entries, sa.Column("followed_up", MOMENT, nullable=True))
    op.create_index("ix_mentoring_entries_starts", entries, ["kind", "state", "starts"])
    op.create_index("ix_mentoring_entries_author", entries, ["author_id", "created"])


def downgrade() -> None:
    op.drop_index("ix_mentoring_entries_author", "mentoring_entries")
    op.drop_index("ix_mentoring_entries_starts", "mentoring_entries")
    for name in ("followed_up", "is_gone", "changed"):
        op.drop_column("mentoring_entries", name)
    for name in ("mentor_offers", "passing_bodies", "letters_declined", "mentoring_notices"):
        op.drop_table(name)
