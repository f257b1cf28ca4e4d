# SPDX-License-Identifier: Apache-2.0
"""Whether a post that came may show the one it quotes (FEP-044f)."""

from dataclasses import dataclass, replace

from sqlalchemy import select

from federation.authority import same_origin
from federation.errors import WireError
from federation.fetch.allowance import TooMuchAsked
from federation.incoming import Incoming
from federation.posts import SharedPost
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.values import type_of, url_id_of
from server.quotes import address
from storage import quotes
from storage.members import Member
from storage.posts import Post


@dataclass(frozen=True)
class Leave:
    """The post that another may show, and the document that allows it; "" where there is none.

    A document alone is one that could not be had, and may be had later.
    """

    quoted: str = ""
    stamp: str = ""

    def given(self, sharing: SharedPost) -> SharedPost:
        """The post with it."""
        return replace(sharing, quoted=self.quoted, stamp=self.stamp)


async def leave(incoming: Incoming, post: WirePost) -> Leave:
    """Leave to show what a post quotes, where that is held here and its author gives it.

    Anybody quotes themselves. For a post of ours we know whom we allowed it; for one of others
    the stamp is asked for at its author's server. Where that does not answer, nothing is shown
    until it does.
    """
    if post.quote is None:
        return Leave()
    async with incoming.wire.instance.reading() as session:
        question = (
            select(Post, Member)
            .join(Member, Member.id == Post.author_id)
            .where(Post.uri == post.quote)
        )
        found = (await session.execute(question)).one_or_none()
        if found is None:
            return Leave()
        quoted, author = found
        ours = await quotes.of_post(session, quoted.id, post.id) if author.is_local else None
    if author.uri == post.author:
        return Leave(quoted.uri)
    if author.is_local:
        if ours is None or not ours.active:
            return Leave()
        return Leave(quoted.uri, address(quoted.uri, ours.id))
    if post.stamp is None:
        return Leave()
    try:
        stands = await _stands(incoming, post.stamp, author.uri, post)
    except WireError as error:
        is_for_later = not error.permanent or isinstance(error, TooMuchAsked)
        return Leave("", post.stamp if is_for_later else "")
    return Leave(quoted.uri, post.stamp) if stands else Leave()


async def _stands(incoming: Incoming, stamp: str, author: str, post: WirePost) -> bool:
    """Whether a stamp says that its author, who wrote what is quoted, allows this very post.

    Raises WireError where it cannot be had.
    """
    if not same_origin(stamp, author) or not await incoming.is_allowed(stamp):
        return False
    shown = (await incoming.wire.document(stamp)).data
    said = [shown.get(name) for name in ("id", "attributedTo", "interactingObject")]
    said.append(shown.get("interactionTarget"))
    meant = [stamp, author, post.id, post.quote]
    return type_of(shown) == "QuoteAuthorization" and [url_id_of(one) for one in said] == meant
