# SPDX-License-Identifier: Apache-2.0
"""Members here who adopted a practice, and telling them what happens to it."""

from sqlalchemy import or_, select

from server.facts import PracticeWarned
from server.notifications import Notice, tell_anew
from server.practices.ancestry import below
from server.transaction import Transaction
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import Practice
from storage.replications import Replication

MOST_TOLD = 500


async def tell_of_warning(tx: Transaction, fact: PracticeWarned) -> None:
    """Tell the authors here of adaptations and reports of a practice what it is warned of."""
    adapted = select(Practice.post_id).where(below(fact.uri))
    reported = select(Replication.post_id).where(Replication.of == fact.uri)
    question = (
        select(Post)
        .join(Member, Member.id == Post.author_id)
        .where(
            or_(Post.id.in_(adapted), Post.id.in_(reported)),
            Post.uri != fact.uri,
            Post.state != PostState.DELETED,
            Member.peer.is_(None),
        )
        .order_by(Post.id)
        .limit(MOST_TOLD)
    )
    for post in (await tx.session.execute(question)).scalars().all():
        await tell_anew(tx, post.author_id, Notice.WARNING, post, fact.by)
