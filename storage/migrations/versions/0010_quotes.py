# SPDX-License-Identifier: Apache-2.0
"""Who may quote posts of ours elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "quotes",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("request", sa.String(length=2048), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_quotes_post_uri", "quotes", ["post_id", "uri"], unique=True)
    op.create_index("ix_quotes_member", "quotes", ["member_id", "post_id"])
    op.create_index("ix_quotes_uri", "quotes", ["uri"])


def downgrade() -> None:
    op.drop_table("quotes")
