# SPDX-License-Identifier: Apache-2.0
"""What the clock does to polls: new counts are told, and that one ended."""

from server import notifications
from server.notifications import Notice
from server.posts import voting
from server.transaction import Transaction
from storage.posts import Post, PostState


async def tend(tx: Transaction) -> None:
    """Everything that is due; called again before long, so that a limit is no loss."""
    for number in await voting.tend(tx):
        post = await tx.session.get_one(Post, number)
        if post.state == PostState.DELETED:
            continue
        for member in await voting.voters(tx.session, number):
            await notifications.tell_anew(tx, member, Notice.POLL, post, post.author_id)
        await notifications.tell_author(tx, Notice.POLL, post)
