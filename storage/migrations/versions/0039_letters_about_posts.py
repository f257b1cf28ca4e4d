# SPDX-License-Identifier: Apache-2.0
"""The post that a letter is about, and two indexes for mentoring."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ABOUT = re.compile(r"/p/(\d{1,18})")
AT_ONCE = 500


def upgrade() -> None:
    with op.batch_alter_table("letters") as table:
        table.add_column(sa.Column("post_id", _ID, nullable=True))
    _say_what_they_are_about()
    op.create_index("ix_letters_post", "letters", ["post_id"])
    op.create_index("ix_mentoring_matches_programme", "mentoring_matches", ["programme_id"])
    op.create_index("ix_mentor_cards_peer", "mentor_cards", ["peer", "id"])


def _say_what_they_are_about() -> None:
    letters = sa.table(
        "letters", sa.column("id", _ID), sa.column("text"), sa.column("post_id", _ID)
    )
    connection, last = op.get_bind(), 0
    question = (
        sa.select(letters.c.id, letters.c.text)
        .where(letters.c.text.contains("/p/"))
        .order_by(letters.c.id)
        .limit(AT_ONCE)
    )
    while found := connection.execute(question.where(letters.c.id > last)).all():
        for number, words in found:
            if said := _ABOUT.search(words):
                change = sa.update(letters).where(letters.c.id == number)
                connection.execute(change.values(post_id=int(said[1])))
        last = found[-1][0]


def downgrade() -> None:
    op.drop_index("ix_mentor_cards_peer", "mentor_cards")
    op.drop_index("ix_mentoring_matches_programme", "mentoring_matches")
    op.drop_index("ix_letters_post", "letters")
    with op.batch_alter_table("letters") as table:
        table.drop_column("post_id")
