# SPDX-License-Identifier: Apache-2.0
"""Mentoring: programmes, cards, needs, matches, pairs and their entries."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "mentoring_programmes",
    "mentoring_stewards",
    "mentor_cards",
    "mentor_pulls",
    "mentoring_needs",
    "mentoring_matches",
    "mentoring_pairings",
    "mentoring_entries",
)


def upgrade() -> None:
    op.create_table(
        "mentoring_programmes",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("with_agencies", sa.Boolean(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("meetings", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mentoring_programmes_open", "mentoring_programmes", ["is_open", "id"])
    op.create_table(
        "mentoring_stewards",
        sa.Column("programme_id", KEY, autoincrement=False, nullable=False),
        sa.Column("member_id", KEY, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["mentoring_programmes.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("programme_id", "member_id"),
    )
    op.create_table(
        "mentor_cards",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("person", sa.String(length=2048), nullable=False),
        sa.Column("member_id", KEY, nullable=True),
        sa.Column("peer", sa.String(length=255), nullable=True),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("role_title", sa.String(length=500), nullable=False),
        sa.Column("agency", sa.String(length=500), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("reach", sa.String(length=64), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("not_with", sa.Text(), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pulled", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uri"),
    )
    op.create_index("ix_mentor_cards_open", "mentor_cards", ["is_open", "peer", "id"])
    op.create_index("ux_mentor_cards_member", "mentor_cards", ["member_id"], unique=True)
    op.create_table(
        "mentor_pulls",
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("host"),
    )
    op.create_table(
        "mentoring_needs",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("programme_id", KEY, nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("not_with", sa.Text(), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("seed", KEY, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["programme_id"], ["mentoring_programmes.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mentoring_needs_member", "mentoring_needs", ["member_id", "id"])
    op.create_index(
        "ix_mentoring_needs_programme", "mentoring_needs", ["programme_id", "state", "id"]
    )
    op.create_table(
        "mentoring_matches",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("offer", sa.String(length=2048), nullable=False),
        sa.Column("need_id", KEY, nullable=True),
        sa.Column("programme_id", KEY, nullable=True),
        sa.Column("card_id", KEY, nullable=False),
        sa.Column("mentor_id", KEY, nullable=True),
        sa.Column("mentee_id", KEY, nullable=True),
        sa.Column("peer", sa.String(length=255), nullable=True),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("proposed_by", KEY, nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["need_id"], ["mentoring_needs.id"]),
        sa.ForeignKeyConstraint(["programme_id"], ["mentoring_programmes.id"]),
        sa.ForeignKeyConstraint(["card_id"], ["mentor_cards.id"]),
        sa.ForeignKeyConstraint(["mentor_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["mentee_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["proposed_by"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uri"),
        sa.UniqueConstraint("offer"),
    )
    op.create_index("ix_mentoring_matches_card", "mentoring_matches", ["card_id", "state", "id"])
    op.create_index("ix_mentoring_matches_expires", "mentoring_matches", ["state", "expires"])
    op.create_index("ix_mentoring_matches_need", "mentoring_matches", ["need_id", "id"])
    op.create_table(
        "mentoring_pairings",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("match_id", KEY, nullable=False),
        sa.Column("programme_id", KEY, nullable=True),
        sa.Column("card_id", KEY, nullable=False),
        sa.Column("mentor_id", KEY, nullable=False),
        sa.Column("mentee_id", KEY, nullable=False),
        sa.Column("peer", sa.String(length=255), nullable=True),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("terms_number", sa.Integer(), nullable=False),
        sa.Column("mentor_agreed", sa.Integer(), nullable=False),
        sa.Column("mentee_agreed", sa.Integer(), nullable=False),
        sa.Column("mentor_seen", KEY, nullable=False),
        sa.Column("mentee_seen", KEY, nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bumped", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["mentoring_matches.id"]),
        sa.ForeignKeyConstraint(["programme_id"], ["mentoring_programmes.id"]),
        sa.ForeignKeyConstraint(["card_id"], ["mentor_cards.id"]),
        sa.ForeignKeyConstraint(["mentor_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["mentee_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uri"),
    )
    op.create_index(
        "ix_mentoring_pairings_mentee", "mentoring_pairings", ["mentee_id", "state", "id"]
    )
    op.create_index(
        "ix_mentoring_pairings_mentor", "mentoring_pairings", ["mentor_id", "state", "id"]
    )
    op.create_index(
        "ix_mentoring_pairings_programme", "mentoring_pairings", ["programme_id", "state"]
    )
    op.create_table(
        "mentoring_entries",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("pairing_id", KEY, nullable=False),
        sa.Column("author_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("parent_id", KEY, nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("due", sa.String(length=10), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pairing_id"], ["mentoring_pairings.id"]),
        sa.ForeignKeyConstraint(["author_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uri"),
    )
    op.create_index(
        "ix_mentoring_entries_pairing", "mentoring_entries", ["pairing_id", "kind", "id"]
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
