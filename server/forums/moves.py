# SPDX-License-Identifier: Apache-2.0
"""Following a forum to where it has moved."""

from sqlalchemy import select

from server.forums import follows
from server.transaction import Transaction
from storage import forums
from storage.forums import FollowState, Forum, ForumFollow
from storage.members import Member, MemberState

AT_MOST = 1_000


async def follow_there(tx: Transaction, old: Forum, new: Forum) -> bool:
    """The old forum is shown to have moved, and our members who follow it follow the new one.

    Answers whether anything changed. Who left the new one before, or was turned away there, is
    not taken back to it.
    """
    held = await tx.session.get_one(Forum, old.id)
    known, held.moved_to = held.moved_to, new.uri
    question = (
        select(Member)
        .join(ForumFollow, ForumFollow.member_id == Member.id)
        .where(
            ForumFollow.forum_id == old.id,
            ForumFollow.state != FollowState.REJECTED,
            Member.peer.is_(None),
            Member.state == MemberState.ACTIVE,
        )
        .order_by(Member.id)
        .limit(AT_MOST)
    )
    people = (await tx.session.execute(question)).scalars().all()
    for member in people:
        if await forums.follow_of(tx.session, new.id, member.id) is None:
            await follows.follow(tx, member, new)
        await follows.leave(tx, member, old)
    return bool(people) or known != new.uri
