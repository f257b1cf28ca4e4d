# SPDX-License-Identifier: Apache-2.0
"""What pages are found by, and numbers that change with what they show."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPENERS = sa.text("thread_id = id")
OF_MEMBERS = ("forum_stewards", "forum_members")
LATEST = {
    "ix_posts_latest": ["forum_id", "pinned", "bumped", "id"],
    "ix_posts_latest_of_all": ["forum_id", "bumped", "id"],
}


def upgrade() -> None:
    op.create_table(
        "page_versions",
        sa.Column(
            "scope",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_index("ix_posts_tree", "posts", ["thread_id", "branch_id", "id"], unique=False)
    for name, columns in LATEST.items():
        op.create_index(
            name,
            "posts",
            columns,
            unique=False,
            sqlite_where=OPENERS,
            postgresql_where=OPENERS,
        )
    op.drop_index("ix_posts_forum_bumped", table_name="posts")
    op.create_index("ix_forums_handle", "forums", ["handle", "peer"], unique=False)
    for table in OF_MEMBERS:
        op.create_index(f"ix_{table}_member", table, ["member_id", "forum_id"], unique=False)


def downgrade() -> None:
    for table in OF_MEMBERS:
        op.drop_index(f"ix_{table}_member", table_name=table)
    op.drop_index("ix_forums_handle", table_name="forums")
    op.create_index(
        "ix_posts_forum_bumped",
        "posts",
        ["forum_id", "kind", "pinned", "bumped", "id"],
        unique=False,
    )
    for name in LATEST:
        op.drop_index(name, table_name="posts")
    op.drop_index("ix_posts_tree", table_name="posts")
    op.drop_table("page_versions")
