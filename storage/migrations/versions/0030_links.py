# SPDX-License-Identifier: Apache-2.0
"""Links of resources that are visited."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "resource_links",
        sa.Column("post_id", _ID, sa.ForeignKey("posts.id"), autoincrement=False, nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("next", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("post_id"),
    )
    op.create_index("ix_resource_links_next", "resource_links", ["next"])


def downgrade() -> None:
    op.drop_table("resource_links")
