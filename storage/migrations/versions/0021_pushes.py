# SPDX-License-Identifier: Apache-2.0
"""Apps that want to be told of notices at once."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.Column("endpoint", sa.String(length=2048), nullable=False),
        sa.Column("public_key", sa.String(length=120), nullable=False),
        sa.Column("secret", sa.String(length=60), nullable=False),
        sa.Column("kinds", sa.String(length=300), nullable=False),
        sa.Column("upto", _ID, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_push_subscriptions_member", "push_subscriptions", ["member_id"])


def downgrade() -> None:
    op.drop_table("push_subscriptions")
