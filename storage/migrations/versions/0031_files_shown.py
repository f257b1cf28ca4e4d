# SPDX-License-Identifier: Apache-2.0
"""Indexes by which it is known whether anything shows a file."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_members_avatar_file", "members", ["avatar_file"])
    op.create_index("ix_remote_pictures_sha256", "remote_pictures", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_remote_pictures_sha256", table_name="remote_pictures")
    op.drop_index("ix_members_avatar_file", table_name="members")
