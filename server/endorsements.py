# SPDX-License-Identifier: Apache-2.0
"""Endorsing a post, and taking it back."""

from server.digests import post_changed
from server.errors import Gone, NotFound
from server.facts import Endorsed, EndorsementWithdrawn
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.transaction import Transaction
from storage import base
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState


async def endorse(tx: Transaction, member: Member, post: Post, uri: str = "") -> bool:
    """Endorse a post once; answers False when it already was.

    `uri` is the wire id of a Like from elsewhere; ours are derived.
    """
    post, forum = await _live(tx, member, post)
    return await apply_endorsement(tx, member, post, forum, uri)


async def apply_endorsement(
    tx: Transaction, member: Member, post: Post, forum: Forum, uri: str = ""
) -> bool:
    """The endorsement as it then is, without asking whether it may be."""
    post = await base.held(tx.session, Post, post.id)
    held = await tx.session.get(Endorsement, (post.id, member.id))
    if held is not None and (held.active or (uri and held.uri == uri)):
        # Active already, or an Undo of this very Like overtook it.
        if held.active and held.state == PostState.SENT and uri:
            held.state = PostState.LIVE
            await post_changed(tx, post)
        return False
    if held is None:
        held = Endorsement(post_id=post.id, member_id=member.id, n=0, active=False)
        tx.session.add(held)
    held.n += 1
    held.active, held.at, held.received = True, tx.now, tx.received
    held.uri = uri or f"{member.uri}#like-{post.id}-{held.n}"
    sent = member.is_local and not forum.is_local
    held.state = PostState.SENT if sent else PostState.LIVE
    post.endorsement_count += 1
    tx.record(Endorsed(post.id, member.id, held.n))
    return True


async def withdraw(tx: Transaction, member: Member, post: Post) -> bool:
    """Take an endorsement back; answers False when there was none."""
    post, _forum = await _live(tx, member, post)
    return await apply_withdrawal(tx, member, post)


async def apply_withdrawal(tx: Transaction, member: Member, post: Post, uri: str = "") -> bool:
    """The withdrawal as it then is; one that overtook its Like is remembered by `uri`."""
    post = await base.held(tx.session, Post, post.id)
    held = await tx.session.get(Endorsement, (post.id, member.id))
    if held is None and uri:
        tx.session.add(
            Endorsement(post_id=post.id, member_id=member.id, uri=uri, active=False, n=1, at=tx.now)
        )
    if held is None or not held.active:
        return False
    held.active = False
    held.at = tx.now
    post.endorsement_count = max(0, post.endorsement_count - 1)
    tx.record(EndorsementWithdrawn(post.id, member.id, held.n))
    return True


async def _live(tx: Transaction, member: Member, post: Post) -> tuple[Post, Forum]:
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.ENDORSE)
    if post.state == PostState.DELETED:
        raise Gone
    if post.state == PostState.REFUSED:
        raise NotFound
    return post, forum
