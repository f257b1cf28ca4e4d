# SPDX-License-Identifier: Apache-2.0
"""Who endorses a post written here, page by page."""

from typing import Any

import orjson
from sqlalchemy import or_, select

from federation.digests.measures import LIKES_A_PAGE
from federation.documents import Documents, collection
from federation.endorsements import like
from storage.endorsements import Endorsement
from storage.forums import Forum, Visibility
from storage.log import ActivityBody
from storage.members import Member
from storage.posts import Post


class LikeDocuments(Documents):
    """Answers for the endorsements of posts."""

    async def likes(self, number: int, after: int | None) -> dict[str, Any]:
        """The endorsements of a post, LIKES_A_PAGE at a time: for others only their number."""
        post = await self._own_post(number)
        url = f"{post.uri}/likes"
        if not self.asker.agency:
            return collection(url, "Collection", post.endorsement_count, None)
        found = await self._likes(post, after=after or 0, most=LIKES_A_PAGE + 1)
        likes = [document for _, document in found[:LIKES_A_PAGE]]
        document = collection(url, "Collection", post.endorsement_count, likes)
        if len(found) > LIKES_A_PAGE:
            document["next"] = f"{url}?after={found[LIKES_A_PAGE - 1][0]}"
        return document

    async def _likes(
        self, post: Post, *, after: int, most: int
    ) -> list[tuple[int, dict[str, Any]]]:
        """The Likes of a post with their proofs, each with the number of who gives it."""
        forum = await self.session.get_one(Forum, post.forum_id)
        author = await self.session.get_one(Member, post.author_id)
        question = (
            select(Endorsement, Member, ActivityBody.body)
            .join(Member, Member.id == Endorsement.member_id)
            .outerjoin(ActivityBody, ActivityBody.id == Endorsement.received)
            .where(
                Endorsement.post_id == post.id,
                Endorsement.active,
                Endorsement.member_id > after,
                # Those of others as they came, or not at all.
                or_(Member.peer.is_(None), ActivityBody.body.is_not(None)),
            )
            .order_by(Endorsement.member_id)
            .limit(most)
        )
        named = author.uri if forum.visibility == Visibility.PUBLIC else None
        found: list[tuple[int, dict[str, Any]]] = []
        for held, member, body in (await self.session.execute(question)).all():
            if body is not None and not member.is_local:
                found.append((member.id, orjson.loads(body)))
                continue
            document = like(held.uri, member.uri, post.uri, forum.uri, author=named)
            found.append((member.id, await self._signed(member.uri, document)))
        return found
