# SPDX-License-Identifier: Apache-2.0
"""What a received practice says beyond a thread, stored beside its post."""

from federation.posts import SharedPost
from federation.practices import SharedPractice
from server.errors import NotAllowed
from server.library import publishing
from server.library.publishing import Edition
from server.transaction import Transaction
from storage.posts import Kind, Post
from storage.practices import Practice


async def opened(tx: Transaction, post: Post, sharing: SharedPost) -> None:
    """An opener was stored: with the record, if it is a practice."""
    if sharing.practice is not None:
        await _put(tx, post, sharing, sharing.practice)


def must_stay_one(post: Post, sharing: SharedPost) -> None:
    """Refuse words for a practice that come without its record: the two would differ."""
    if post.kind == Kind.PRACTICE and sharing.practice is None:
        raise NotAllowed("A practice is changed with its record, and this came without one.")


async def edited(tx: Transaction, post: Post, sharing: SharedPost, before: int) -> None:
    """A post was changed, unless its revision is the one `before`: then that was old news.

    Of old news only the version is kept, among those that came since.
    """
    if sharing.practice is None:
        return
    if post.revision == before:
        held = await tx.session.get(Practice, post.id)
        if held is None or sharing.practice.version >= held.version:
            return
    post.kind = Kind.PRACTICE
    await _put(tx, post, sharing, sharing.practice)


async def _put(tx: Transaction, post: Post, sharing: SharedPost, said: SharedPractice) -> None:
    at = min(sharing.updated or sharing.published, post.updated or post.published)
    await publishing.apply(
        tx, post, Edition(said.record, said.version, said.note, post.author_id, at)
    )
