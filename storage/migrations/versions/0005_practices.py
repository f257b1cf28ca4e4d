# SPDX-License-Identifier: Apache-2.0
"""Practices: records, versions, what they are found by, drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_practices_root", "practices", ["root", "post_id"]),
    ("ix_practices_based_on", "practices", ["based_on", "post_id"]),
    ("ix_practice_facets_value", "practice_facets", ["facet", "value", "post_id"]),
    ("ix_practice_threads_thread", "practice_threads", ["thread_id", "practice_id"]),
    ("ix_practice_drafts_owner", "practice_drafts", ["owner_id", "updated"]),
    ("ix_practice_drafts_post", "practice_drafts", ["post_id"]),
    ("ix_practice_drafts_thread", "practice_drafts", ["thread_id"]),
    ("ix_practice_drafts_source", "practice_drafts", ["source_id"]),
    ("ix_practice_draft_people_member", "practice_draft_people", ["member_id", "draft_id"]),
)


def _identifier() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _of_post(name: str = "post_id", *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _identifier(), sa.ForeignKey("posts.id"), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "practices",
        sa.Column(
            "post_id", _identifier(), sa.ForeignKey("posts.id"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("agency", sa.String(500), nullable=False),
        sa.Column("summary", sa.String(500), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("parts", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reviewed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("based_on", sa.String(2048), nullable=True),
        sa.Column("based_on_version", sa.Integer(), nullable=True),
        sa.Column("based_on_digest", sa.String(64), nullable=False),
        sa.Column("root", sa.String(2048), nullable=False),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_table(
        "practice_versions",
        _of_post(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("by_id", _identifier(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "version"),
    )
    op.create_table(
        "practice_facets",
        _of_post(),
        sa.Column("facet", sa.String(64), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "facet", "value"),
    )
    op.create_table(
        "practice_threads",
        _of_post("practice_id"),
        _of_post("thread_id"),
        sa.PrimaryKeyConstraint("practice_id", "thread_id"),
    )
    _drafts()
    op.create_table(
        "practice_topics",
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug"),
    )
    op.create_table(
        "library_settings",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns, unique=False)


def _drafts() -> None:
    op.create_table(
        "practice_drafts",
        sa.Column("id", _identifier(), autoincrement=False, nullable=False),
        sa.Column("owner_id", _identifier(), sa.ForeignKey("members.id"), nullable=False),
        sa.Column("forum_id", _identifier(), sa.ForeignKey("forums.id"), nullable=True),
        _of_post(nullable=True),
        _of_post("source_id", nullable=True),
        sa.Column("source_version", sa.Integer(), nullable=True),
        sa.Column("source_digest", sa.String(64), nullable=False),
        _of_post("thread_id", nullable=True),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("typed", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", _identifier(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "practice_draft_people",
        sa.Column("draft_id", _identifier(), sa.ForeignKey("practice_drafts.id"), nullable=False),
        sa.Column("member_id", _identifier(), sa.ForeignKey("members.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", "member_id"),
    )


def downgrade() -> None:
    for name, table, _columns in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    for table in (
        "library_settings",
        "practice_topics",
        "practice_draft_people",
        "practice_drafts",
        "practice_threads",
        "practice_facets",
        "practice_versions",
        "practices",
    ):
        op.drop_table(table)
