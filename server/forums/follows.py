# SPDX-License-Identifier: Apache-2.0
"""Following a forum, from here or from elsewhere."""

from sqlalchemy import func, select

from server.errors import NotAllowed, NotFound
from server.facts import (
    CopyWanted,
    FollowerAccepted,
    FollowerLeft,
    FollowerRejected,
    ForumFollowed,
    ForumLeft,
)
from server.forums.standing import standing, standing_now
from server.permissions import Permission, may, must
from server.settings import Federation
from server.transaction import Transaction
from storage import base, forums
from storage.forums import FEDERATED, CopyState, FollowState, Forum, ForumFollow
from storage.members import Member


async def follow(tx: Transaction, member: Member, forum: Forum) -> ForumFollow:
    """A local member follows; a forum elsewhere is asked first."""
    forum = await base.held(tx.session, Forum, forum.id)
    must(await standing(tx.session, member, forum), Permission.FOLLOW)
    held = await forums.follow_of(tx.session, forum.id, member.id)
    if held is not None and held.state != FollowState.REJECTED:
        return held
    if not forum.is_local and tx.settings.federates is Federation.OFF:
        raise NotAllowed("Forums of other agencies cannot be followed: federation is off here.")
    n = held.n + 1 if held else 1
    uri = f"{member.uri}#follow-{forum.id}-{n}"
    if held is None:
        held = ForumFollow(forum_id=forum.id, member_id=member.id)
        tx.session.add(held)
    held.n, held.uri, held.created, held.reason = n, uri, tx.now, ""
    if forum.is_local:
        held.state = FollowState.ACCEPTED
        forum.follower_count += 1
        return held
    held.state = FollowState.PENDING
    if forum.copy_state in {CopyState.KNOWN, CopyState.STALE}:
        forum.copy_state = CopyState.WAITING
    tx.record(ForumFollowed(forum.id, member.id))
    return held


async def leave(tx: Transaction, member: Member, forum: Forum) -> None:
    """A local member stops following; the last one out leaves the copy as it is."""
    forum = await base.held(tx.session, Forum, forum.id)
    held = await forums.follow_of(tx.session, forum.id, member.id)
    if held is None:
        return
    # The row stays as rejected, so that the next follow gets a wire id of its own.
    was, held.state = held.state, FollowState.REJECTED
    held.reason = "left"
    if forum.is_local:
        if was == FollowState.ACCEPTED:
            forum.follower_count = max(0, forum.follower_count - 1)
        return
    await tx.session.flush()
    if was == FollowState.REJECTED:
        return
    if not await followers_here(tx, forum):
        forum.copy_state = CopyState.STALE
    tx.record(ForumLeft(forum.id, member.id, held.uri))


def say_left(tx: Transaction, member: Member, forum: Forum, uri: str) -> None:
    """Tell a home once more that a member of ours does not follow it."""
    tx.record(ForumLeft(forum.id, member.id, uri))


async def followers_here(tx: Transaction, forum: Forum) -> int:
    """How many local members follow, or have asked to."""
    question = (
        select(func.count())
        .select_from(ForumFollow)
        .join(Member, Member.id == ForumFollow.member_id)
        .where(
            ForumFollow.forum_id == forum.id,
            ForumFollow.state != FollowState.REJECTED,
            Member.peer.is_(None),
        )
    )
    return (await tx.session.execute(question)).scalar_one()


async def accept_follower(tx: Transaction, person: Member, forum: Forum, uri: str) -> bool:
    """Someone elsewhere asks to follow a forum of ours; answers whether they may."""
    forum = await base.held(tx.session, Forum, forum.id)
    if not forum.is_local or forum.visibility not in FEDERATED:
        raise NotFound
    if not may(await standing_now(tx, person, forum), Permission.FOLLOW):
        reason = "This forum is shared with listed agencies only."
        tx.record(FollowerRejected(forum.id, person.id, uri, reason))
        return False
    held = await forums.follow_of(tx.session, forum.id, person.id)
    if held is None:
        held = ForumFollow(forum_id=forum.id, member_id=person.id, state=FollowState.REJECTED)
        held.created = tx.now
        tx.session.add(held)
    if held.state != FollowState.ACCEPTED:
        forum.follower_count += 1
    held.state, held.uri = FollowState.ACCEPTED, uri
    tx.record(FollowerAccepted(forum.id, person.id))
    return True


async def drop_follower(tx: Transaction, person: Member, forum: Forum) -> None:
    """Someone elsewhere no longer follows a forum of ours."""
    forum = await base.held(tx.session, Forum, forum.id)
    held = await forums.follow_of(tx.session, forum.id, person.id)
    if held is None or held.state != FollowState.ACCEPTED:
        return
    held.state, held.reason = FollowState.REJECTED, "left"
    forum.follower_count = max(0, forum.follower_count - 1)
    tx.record(FollowerLeft(forum.id, person.id))


async def confirmed(tx: Transaction, member: Member, forum: Forum) -> None:
    """The home accepted a follow of ours; the first one in starts the backfill."""
    forum = await base.held(tx.session, Forum, forum.id)
    held = await forums.follow_of(tx.session, forum.id, member.id)
    if held is None or held.state != FollowState.PENDING:
        return
    held.state = FollowState.ACCEPTED
    if forum.copy_state != CopyState.CURRENT:
        forum.copy_state = CopyState.FILLING
        forum.backfill_done = forum.backfill_total = 0
        forum.compare_next, forum.compare_tries = None, 0
        tx.record(CopyWanted(forum.id))


async def declined(tx: Transaction, member: Member, forum: Forum, reason: str) -> None:
    """The home rejected a follow of ours, or ended it."""
    forum = await base.held(tx.session, Forum, forum.id)
    held = await forums.follow_of(tx.session, forum.id, member.id)
    if held is None or held.reason == "left":
        return
    held.state, held.reason = FollowState.REJECTED, (reason or "No reason was given.")[:500]
    await tx.session.flush()
    if not await followers_here(tx, forum):
        known = forum.copy_state == CopyState.WAITING
        forum.copy_state = CopyState.KNOWN if known else CopyState.STALE
