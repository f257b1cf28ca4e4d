# SPDX-License-Identifier: Apache-2.0
"""Links of copies, and of resources from before links were visited."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("resource_links") as table:
        table.alter_column("next", existing_type=sa.DateTime(timezone=True), nullable=True)
        table.add_column(sa.Column("visited", sa.DateTime(timezone=True), nullable=True))
    _mind_older()


def _mind_older() -> None:
    """Have the links visited of resources that were published before there were visits."""
    connection = op.get_bind()
    older = connection.execute(
        sa.text(
            "SELECT resources.post_id, resources.record, posts.published FROM resources"
            " JOIN posts ON posts.id = resources.post_id"
            " JOIN members ON members.id = posts.author_id"
            " WHERE members.peer IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM resource_links WHERE resource_links.post_id = resources.post_id)"
        )
    ).all()
    for number, record, published in older:
        if link := json.loads(record).get("link", ""):
            # Due since it was published: whatever stands longest is visited first.
            connection.execute(
                sa.text(
                    "INSERT INTO resource_links (post_id, url, next, failures, fault)"
                    " VALUES (:number, :link, :published, 0, '')"
                ),
                {"number": number, "link": link, "published": published},
            )


def downgrade() -> None:
    op.execute("DELETE FROM resource_links WHERE next IS NULL")
    with op.batch_alter_table("resource_links") as table:
        table.drop_column("visited")
        table.alter_column("next", existing_type=sa.DateTime(timezone=True), nullable=False)
