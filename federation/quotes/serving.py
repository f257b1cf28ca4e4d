# SPDX-License-Identifier: Apache-2.0
"""The stamps of quotes, for those that may see what is quoted (FEP-044f)."""

from typing import Any

from federation.documents import Documents
from federation.quotes.stamps import Asked, stamp
from server import quotes
from server.errors import NotFound
from storage.forums import Forum
from storage.members import Member, MemberState
from storage.quotes import Quote


class QuoteDocuments(Documents):
    """Answers for the stamps of posts of ours."""

    async def stamp(self, number: int, quote: int) -> dict[str, Any]:
        """The stamp while it stands; NotFound once the quote, or what it quotes, is gone."""
        post = await self._own_post(number)
        held = await self.session.get(Quote, quote)
        if held is None or held.post_id != post.id or not held.active:
            raise NotFound
        forum = await self.session.get_one(Forum, post.forum_id)
        author = await self.session.get_one(Member, post.author_id)
        person = await self.session.get_one(Member, held.member_id)
        if quotes.why_not(post, forum, author) or person.state == MemberState.GONE:
            raise NotFound
        asked = Asked(held.request, person.uri, held.uri, post.uri)
        return await self._signed(author.uri, stamp(asked, held.id, author.uri))
