# SPDX-License-Identifier: Apache-2.0
"""Whom members mute, and which tags they follow."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mutes",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("member_id", _ID, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("person_id", _ID, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("notices", sa.Boolean(), nullable=False),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id", "person_id", "kind"),
    )
    op.create_index("ix_mutes_member", "mutes", ["member_id", "kind", "id"])
    op.create_index("ix_mutes_until", "mutes", ["until"])
    op.create_table(
        "muted_threads",
        sa.Column("member_id", _ID, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("thread_id", _ID, sa.ForeignKey("posts.id"), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("member_id", "thread_id"),
    )
    op.create_index("ix_muted_threads_thread_id", "muted_threads", ["thread_id"])
    op.create_table(
        "tag_follows",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("member_id", _ID, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id", "tag"),
    )
    op.create_index("ix_tag_follows_member", "tag_follows", ["member_id", "id"])


def downgrade() -> None:
    op.drop_table("tag_follows")
    op.drop_table("muted_threads")
    op.drop_table("mutes")
