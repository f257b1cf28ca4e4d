# SPDX-License-Identifier: Apache-2.0
"""Files of resources that come in pieces."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "resource_arrivals",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("draft_id", _ID, sa.ForeignKey("resource_drafts.id"), nullable=False),
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("mark", sa.String(length=500), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("come", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_resource_arrivals_draft", "resource_arrivals", ["draft_id", "id"])
    op.create_index("ix_resource_arrivals_owner", "resource_arrivals", ["owner_id", "id"])
    op.create_index("ix_resource_arrivals_last", "resource_arrivals", ["last"])
    op.create_table(
        "resource_pieces",
        sa.Column("arrival_id", _ID, sa.ForeignKey("resource_arrivals.id"), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arrival_id", "start"),
    )
    op.create_index("ix_resource_pieces_sha256", "resource_pieces", ["sha256"])


def downgrade() -> None:
    op.drop_table("resource_pieces")
    op.drop_table("resource_arrivals")
