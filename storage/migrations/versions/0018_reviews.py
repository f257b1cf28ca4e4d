# SPDX-License-Identifier: Apache-2.0
"""Reviews of practices, from asking for one to what is stated of it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("submitted", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", _ID, nullable=True),
        sa.Column("told_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.ForeignKeyConstraint(["told_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reviews_post", "reviews", ["post_id", "id"])
    op.create_index("ix_reviews_state", "reviews", ["state", "due"])
    op.create_table(
        "review_seats",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("review_id", _ID, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=255), nullable=True),
        sa.Column("agency", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reviewer", sa.String(length=2048), nullable=False),
        sa.Column("conflict", sa.String(length=2000), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("recommendation", sa.String(length=64), nullable=False),
        sa.Column("named", sa.String(length=500), nullable=False),
        sa.Column("invited", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index("ix_review_seats_due", "review_seats", ["state", "due"])
    op.create_index("ix_review_seats_review", "review_seats", ["review_id", "id"])
    op.create_table(
        "review_tasks",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("invitation", sa.String(length=2048), nullable=False),
        sa.Column("seat_id", _ID, nullable=True),
        sa.Column("peer", sa.String(length=255), nullable=True),
        sa.Column("asked_by", sa.String(length=500), nullable=False),
        sa.Column("forum", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("member_id", _ID, nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("conflict", sa.String(length=2000), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("practice", sa.String(length=2048), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["seat_id"], ["review_seats.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
        sa.UniqueConstraint("invitation"),
    )
    op.create_index("ix_review_tasks_member", "review_tasks", ["member_id", "state"])
    op.create_index("ix_review_tasks_seat", "review_tasks", ["seat_id"])
    op.create_index("ix_review_tasks_state", "review_tasks", ["state", "due"])
    op.create_table(
        "review_requests",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_review_requests_post", "review_requests", ["post_id", "id"])
    op.create_table(
        "review_statements",
        sa.Column("post_id", _ID, autoincrement=False, nullable=False),
        sa.Column("of", sa.String(length=2048), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reviewers", sa.Integer(), nullable=False),
        sa.Column("agencies", sa.Integer(), nullable=False),
        sa.Column("against", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_review_statements_of", "review_statements", ["of", "at"])
    op.create_table(
        "review_notices",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_review_notices_member", "review_notices", ["member_id", "id"])
    op.create_index("ix_review_notices_unread", "review_notices", ["member_id", "read"])


def downgrade() -> None:
    for table in (
        "review_notices",
        "review_statements",
        "review_requests",
        "review_tasks",
        "review_seats",
        "reviews",
    ):
        op.drop_table(table)
