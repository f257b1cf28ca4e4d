# SPDX-License-Identifier: Apache-2.0
"""What posts quote, as far as their readers may see that too."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import shown
from server.shown import ShownForum, ShownPerson, ShownPost, ShownReply
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState

MOST = 100


@dataclass(frozen=True)
class Quoted:
    """A post that another quotes, with its author and where it stands."""

    post: ShownPost
    author: ShownPerson
    forum: ShownForum


async def quoted_by(
    session: AsyncSession, viewer: Viewer, posts: Iterable[ShownReply]
) -> dict[str, Quoted]:
    """What these posts quote, by its id; asks nothing where none of them quotes."""
    uris = list(dict.fromkeys(post.quoted_uri for post in posts if post.quoted_uri))[:MOST]
    if not uris:
        return {}
    question = (
        select(*shown.POST, *shown.PERSON, *shown.FORUM)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(Post.uri.in_(uris), Post.state == PostState.LIVE, visible_posts(viewer))
    )
    rows = (await session.execute(question)).all()
    found = (Quoted(*shown.post_person_forum(*row)) for row in rows)
    return {quoted.post.uri: quoted for quoted in found}
