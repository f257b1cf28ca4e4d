# SPDX-License-Identifier: Apache-2.0
"""Reviews by a forum elsewhere of practices that are not published yet."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ADDRESS = sa.String(length=2048)
_REQUESTS = {"draft": "draft_id", "about": "about", "member": "member_id"}


def upgrade() -> None:
    with op.batch_alter_table("reviews") as table:
        table.add_column(sa.Column("peer", sa.String(length=255), nullable=True))
        table.add_column(sa.Column("about", _ADDRESS, nullable=False, server_default=""))
        table.alter_column("author_id", existing_type=_ID, nullable=True)
    with op.batch_alter_table("reviews") as table:
        table.alter_column("about", server_default=None, existing_type=_ADDRESS)
    op.create_index("ix_reviews_about", "reviews", ["about", "id"])
    op.create_index("ix_reviews_peer", "reviews", ["peer", "state"])
    with op.batch_alter_table("review_requests") as table:
        table.add_column(sa.Column("draft_id", _ID, nullable=True))
        table.add_column(sa.Column("forum_id", _ID, nullable=True))
        for name, kind in (("about", _ADDRESS), ("title", sa.String(500)), ("record", sa.Text())):
            table.add_column(sa.Column(name, kind, nullable=False, server_default=""))
    for column, its in (("forum_id", "forum_id"), ("title", "title"), ("about", "uri")):
        op.execute(
            f"UPDATE review_requests SET {column} ="  # noqa: S608 (names of columns)
            f" (SELECT posts.{its} FROM posts WHERE posts.id = review_requests.post_id)"
        )
    with op.batch_alter_table("review_requests") as table:
        for name, kind in (("about", _ADDRESS), ("title", sa.String(500)), ("record", sa.Text())):
            table.alter_column(name, server_default=None, existing_type=kind)
        table.alter_column("post_id", existing_type=_ID, nullable=True)
        table.alter_column("forum_id", existing_type=_ID, nullable=False)
        table.create_foreign_key(
            "fk_review_requests_forum_id_forums", "forums", ["forum_id"], ["id"]
        )
    for name, column in _REQUESTS.items():
        op.create_index(f"ix_review_requests_{name}", "review_requests", [column, "id"])


def downgrade() -> None:
    for name in _REQUESTS:
        op.drop_index(f"ix_review_requests_{name}", "review_requests")
    op.execute("DELETE FROM review_requests WHERE post_id IS NULL")
    with op.batch_alter_table("review_requests") as table:
        table.drop_constraint("fk_review_requests_forum_id_forums", type_="foreignkey")
        for column in ("record", "title", "about", "forum_id", "draft_id"):
            table.drop_column(column)
        table.alter_column("post_id", existing_type=_ID, nullable=False)
    for name in ("peer", "about"):
        op.drop_index(f"ix_reviews_{name}", "reviews")
    seats = "SELECT id FROM review_seats WHERE review_id IN (SELECT id FROM reviews"
    op.execute(f"DELETE FROM review_tasks WHERE seat_id IN ({seats} WHERE author_id IS NULL))")  # noqa: S608 (words of this module)
    op.execute(
        "DELETE FROM review_seats"
        " WHERE review_id IN (SELECT id FROM reviews WHERE author_id IS NULL)"
    )
    op.execute("DELETE FROM reviews WHERE author_id IS NULL")
    with op.batch_alter_table("reviews") as table:
        for column in ("about", "peer"):
            table.drop_column(column)
        table.alter_column("author_id", existing_type=_ID, nullable=False)
