# SPDX-License-Identifier: Apache-2.0
"""Members here who adapted something, and telling them of its versions."""

from sqlalchemy import select

from server.facts import PracticePublished, ResourcePublished
from server.notifications import Notice, tell_anew
from server.transaction import Transaction
from storage.members import Member
from storage.posts import Post, PostState
from storage.records import Recorded

MOST_TOLD = 500


async def tell_of_version(
    table: type[Recorded], tx: Transaction, fact: PracticePublished | ResourcePublished
) -> None:
    """Tell the authors here of adaptations that what they were made from has a new version."""
    source = await tx.session.get_one(Post, fact.post)
    question = (
        select(Post)
        .join(table, table.post_id == Post.id)
        .join(Member, Member.id == Post.author_id)
        .where(
            table.based_on == source.uri,
            table.based_on_version < fact.version,
            Post.state != PostState.DELETED,
            Member.peer.is_(None),
        )
        .order_by(Post.id)
        .limit(MOST_TOLD)
    )
    for post in (await tx.session.execute(question)).scalars().all():
        await tell_anew(tx, post.author_id, Notice.SOURCE, post, source.author_id)
