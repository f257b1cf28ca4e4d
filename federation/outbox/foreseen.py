# SPDX-License-Identifier: Apache-2.0
"""What facts that are told together are about, read for all of them at once."""

from collections.abc import Sequence

from sqlalchemy import bindparam, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.facts import Endorsed, EndorsementWithdrawn, Fact, ReplyPosted, ThreadPosted
from storage.among import among
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post

# Unions, since an OR of a list and a question is answered from no index.
_ENDORSED = select(Post.id).where(among(Post.id, "endorsed"))
_OPENERS = select(Post.thread_id).where(among(Post.id, "about"))
_POSTS = select(Post).where(Post.id.in_(_ENDORSED.union(_OPENERS)), not_(among(Post.id, "changed")))
_NAMED = select(Member.id).where(among(Member.id, "people"))
_AUTHORS = select(Post.author_id).where(among(Post.id, "about"))
_PEOPLE = select(Member).where(Member.id.in_(_NAMED.union(_AUTHORS)))
_ENDORSEMENTS = select(Endorsement).where(
    among(Endorsement.post_id, "endorsed"), among(Endorsement.member_id, "people")
)
# One post by itself, with all that its telling begins with.
_ONE = (
    select(Post, Member, Forum)
    .outerjoin(Member, Member.id == Post.author_id)
    .join(Forum, Forum.id == Post.forum_id)
    .where(Post.id == bindparam("post"))
)


async def read(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """Have at hand what most facts need; a session that keeps hold of its rows does the rest.

    A post of which more than an endorsement is told is left to its own turn: whether it is still
    there, and what is in it, is asked as late as can be.
    """
    given = [fact for fact in facts if isinstance(fact, Endorsed | EndorsementWithdrawn)]
    shared = {fact.post for fact in facts if isinstance(fact, ThreadPosted | ReplyPosted)}
    endorsed = {fact.post for fact in given}
    if len(facts) == 1 and shared:
        await session.execute(_ONE, {"post": min(shared)})
        return
    if len(given) + len(shared) < 2:
        return
    changed = {getattr(fact, "post", 0) for fact in facts if fact not in given}
    people = sorted({fact.member for fact in given})
    about = {"about": sorted(endorsed | shared)}
    await session.execute(
        _POSTS, about | {"endorsed": sorted(endorsed), "changed": sorted(changed)}
    )
    await session.execute(_PEOPLE, about | {"people": people})
    await session.execute(_ENDORSEMENTS, {"endorsed": sorted(endorsed), "people": people})
