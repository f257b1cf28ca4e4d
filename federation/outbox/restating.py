# SPDX-License-Identifier: Apache-2.0
"""Telling a post again whose words are as they were."""

from typing import Any

from federation import posts
from federation.outbox.telling import Telling
from federation.sharing import shared
from storage.log import Form
from storage.members import Member
from storage.posts import Post, PostState


async def restate(t: Telling, number: int, mark: str) -> None:
    """Update of the post of this id, without another date; `mark` tells it from others of it."""
    post = await t.tx.session.get_one(Post, number)
    if post.state == PostState.DELETED:
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        identifier = f"{author.uri}#{mark}-{post.id}"
        return posts.update(sharing, document, post.revision) | {"id": identifier}

    await t.tell_about(post, make, actor=author, follows=True, bare=Form.AUTHOR)
