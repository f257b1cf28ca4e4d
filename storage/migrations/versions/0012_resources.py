# SPDX-License-Identifier: Apache-2.0
"""Resources, their versions, files and drafts, and who uses them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "resources",
        sa.Column("post_id", KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("agency", sa.String(length=500), nullable=False),
        sa.Column("summary", sa.String(length=500), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("license", sa.String(length=100), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.Column("based_on", sa.String(length=2048), nullable=True),
        sa.Column("based_on_version", sa.Integer(), nullable=True),
        sa.Column("based_on_digest", sa.String(length=64), nullable=False),
        sa.Column("root", sa.String(length=2048), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_resources_root", "resources", ["root", "post_id"])
    op.create_index("ix_resources_based_on", "resources", ["based_on", "post_id"])
    _versions_and_files()
    _drafts_and_uploads()
    op.create_table(
        "resource_uses",
        sa.Column("post_id", KEY, autoincrement=False, nullable=False),
        sa.Column("of", sa.String(length=2048), nullable=False),
        sa.Column("of_version", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(length=64), nullable=False),
        sa.Column("agency", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_resource_uses_of", "resource_uses", ["of", "post_id"])


def _versions_and_files() -> None:
    op.create_table(
        "resource_versions",
        sa.Column("post_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("by_id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id", "version"),
    )
    op.create_table(
        "resource_files",
        sa.Column("post_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("failed", MOMENT, nullable=True),
        sa.Column("fault", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id", "version", "position"),
    )
    op.create_index("ix_resource_files_sha256", "resource_files", ["sha256"])
    op.create_table(
        "resource_facets",
        sa.Column("post_id", KEY, nullable=False),
        sa.Column("facet", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("post_id", "facet", "value"),
    )
    op.create_index("ix_resource_facets_value", "resource_facets", ["facet", "value", "post_id"])


def _drafts_and_uploads() -> None:
    op.create_table(
        "resource_drafts",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("forum_id", KEY, nullable=True),
        sa.Column("post_id", KEY, nullable=True),
        sa.Column("source_id", KEY, nullable=True),
        sa.Column("source_version", sa.Integer(), nullable=True),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["forum_id"], ["forums.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_resource_drafts_owner", "resource_drafts", ["owner_id", "updated"])
    op.create_index("ix_resource_drafts_post", "resource_drafts", ["post_id"])
    op.create_index("ix_resource_drafts_source", "resource_drafts", ["source_id"])
    op.create_table(
        "resource_uploads",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("draft_id", KEY, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("said", sa.String(length=500), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["resource_drafts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_resource_uploads_draft", "resource_uploads", ["draft_id", "id"])
    op.create_index("ix_resource_uploads_sha256", "resource_uploads", ["sha256"])


def downgrade() -> None:
    for table in (
        *("resource_uses", "resource_uploads", "resource_drafts", "resource_facets"),
        *("resource_files", "resource_versions", "resources"),
    ):
        op.drop_table(table)
