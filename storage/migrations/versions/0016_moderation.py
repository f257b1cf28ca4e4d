# SPDX-License-Identifier: Apache-2.0
"""Who is shut out of a forum, and what was reported in it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "forum_blocks",
        sa.Column("forum_id", _ID, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("until", _WHEN, nullable=True),
        sa.Column("created", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(["forum_id"], ["forums.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("forum_id", "member_id"),
    )
    op.create_index("ix_forum_blocks_until", "forum_blocks", ["until"])
    op.create_table(
        "reports",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("forum_id", _ID, nullable=False),
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("reporter", sa.String(length=2048), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("closed", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(["forum_id"], ["forums.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reports_forum", "reports", ["forum_id", "closed", "id"])
    op.create_index("ux_reports_post", "reports", ["post_id", "reporter"], unique=True)


def downgrade() -> None:
    op.drop_table("reports")
    op.drop_table("forum_blocks")
