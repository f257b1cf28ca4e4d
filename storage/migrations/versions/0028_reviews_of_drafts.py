# SPDX-License-Identifier: Apache-2.0
"""Reviews of practices that are not published yet."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INDICES = {"draft": "draft_id", "forum": "forum_id", "author": "author_id"}


def upgrade() -> None:
    with op.batch_alter_table("reviews") as table:
        table.add_column(sa.Column("draft_id", _ID, nullable=True))
        table.add_column(sa.Column("forum_id", _ID, nullable=True))
        table.add_column(sa.Column("author_id", _ID, nullable=True))
        table.add_column(
            sa.Column("title", sa.String(length=500), nullable=False, server_default="")
        )
    for column in ("forum_id", "author_id", "title"):
        op.execute(
            f"UPDATE reviews SET {column} ="  # noqa: S608 (names of columns)
            f" (SELECT posts.{column} FROM posts WHERE posts.id = reviews.post_id)"
        )
    with op.batch_alter_table("reviews") as table:
        table.alter_column("title", server_default=None, existing_type=sa.String(length=500))
        table.alter_column("post_id", existing_type=_ID, nullable=True)
        table.alter_column("forum_id", existing_type=_ID, nullable=False)
        table.alter_column("author_id", existing_type=_ID, nullable=False)
        table.create_foreign_key("fk_reviews_forum_id_forums", "forums", ["forum_id"], ["id"])
        table.create_foreign_key("fk_reviews_author_id_members", "members", ["author_id"], ["id"])
    for name, column in _INDICES.items():
        op.create_index(f"ix_reviews_{name}", "reviews", [column, "id"])


def downgrade() -> None:
    for name in _INDICES:
        op.drop_index(f"ix_reviews_{name}", "reviews")
    seats = "SELECT id FROM review_seats WHERE review_id IN (SELECT id FROM reviews"
    op.execute(f"DELETE FROM review_tasks WHERE seat_id IN ({seats} WHERE post_id IS NULL))")  # noqa: S608 (words of this module)
    op.execute(
        "DELETE FROM review_seats WHERE review_id IN (SELECT id FROM reviews WHERE post_id IS NULL)"
    )
    op.execute("DELETE FROM reviews WHERE post_id IS NULL")
    with op.batch_alter_table("reviews") as table:
        table.drop_constraint("fk_reviews_author_id_members", type_="foreignkey")
        table.drop_constraint("fk_reviews_forum_id_forums", type_="foreignkey")
        for column in ("title", "author_id", "forum_id", "draft_id"):
            table.drop_column(column)
        table.alter_column("post_id", existing_type=_ID, nullable=False)
