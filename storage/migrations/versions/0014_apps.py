# SPDX-License-Identifier: Apache-2.0
"""Apps of members, and what they keep through them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPENERS = sa.text("thread_id = id")


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _ID, autoincrement=False, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, most: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=most), nullable=False)


def upgrade() -> None:
    op.create_table(
        "apps",
        _id(),
        _words("client_id", 64),
        _words("secret_hash", 64),
        _words("name", 100),
        _words("website", 2048),
        _words("redirect_uris"),
        _words("scopes", 1000),
        _words("state", 64),
        _moment("created"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id"),
    )
    op.create_index("ix_apps_created", "apps", ["created"])
    op.create_table(
        "app_codes",
        _words("code_hash", 64),
        _id("app_id"),
        _id("member_id"),
        _words("redirect_uri", 2048),
        _words("scopes", 1000),
        _words("challenge", 128),
        _moment("expires"),
        _moment("used", nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_index("ix_app_codes_member", "app_codes", ["member_id"])
    op.create_table(
        "app_tokens",
        _id(),
        _words("token_hash", 64),
        _id("app_id"),
        _id("member_id", nullable=True),
        _words("scopes", 1000),
        _words("code_hash", 64),
        _moment("created"),
        _moment("used", nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_app_tokens_member", "app_tokens", ["member_id", "app_id"])
    op.create_index("ix_app_tokens_app", "app_tokens", ["app_id"])
    op.create_index("ix_app_tokens_code", "app_tokens", ["code_hash"])
    _kept()
    op.create_index(
        "ix_posts_newest",
        "posts",
        ["forum_id", "id"],
        sqlite_where=_OPENERS,
        postgresql_where=_OPENERS,
    )
    op.create_index("ix_post_mentions_member", "post_mentions", ["member_id", "post_id"])


def _kept() -> None:
    op.create_table(
        "bookmarks",
        _id(),
        _id("member_id"),
        _id("post_id"),
        _moment("created"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id", "post_id"),
    )
    op.create_index("ix_bookmarks_member", "bookmarks", ["member_id", "id"])
    op.create_index("ix_bookmarks_post", "bookmarks", ["post_id"])
    op.create_table(
        "markers",
        _id("member_id"),
        _words("timeline", 64),
        _words("last_read", 64),
        sa.Column("version", sa.Integer(), nullable=False),
        _moment("updated"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("member_id", "timeline"),
    )
    op.create_table(
        "uploads",
        _id(),
        _id("member_id"),
        _words("sha256", 64),
        _words("description", 1500),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        _moment("created"),
        _moment("posted", nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_uploads_member", "uploads", ["member_id", "id"])
    op.create_index("ix_uploads_file", "uploads", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_post_mentions_member", "post_mentions")
    op.drop_index("ix_posts_newest", "posts")
    for table in ("uploads", "markers", "bookmarks", "app_tokens", "app_codes", "apps"):
        op.drop_table(table)
