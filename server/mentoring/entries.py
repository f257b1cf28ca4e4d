# SPDX-License-Identifier: Apache-2.0
"""What a pair writes down: messages, sessions, goals, actions, notes.

Both of a pair write; what is shared goes to the other one and nowhere else.
"""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from server import text
from server.errors import Gone, Invalid, NotAllowed, NotFound, TooFast
from server.facts.mentoring import EntryShared
from server.mentoring import pairs
from server.mentoring.drafts import OWN, STATES, EntryDraft
from server.transaction import Transaction
from storage.base import held
from storage.members import Member
from storage.mentoring import Entry, EntryKind, Pairing, PairState
from storage.mentoring.pairs import entry_by_uri, pairings_of

MOST_A_MINUTE = 20
MOST_ENTRIES = 5_000
MOST_IN_A_GROUP = 50


async def write(
    tx: Transaction, member: Member, pairing_id: int, draft: EntryDraft, *, shared: bool
) -> Entry:
    """Write something down; what is shared is told to the other one."""
    pairing = await _writable(tx, member, pairing_id, draft.kind)
    since = tx.now - timedelta(minutes=1)
    lately = select(func.count()).where(Entry.author_id == member.id, Entry.created > since)
    if (await tx.session.execute(lately)).scalar_one() >= MOST_A_MINUTE:
        raise TooFast
    number = tx.ids.next()
    uri = f"{tx.settings.origin}/instance#entry-{number}"
    entry = await _new(tx, pairing, member, draft, (number, uri))
    entry.is_shared = draft.kind != EntryKind.REPORT and (draft.kind not in OWN or shared)
    _told(tx, pairing, entry, member)
    if draft.kind != EntryKind.REPORT:
        pairing.bumped = tx.now
    return entry


async def write_to_group(
    tx: Transaction, mentor: Member, pairing_id: int, draft: EntryDraft
) -> int:
    """Write the same to everybody whom one mentors in a group; answers to how many."""
    first = await pairs.own(tx.session, mentor, pairing_id)
    if first.format != "group" or first.mentor_id != mentor.id:
        raise NotAllowed("Only the mentor of a group writes to all of it.")
    group = [
        pairing
        for pairing in await pairings_of(tx.session, mentor.id, MOST_IN_A_GROUP)
        if pairing.mentor_id == mentor.id
        and pairing.programme_id == first.programme_id
        and pairing.format == "group"
        and pairing.state == PairState.ACTIVE
    ]
    for pairing in group:
        await write(tx, mentor, pairing.id, draft, shared=True)
    return len(group)


async def _writable(tx: Transaction, member: Member, pairing_id: int, kind: EntryKind) -> Pairing:
    """A pair that this one of it may write in: paused ones rest, ended ones take feedback."""
    pairing = await pairs.own(tx.session, member, pairing_id)
    pairing = await held(tx.session, Pairing, pairing.id)
    afterwards = {EntryKind.FEEDBACK, EntryKind.REPORT}
    if pairing.state == PairState.PAUSED and kind not in afterwards | {EntryKind.NOTE}:
        raise NotAllowed("You are pausing: go on first.")
    if pairing.state not in pairs.LIVE and kind not in afterwards:
        raise NotAllowed("This pair has ended: what was written stays.")
    return pairing


async def _new(
    tx: Transaction, pairing: Pairing, author: Member, draft: EntryDraft, named: tuple[int, str]
) -> Entry:
    parent = await entry_by_uri(tx.session, draft.parent) if draft.parent else None
    if draft.kind == EntryKind.CHECK_IN and (
        parent is None or parent.pairing_id != pairing.id or parent.kind != EntryKind.GOAL
    ):
        raise Invalid({"parent": "Choose the goal that this is about."})
    entry = Entry(
        id=named[0], uri=named[1], pairing_id=pairing.id, author_id=author.id, kind=draft.kind,
        parent_id=parent.id if parent else None, revision=0, created=tx.now, is_shared=True,
    )  # fmt: skip
    await _fill(tx, entry, draft)
    tx.session.add(entry)
    await tx.session.flush()
    return entry


async def _fill(tx: Transaction, entry: Entry, draft: EntryDraft) -> None:
    entry.title, entry.source = draft.title, draft.text
    entry.html = await asyncio.to_thread(text.render, draft.text)
    entry.starts, entry.minutes, entry.due = draft.starts, draft.minutes, draft.due
    entry.state, entry.rating, entry.updated = draft.state, draft.rating, tx.now


def _told(tx: Transaction, pairing: Pairing, entry: Entry, by: Member) -> None:
    if pairing.peer is not None and entry.is_shared:
        tx.record(EntryShared(entry.id, entry.revision, by.id))


async def mark(
    tx: Transaction, member: Member, pairing_id: int, entry_id: int, state: str
) -> Entry:
    """Say how a session went, or that something is done; either of the two may."""
    entry = await own(tx, member, pairing_id, entry_id)
    pairing = await _writable(tx, member, pairing_id, EntryKind(entry.kind))
    if not state or state not in STATES.get(EntryKind(entry.kind), ()):
        raise Invalid({"state": "Choose from the list."})
    if entry.state != state:
        entry.state, entry.updated = state, tx.now
        entry.revision += 1
        pairing.bumped = tx.now
        _told(tx, pairing, entry, member)
        await _flash_ends(tx, pairing, entry)
    return entry


async def _flash_ends(tx: Transaction, pairing: Pairing, entry: Entry) -> None:
    """A single conversation is all that a flash pair is for; both sides see that it was held."""
    if pairing.format == "flash" and entry.state == "held" and pairing.state in pairs.LIVE:
        await pairs.apply_end(tx, pairing, PairState.COMPLETED)


async def own(tx: Transaction, member: Member, pairing_id: int, entry_id: int) -> Entry:
    """An entry that one of the pair may read."""
    await pairs.own(tx.session, member, pairing_id)
    entry = await tx.session.get(Entry, entry_id)
    if entry is None or entry.pairing_id != pairing_id:
        raise NotFound
    if not entry.is_shared and entry.author_id != member.id:
        raise NotFound
    return entry


async def apply(
    tx: Transaction, person: Member, pairing: Pairing, named: tuple[str, int], draft: EntryDraft
) -> None:
    """What the other one shares, under its id and revision; what is older is left."""
    uri, revision = named
    pairing = await held(tx.session, Pairing, pairing.id)
    if draft.kind == EntryKind.REPORT:
        raise NotFound
    entry = await entry_by_uri(tx.session, uri)
    if entry is None:
        count = select(func.count()).where(Entry.pairing_id == pairing.id)
        if (await tx.session.execute(count)).scalar_one() >= MOST_ENTRIES:
            raise Gone("This pair has written all that it can.")
        entry = await _new(tx, pairing, person, draft, (tx.ids.next(), uri))
        entry.revision = revision
    elif entry.pairing_id != pairing.id or entry.kind != draft.kind or not entry.is_shared:
        raise NotFound
    elif revision <= entry.revision:
        return
    elif entry.author_id == person.id:
        await _fill(tx, entry, draft)
        entry.revision = revision
    else:
        # Of what somebody else wrote only the state is theirs to change.
        entry.state, entry.revision, entry.updated = draft.state, revision, tx.now
    pairing.bumped = tx.now
    await _flash_ends(tx, pairing, entry)
