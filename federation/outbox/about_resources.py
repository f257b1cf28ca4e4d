# SPDX-License-Identifier: Apache-2.0
"""Telling what was found at the links of our resources."""

from typing import Any

from federation import posts
from federation.outbox.telling import Telling
from federation.sharing import shared
from server.facts import LinkChanged
from storage.log import Form
from storage.members import Member
from storage.posts import Post, PostState


async def link_changed(t: Telling, fact: LinkChanged) -> None:
    """Update of a resource of ours: what it says is as it was, and so it has no other date."""
    post = await t.tx.session.get_one(Post, fact.post)
    if post.state == PostState.DELETED:
        return
    author = await t.tx.session.get_one(Member, post.author_id)

    async def make() -> dict[str, Any]:
        sharing = await shared(t.tx.session, post)
        document = await t.sign(author.uri, posts.to_wire(sharing))
        identifier = f"{author.uri}#link-{fact.n}-{post.id}"
        return posts.update(sharing, document, post.revision) | {"id": identifier}

    await t.tell_about(post, make, actor=author, follows=True, bare=Form.AUTHOR)
