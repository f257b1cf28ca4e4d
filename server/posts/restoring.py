# SPDX-License-Identifier: Apache-2.0
"""What a copy puts right on the word of its home, without telling it again."""

from sqlalchemy import select

from server.digests import post_changed
from server.endorsements import apply_withdrawal
from server.transaction import Transaction
from storage.base import held
from storage.endorsements import Endorsement
from storage.members import Member
from storage.posts import Post, PostState, Withheld


async def restore_endorsement(tx: Transaction, member: Member, post: Post, uri: str) -> None:
    """The home counts an endorsement that one of us gave, and that was lost here."""
    post = await held(tx.session, Post, post.id)
    given = await tx.session.get(Endorsement, (post.id, member.id))
    if given is not None:
        if given.active and given.state != PostState.LIVE:
            given.state = PostState.LIVE
            await post_changed(tx, post)
        return
    number = uri.rpartition("-")[2]
    tx.session.add(
        Endorsement(
            post_id=post.id,
            member_id=member.id,
            uri=uri,
            active=True,
            state=PostState.LIVE,
            n=int(number) if number.isdecimal() and len(number) < 9 else 1,
            at=tx.now,
        )
    )
    post.endorsement_count += 1
    await post_changed(tx, post)


async def endorsed_by_no_others(tx: Transaction, post: Post, actors: set[str]) -> None:
    """The home names everybody who endorses a post: nobody else does.

    What one of us gave, and the home has not taken yet, stays.
    """
    question = (
        select(Member, Endorsement)
        .join(Endorsement, Endorsement.member_id == Member.id)
        .where(
            Endorsement.post_id == post.id,
            Endorsement.active,
            Endorsement.state == PostState.LIVE,
        )
    )
    for member, given in (await tx.session.execute(question)).all():
        if member.uri in actors:
            continue
        if not member.is_local:
            await apply_withdrawal(tx, member, post)
            continue
        # Not as a deed of our member: that would be sent to the home again.
        post = await held(tx.session, Post, post.id)
        given.active = False
        post.endorsement_count = max(0, post.endorsement_count - 1)
        await post_changed(tx, post)


async def no_longer_withheld(tx: Transaction, uri: str) -> None:
    """A post that was kept out is here now, or gone at its home: it is counted no longer."""
    row = await tx.session.get(Withheld, uri)
    if row is None:
        return
    if row.thread_id is not None:
        opener = await held(tx.session, Post, row.thread_id)
        opener.withheld_count = max(0, opener.withheld_count - 1)
    await tx.session.delete(row)
