# SPDX-License-Identifier: Apache-2.0
"""Members here who adapted a resource, and telling them of its versions."""

from sqlalchemy import select

from server.facts import ResourcePublished
from server.notifications import Notice, tell_anew
from server.transaction import Transaction
from storage.members import Member
from storage.posts import Post, PostState
from storage.resources import Resource

MOST_TOLD = 500


async def tell_of_version(tx: Transaction, fact: ResourcePublished) -> None:
    """Tell the authors here of adaptations that what they were made from has a new version."""
    source = await tx.session.get_one(Post, fact.post)
    question = (
        select(Post)
        .join(Resource, Resource.post_id == Post.id)
        .join(Member, Member.id == Post.author_id)
        .where(
            Resource.based_on == source.uri,
            Resource.based_on_version < fact.version,
            Post.state != PostState.DELETED,
            Member.peer.is_(None),
        )
        .order_by(Post.id)
        .limit(MOST_TOLD)
    )
    for post in (await tx.session.execute(question)).scalars().all():
        await tell_anew(tx, post.author_id, Notice.SOURCE, post, source.author_id)
