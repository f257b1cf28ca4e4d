# SPDX-License-Identifier: Apache-2.0
"""The collections of a thread: its posts, and what answers each of them."""

from typing import Any

from sqlalchemy import func, select

from federation.documents import Documents, collection
from federation.vocabulary.terms import OBJECT_CONTEXT
from server.errors import NotFound
from storage.forums import Forum
from storage.posts import Post, PostState

PAGE = 200


class ThreadDocuments(Documents):
    """Answers for the collections of posts of ours."""

    async def context(self, number: int, after: int | None) -> dict[str, Any]:
        """The ids of a thread's posts, oldest first (FEP-7888, FEP-f228, FEP-11dd)."""
        opener = await self._own_post(number)
        if not opener.is_thread:
            raise NotFound
        forum = await self.session.get_one(Forum, opener.forum_id)
        question = (
            select(Post.id, Post.uri)
            .where(Post.thread_id == opener.id, Post.state == PostState.LIVE)
            .order_by(Post.id)
            .limit(PAGE + 1)
        )
        if after is not None:
            question = question.where(Post.id > after)
        rows = (await self.session.execute(question)).all()
        uris = [row[1] for row in rows[:PAGE]]
        document = collection(opener.context, "OrderedCollection", opener.reply_count + 1, uris)
        document |= {"attributedTo": forum.uri, "audience": forum.uri, "name": opener.title}
        if len(rows) > PAGE:
            document["next"] = f"{opener.context}?after={rows[PAGE - 1][0]}"
        return document

    async def replies(self, number: int, after: int | None) -> dict[str, Any]:
        """The direct replies of a post by their ids: the whole, or the page after one of them.

        The first page is inline (FEP-f228, ActivityStreams 2.0 §5.3).
        """
        post = await self._own_post(number)
        page = await self._page_of_replies(post, after or 0)
        if after is not None:
            return {"@context": OBJECT_CONTEXT} | page
        answers = (Post.parent_id == post.id, Post.state == PostState.LIVE)
        question = select(func.count()).select_from(Post).where(*answers)
        total = (await self.session.execute(question)).scalar_one()
        return collection(f"{post.uri}/replies", "Collection", total, None) | {"first": page}

    async def _page_of_replies(self, post: Post, after: int) -> dict[str, Any]:
        url = f"{post.uri}/replies"
        question = (
            select(Post.id, Post.uri)
            .where(Post.parent_id == post.id, Post.state == PostState.LIVE, Post.id > after)
            .order_by(Post.id)
            .limit(PAGE + 1)
        )
        rows = (await self.session.execute(question)).all()
        page = {
            "id": f"{url}?after={after}",
            "type": "CollectionPage",
            "partOf": url,
            "items": [row[1] for row in rows[:PAGE]],
        }
        return page | ({"next": f"{url}?after={rows[PAGE - 1][0]}"} if len(rows) > PAGE else {})
