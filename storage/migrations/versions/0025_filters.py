# SPDX-License-Identifier: Apache-2.0
"""Words that members would rather not meet."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "filters",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("member_id", _ID, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("contexts", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_filters_member", "filters", ["member_id", "id"])
    op.create_index("ix_filters_until", "filters", ["until"])
    op.create_table(
        "filter_keywords",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("filter_id", _ID, sa.ForeignKey("filters.id"), nullable=False),
        sa.Column("keyword", sa.String(length=100), nullable=False),
        sa.Column("whole_word", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_filter_keywords_filter", "filter_keywords", ["filter_id", "id"])


def downgrade() -> None:
    op.drop_table("filter_keywords")
    op.drop_table("filters")
