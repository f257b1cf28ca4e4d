# SPDX-License-Identifier: Apache-2.0
"""Telling the other one of a pair what is shared with them, and nobody else."""

from typing import Any

from federation.mentoring import entries
from federation.mentoring.entries import Between, SharedEntry
from federation.outbox.telling import Telling
from server.facts.mentoring import EntryShared, EntryTakenBack, PairTold
from server.mentoring import agreements
from server.mentoring.agreements import Heard
from server.mentoring.drafts import EntryDraft
from storage.members import Member
from storage.mentoring import Entry, EntryKind, Pairing
from storage.peers import Peer


async def shared(t: Telling, fact: EntryShared) -> None:
    entry = await t.tx.session.get_one(Entry, fact.entry)
    pairing = await t.tx.session.get_one(Pairing, entry.pairing_id)
    if not entry.is_shared or entry.is_gone or entry.revision != fact.revision:
        # A later fact tells how it is now.
        return
    parent = await t.tx.session.get(Entry, entry.parent_id) if entry.parent_id else None
    author = await t.tx.session.get_one(Member, entry.author_id)
    draft = EntryDraft(
        EntryKind(entry.kind), entry.title, entry.source, entry.starts, entry.minutes, entry.due,
        entry.state, entry.rating, parent.uri if parent is not None else "",
    )  # fmt: skip
    between = await _between(t, pairing, fact.by)
    document = entries.entry(
        between, SharedEntry(entry.uri, author.uri, entry.revision, draft, entry.html)
    )
    await _send(t, pairing, between, document)


async def taken_back(t: Telling, fact: EntryTakenBack) -> None:
    entry = await t.tx.session.get_one(Entry, fact.entry)
    pairing = await t.tx.session.get_one(Pairing, entry.pairing_id)
    between = await _between(t, pairing, fact.by)
    await _send(t, pairing, between, entries.taken_back(between, entry.uri))


async def told(t: Telling, fact: PairTold) -> None:
    pairing = await t.tx.session.get_one(Pairing, fact.pairing)
    between = await _between(t, pairing, fact.by)
    said = Heard(fact.what)
    if fact.what == agreements.TERMS:
        said = Heard(fact.what, pairing.terms_number, agreements.of(pairing))
    elif fact.what == agreements.AGREED:
        said = Heard(fact.what, pairing.terms_number)
    await _send(t, pairing, between, entries.told(between, said, fact.n))


async def _between(t: Telling, pairing: Pairing, by: int) -> Between:
    other = pairing.mentee_id if by == pairing.mentor_id else pairing.mentor_id
    actor = await t.tx.session.get_one(Member, by)
    return Between(pairing.uri, actor.uri, (await t.tx.session.get_one(Member, other)).uri)


async def _send(t: Telling, pairing: Pairing, between: Between, document: dict[str, Any]) -> None:
    """To the one other agency, in order with all about this pair."""
    if pairing.peer is None:
        return
    peer = await t.tx.session.get_one(Peer, pairing.peer)
    await t.send_direct(
        document, between.actor, f"{peer.origin}/inbox", order_key=pairing.uri,
        subject=str(document["object"]["id"]), passing=True,
    )  # fmt: skip
