# SPDX-License-Identifier: Apache-2.0
"""Telling what changed about members."""

import orjson
from sqlalchemy import select

from federation import members
from federation.documents import member_document
from federation.outbox.telling import Telling
from server import peers
from server.facts import ProfileChanged
from storage import log
from storage.log import Entry, Form, Lane
from storage.members import Member
from storage.peers import Peer


async def profile_changed(t: Telling, fact: ProfileChanged) -> None:
    """Update{Person} to every agency we deliver to: one row, whoever they are."""
    member = await t.tx.session.get_one(Member, fact.member)
    lanes = (
        select(Lane.id)
        .join(Peer, Peer.host == Lane.peer)
        .where(Peer.software == peers.GUILDHALL)
        .order_by(Lane.id)
    )
    recipients = list((await t.tx.session.execute(lanes)).scalars())
    if not recipients:
        return
    document = members.update_person(
        member, await member_document(t.tx.session, t.wire.urls, member)
    )
    raw = orjson.dumps(await t.sign(member.uri, document)).decode()
    body = t.body(raw, member.uri)
    await t.tx.session.flush()
    entry = Entry(
        form=Form.DIRECT,
        activity_id=str(document["id"]),
        signer=member.uri,
        order_key=member.uri,
        audience=member.uri,
        subject=member.uri,
    )
    await log.append(t.tx.session, entry, body, t.tx.now, recipients)
