# SPDX-License-Identifier: Apache-2.0
"""Leases, peers that are paused, lanes that gave up waiting."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index(op.f("ix_leases_until"), "leases", ["until"], unique=False)
    with op.batch_alter_table("peers") as peers:
        peers.add_column(sa.Column("paused", sa.DateTime(timezone=True), nullable=True))
        peers.create_index("ix_peers_next_try", ["next_try"])
    with op.batch_alter_table("lanes") as lanes:
        lanes.add_column(sa.Column("catch_up", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("lanes") as lanes:
        lanes.drop_column("catch_up")
    with op.batch_alter_table("peers") as peers:
        peers.drop_index("ix_peers_next_try")
        peers.drop_column("paused")
    op.drop_index(op.f("ix_leases_until"), table_name="leases")
    op.drop_table("leases")
