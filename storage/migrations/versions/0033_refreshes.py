# SPDX-License-Identifier: Apache-2.0
"""Apps whose tokens run out and are refreshed."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    refreshes: sa.Column[bool] = sa.Column(
        "refreshes", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("apps", refreshes)
    op.add_column("app_tokens", sa.Column("expires", _MOMENT, nullable=True))
    op.create_table(
        "app_refreshes",
        sa.Column("refresh_hash", sa.String(length=64), nullable=False),
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.Column("used", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("refresh_hash"),
    )
    op.create_index("ix_app_refreshes_token", "app_refreshes", ["token_id"])
    op.create_index("ix_app_refreshes_expires", "app_refreshes", ["expires"])


def downgrade() -> None:
    op.drop_table("app_refreshes")
    op.drop_column("app_tokens", "expires")
    op.drop_column("apps", "refreshes")
