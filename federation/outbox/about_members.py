# SPDX-License-Identifier: Apache-2.0
"""Telling what changed about members."""

import orjson
from sqlalchemy import and_, or_, select

from federation import members
from federation.documents import member_document
from federation.outbox.telling import Telling
from server import peers
from server.facts import ProfileChanged
from server.software import takes_people
from storage.forums import Forum, Visibility
from storage.log import Entry, Form, Lane, LogRecipient, LogRow, Subscription
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post


async def profile_changed(t: Telling, fact: ProfileChanged) -> None:
    """Update{Person} to every agency we deliver to, and to others who know them: one row."""
    member = await t.tx.session.get_one(Member, fact.member)
    recipients = await _acquainted(t, member)
    if not recipients:
        return
    document = members.update_person(
        member, await member_document(t.tx.session, t.wire.urls, member)
    )
    entry = Entry(
        form=Form.DIRECT,
        activity_id=str(document["id"]),
        signer=member.uri,
        order_key=member.uri,
        audience=member.uri,
        subject=member.uri,
    )
    raw = orjson.dumps(await t.sign(member.uri, document)).decode()
    await t.append(raw, [(entry, recipients)])


async def _acquainted(t: Telling, member: Member) -> list[int]:
    """The lanes to agencies, and to those that got something the member wrote or did.

    Others follow a public forum that the member has posted in, or were sent a post directly.
    """
    written = (
        select(Forum.uri)
        .join(Post, Post.forum_id == Forum.id)
        .where(
            Post.author_id == member.id,
            Forum.peer.is_(None),
            Forum.visibility == Visibility.PUBLIC,
        )
    )
    followers = select(Subscription.lane_id).where(Subscription.audience.in_(written))
    told = (
        select(LogRecipient.lane_id)
        .join(LogRow, LogRow.seq == LogRecipient.seq)
        .join(Post, Post.uri == LogRow.subject)
        .where(Post.author_id == member.id, LogRow.signer == member.uri, LogRow.form == Form.DIRECT)
    )
    question = (
        select(Lane.id, Lane.peer)
        .join(Peer, Peer.host == Lane.peer)
        .where(
            or_(
                Peer.software == peers.GUILDHALL,
                and_(takes_people(), or_(Lane.id.in_(followers), Lane.id.in_(told))),
            )
        )
        .order_by(Lane.id)
    )
    found = (await t.tx.session.execute(question)).all()
    rules, mode = await peers.rules(t.tx.session), t.tx.settings.federates
    # For whom policy keeps out it would wait in vain.
    return [lane for lane, host in found if peers.decide(mode, rules, host, t.tx.now).allowed]
