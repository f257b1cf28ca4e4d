# SPDX-License-Identifier: Apache-2.0
"""What a pair writes down: messages, sessions, goals, actions, notes.

Both of a pair write; what is shared goes to the other one and nowhere else.
"""

import asyncio
from collections.abc import Set
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select, update

from server import text
from server.errors import Gone, Invalid, NotAllowed, NotFound, TooFast
from server.facts.mentoring import EntryShared, EntryTakenBack
from server.mentoring import notices, pairs
from server.mentoring.drafts import CHANGEABLE, OWN, REMOVABLE, STATES, EntryDraft
from server.mentoring.notices import Notice
from server.transaction import Transaction
from storage.base import held
from storage.log import ActivityBody
from storage.members import Member
from storage.mentoring import Entry, EntryKind, Pairing, PairState
from storage.mentoring.pairs import entry_by_uri, pairings_of

CHANGED = "This was changed meanwhile: look at it once more, then save yours again."
MOST_A_MINUTE = 20
MOST_ENTRIES = 5_000
MOST_IN_A_GROUP = 50


async def write(
    tx: Transaction, member: Member, pairing_id: int, draft: EntryDraft, *, shared: bool
) -> Entry:
    """Write something down; what is shared is told to the other one."""
    await _must_be_calm(tx, member)
    return await _write(tx, member, pairing_id, draft, shared=shared)


async def _must_be_calm(tx: Transaction, member: Member) -> None:
    since = tx.now - timedelta(minutes=1)
    # What one writes to a group at once is one thing, with one moment.
    lately = select(func.count(Entry.created.distinct())).where(
        Entry.author_id == member.id, Entry.created > since
    )
    if (await tx.session.execute(lately)).scalar_one() >= MOST_A_MINUTE:
        raise TooFast


async def _write(
    tx: Transaction, member: Member, pairing_id: int, draft: EntryDraft, *, shared: bool
) -> Entry:
    pairing = await _writable(tx, member, pairing_id, draft.kind)
    number = tx.ids.next()
    uri = f"{tx.settings.origin}/instance#entry-{number}"
    entry = await _new(tx, pairing, member, draft, (number, uri))
    entry.is_shared = draft.kind != EntryKind.REPORT and (draft.kind not in OWN or shared)
    _told(tx, pairing, entry, member)
    if draft.kind == EntryKind.REPORT:
        about = pairing.mentee_id if member.id == pairing.mentor_id else pairing.mentor_id
        await notices.tell_stewards(tx, pairing, about)
        return entry
    pairing.bumped = tx.now
    if entry.is_shared:
        await _tell(tx, pairing, entry, member)
    return entry


async def _tell(tx: Transaction, pairing: Pairing, entry: Entry, by: Member) -> None:
    kind = notices.OF_ENTRIES.get(EntryKind(entry.kind), Notice.WRITTEN)
    if kind == Notice.SESSION and entry.revision:
        kind = Notice.SESSION_CHANGED
    await notices.tell_other(tx, pairing, by, kind)


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
    await _must_be_calm(tx, mentor)
    for pairing in group:
        await _write(tx, mentor, pairing.id, draft, shared=True)
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
        is_gone=False,
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
        await _tell(tx, pairing, entry, member)
        await _flash_ends(tx, pairing, entry)
    return entry


async def change(
    tx: Transaction, member: Member, named: tuple[int, int], draft: EntryDraft, *, after: int
) -> Entry:
    """Write an entry of one's own anew (`named`: the pair's id and its); `after` is the revision
    that was read, so that nothing is overwritten that one has not seen.
    """
    entry, pairing = await _mine(tx, member, *named, among=CHANGEABLE)
    if entry.kind != draft.kind:
        raise NotFound
    if entry.revision != after:
        raise Invalid(message=CHANGED)
    await scrub(tx, entry)
    await _fill(tx, entry, replace(draft, state=entry.state))
    entry.changed = tx.now
    entry.revision += 1
    entry.followed_up = None
    if entry.is_shared:
        _told(tx, pairing, entry, member)
        await _tell(tx, pairing, entry, member)
    return entry


async def remove(tx: Transaction, member: Member, pairing_id: int, entry_id: int) -> Entry:
    """Take an entry of one's own back: neither of the two keeps it."""
    entry, pairing = await _mine(tx, member, pairing_id, entry_id, among=REMOVABLE)
    await scrub(tx, entry)
    _empty(tx, entry)
    if pairing.peer is not None and entry.is_shared:
        tx.record(EntryTakenBack(entry.id, member.id))
    return entry


async def _mine(
    tx: Transaction, member: Member, pairing_id: int, entry_id: int, *, among: Set[EntryKind]
) -> tuple[Entry, Pairing]:
    """An entry that its author may change, with its pair; both held."""
    entry = await own(tx, member, pairing_id, entry_id)
    pairing = await _writable(tx, member, pairing_id, EntryKind(entry.kind))
    entry = await held(tx.session, Entry, entry.id)
    if entry.is_gone:
        raise Gone("This was taken back already.")
    if entry.author_id != member.id or entry.kind not in among:
        raise NotAllowed("Only whoever wrote this may change it.")
    return entry, pairing


def _empty(tx: Transaction, entry: Entry) -> None:
    """Nothing but that it was there stays of an entry."""
    entry.title = entry.source = entry.html = ""
    entry.due, entry.is_gone, entry.updated = None, True, tx.now


async def scrub(tx: Transaction, entry: Entry) -> None:
    """What of an entry is still on its way elsewhere is not sent any more."""
    bodies = update(ActivityBody).where(ActivityBody.subject == entry.uri)
    await tx.session.execute(bodies.values(body=None))


async def _flash_ends(tx: Transaction, pairing: Pairing, entry: Entry) -> None:
    """A single conversation is all that a flash pair is for; both sides see that it was held."""
    if pairing.format == "flash" and entry.state == "held" and pairing.state in pairs.LIVE:
        await pairs.apply_end(tx, pairing, PairState.COMPLETED)
        await notices.tell_both(tx, pairing, Notice.COMPLETED)


async def own(tx: Transaction, member: Member, pairing_id: int, entry_id: int) -> Entry:
    """An entry that one of the pair may read."""
    await pairs.own(tx.session, member, pairing_id)
    entry = await tx.session.get(Entry, entry_id)
    if entry is None or entry.pairing_id != pairing_id or entry.kind == EntryKind.REPORT:
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
    elif revision <= entry.revision or entry.is_gone:
        return
    elif entry.author_id == person.id:
        if (entry.title, entry.source, entry.starts) != (draft.title, draft.text, draft.starts):
            entry.changed = tx.now
        await _fill(tx, entry, draft)
        entry.revision = revision
    else:
        # Of what somebody else wrote only the state is theirs to change.
        entry.state, entry.revision, entry.updated = draft.state, revision, tx.now
    pairing.bumped = tx.now
    await _tell(tx, pairing, entry, person)
    await _flash_ends(tx, pairing, entry)


async def apply_removal(tx: Transaction, person: Member, pairing: Pairing, uri: str) -> None:
    """The other one takes an entry of theirs back."""
    entry = await entry_by_uri(tx.session, uri)
    if entry is None or entry.pairing_id != pairing.id or entry.author_id != person.id:
        raise NotFound
    if entry.is_shared and entry.kind in REMOVABLE:
        _empty(tx, await held(tx.session, Entry, entry.id))
