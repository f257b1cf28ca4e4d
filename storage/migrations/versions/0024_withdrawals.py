# SPDX-License-Identifier: Apache-2.0
"""Practices that the stewards of their forum withdraw."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("practice_notices", sa.Column("steward_id", _ID, nullable=True))


def downgrade() -> None:
    op.drop_column("practice_notices", "steward_id")
