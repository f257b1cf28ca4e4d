# SPDX-License-Identifier: Apache-2.0
"""A stored post with all that its translation needs."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.posts import SharedPost
from server.forums.pages import tags_of
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.posts import Post, PostMention


async def shared(session: AsyncSession, post: Post) -> SharedPost:
    """The post as it travels."""
    forum = await session.get_one(Forum, post.forum_id)
    author = await session.get_one(Member, post.author_id)
    opener = post if post.is_thread else await session.get_one(Post, post.thread_id)
    parent = await session.get(Post, post.parent_id) if post.parent_id else None
    parent_author = await session.get(Member, parent.author_id) if parent else None
    mentioned = await session.execute(
        select(Member)
        .join(PostMention, PostMention.member_id == Member.id)
        .where(PostMention.post_id == post.id)
        .order_by(Member.id)
    )
    mentions = tuple((handle_of(member), member.uri) for member in mentioned.scalars())
    if parent_author is not None and parent_author.id != author.id:
        answered = (handle_of(parent_author), parent_author.uri)
        mentions = tuple(dict.fromkeys((answered, *mentions)))
    return SharedPost(
        uri=post.uri,
        url=post.url,
        author=author.uri,
        forum=forum.uri,
        title=post.title,
        source=post.source,
        html=post.html,
        published=post.published,
        context=opener.context,
        tags=(await tags_of(session, [post.id])).get(post.id, ()),
        language=post.language,
        updated=post.updated,
        parent=post.parent_uri or (parent.uri if parent else None),
        parent_author=parent_author.uri if parent_author else None,
        mentions=mentions,
        public=forum.visibility == Visibility.PUBLIC,
        locked=post.locked,
        likes=post.endorsement_count,
    )


def handle_of(member: Member) -> str:
    """`ana@riverton.example.gov`, for people here and elsewhere alike."""
    return f"{member.handle}@{member.uri.split('/')[2]}"
