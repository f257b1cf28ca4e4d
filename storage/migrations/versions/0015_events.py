# SPDX-License-Identifier: Apache-2.0
"""Events, who comes to them, and what repeats."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("post_id", _ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=500), nullable=False),
        sa.Column("joining", sa.String(length=64), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("going", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("details", sa.String(), nullable=False),
        sa.Column("series", sa.String(length=2048), nullable=False),
        sa.Column("series_at", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("reminded", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_events_starts", "events", ["starts", "post_id"])
    op.create_index("ix_events_ends", "events", ["ends", "post_id"])
    op.create_index("ix_events_series", "events", ["series", "series_at"])
    op.create_table(
        "event_guests",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("member_id", _ID, nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("queue", _ID, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("link", sa.String(length=2048), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=True),
        sa.Column("certificate", sa.String(length=2048), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("post_id", "member_id"),
        sa.UniqueConstraint("post_id", "email"),
    )
    op.create_index("ix_event_guests_queue", "event_guests", ["post_id", "state", "queue"])
    op.create_index("ix_event_guests_member", "event_guests", ["member_id", "state", "post_id"])
    op.create_index("ix_event_guests_token", "event_guests", ["token"])
    op.create_table(
        "event_series",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("forum_id", _ID, nullable=False),
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("rule", sa.String(length=2000), nullable=False),
        sa.Column("except_on", sa.String(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("starts", sa.String(length=64), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("draft", sa.String(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("upto", sa.String(length=64), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["forum_id"], ["forums.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_event_series_open", "event_series", ["ended", "id"])
    op.create_table(
        "calendar_choices",
        sa.Column("member_id", _ID, autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("feed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("member_id"),
    )


def downgrade() -> None:
    op.drop_table("calendar_choices")
    op.drop_table("event_series")
    op.drop_table("event_guests")
    op.drop_table("events")
