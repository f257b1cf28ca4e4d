# SPDX-License-Identifier: Apache-2.0
"""Offering a change back to the author of the original, and answering.

`offer` and `answer` go by the rules of this instance; `receive` and `answered` are their other
halves, which a translator calls with what another instance sent.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Gone, Invalid, NotAllowed, NotFound
from server.facts import ChangeOffered, OfferAnswered, OfferWithdrawn
from server.library import drafts
from server.notifications import Notice, tell_anew
from server.practices import changes
from server.practices.record import Credit, Record, pack, unpack
from server.practices.typed import typed_of
from server.records.editions import Beginning
from server.transaction import Transaction
from storage.members import Member, MemberState
from storage.posts import Post, PostState, by_uri
from storage.practices import ChangeOffer, Practice, PracticeDraft

LONGEST_NOTE = 1_000
LONGEST_REASON = 500
MOST_WAITING = 5


class OfferState(StrEnum):
    """Where an offer stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class OfferDraft:
    """What somebody offers; `uri` is the id of an Offer made elsewhere, `record` what it holds."""

    sections: tuple[str, ...]
    note: str = ""
    uri: str = ""
    based_on: str = ""
    of_version: int = 1
    record: Record | None = None


async def original_of(session: AsyncSession, made: Practice) -> int | None:
    """The post that an adaptation was made from, if it is held here."""
    source = await by_uri(session, made.based_on) if made.based_on else None
    return source.id if source is not None else None


async def sides(tx: Transaction, member: Member, made: Post) -> tuple[Record, Post, Practice]:
    """One's own adaptation as a record, and the original that something can be offered to."""
    practice = await tx.session.get(Practice, made.id)
    if practice is None or made.author_id != member.id or not member.is_local:
        raise NotAllowed("Only whoever made an adaptation offers something of it back.")
    source = await by_uri(tx.session, practice.based_on) if practice.based_on else None
    original = await tx.session.get(Practice, source.id) if source is not None else None
    if source is None or original is None or source.state != PostState.LIVE:
        raise Gone("The original is not held here any longer.")
    if source.author_id == member.id:
        raise NotAllowed("The original is your own: write a new version of it.")
    return unpack(practice.record), source, original


async def offer(tx: Transaction, member: Member, made: Post, draft: OfferDraft) -> ChangeOffer:
    """Offer sections of one's adaptation to the author of the original.

    Invalid names `sections` or `note`.
    """
    mine, source, original = await sides(tx, member, made)
    there = unpack(original.record)
    chosen = [name for name in changes.offerable(there, mine) if name in draft.sections]
    if not chosen:
        raise Invalid({"sections": "Choose at least one section that differs."})
    note = _note(draft.note)
    row = await _kept(tx, member, source, OfferDraft(
        tuple(chosen), note, "", made.uri, original.version, changes.part_of(mine, chosen)
    ))  # fmt: skip
    tx.record(ChangeOffered(row.id))
    return row


def _note(words: str) -> str:
    note = text.clean_line(words, LONGEST_NOTE + 1)
    if len(note) > LONGEST_NOTE:
        raise Invalid({"note": f"Keep it under {LONGEST_NOTE:,} characters."})
    return note


async def receive(tx: Transaction, person: Member, source: Post, draft: OfferDraft) -> None:
    """An offer that came from another agency, for a practice of one of our own people."""
    author = await tx.session.get_one(Member, source.author_id)
    held = await tx.session.get(Practice, source.id)
    if not author.is_local or held is None or source.state != PostState.LIVE:
        raise NotFound("There is no such practice here.")
    if author.state != MemberState.ACTIVE:
        raise NotAllowed("Whoever wrote this practice is no longer here to answer.")
    if author.id == person.id or not set(draft.sections) <= set(changes.OFFERABLE):
        raise Invalid(message="This offers nothing that can be taken over.")
    await _kept(tx, person, source, draft)


async def _kept(tx: Transaction, member: Member, source: Post, draft: OfferDraft) -> ChangeOffer:
    """Keep an offer, and tell whom it is for."""
    waiting = (
        select(func.count())
        .select_from(ChangeOffer)
        .where(
            ChangeOffer.post_id == source.id,
            ChangeOffer.from_id == member.id,
            ChangeOffer.state == OfferState.WAITING,
        )
    )
    if (await tx.session.execute(waiting)).scalar_one() >= MOST_WAITING:
        raise NotAllowed(f"{MOST_WAITING} offers of yours wait for an answer already.")
    number = tx.ids.next()
    row = ChangeOffer(
        id=number,
        uri=draft.uri or f"{member.uri}#offer-{number}",
        post_id=source.id,
        from_id=member.id,
        based_on=draft.based_on,
        of_version=draft.of_version,
        sections=json.dumps(list(draft.sections)),
        record=pack(draft.record or Record()),
        note=draft.note,
        state=OfferState.WAITING,
        at=tx.now,
    )
    tx.session.add(row)
    await tx.session.flush()
    await tell_anew(tx, source.author_id, Notice.OFFER, source, member.id)
    return row


async def take(tx: Transaction, author: Member, number: int) -> PracticeDraft:
    """Take an offer into a draft of the next version, with thanks to who made it."""
    row, post, person = await _open(tx, author, number)
    practice = await tx.session.get_one(Practice, post.id)
    agency = person.agency or person.peer or tx.settings.agency_name
    record = changes.taken_over(unpack(practice.record), unpack(row.record), sections_of(row))
    record = changes.credited(record, Credit(person.name[:200], agency[:200], person.uri))
    beginning = Beginning(
        typed_of(record), forum=post.forum_id, post=post.id, source_version=practice.version
    )
    draft = await drafts.begin(tx, author, beginning)
    await _answer(tx, row, post, OfferState.TAKEN, "")
    return draft


async def decline(tx: Transaction, author: Member, number: int, reason: str) -> None:
    """Decline an offer, with a reason that who made it reads; Invalid names `reason`."""
    row, post, _ = await _open(tx, author, number)
    said = text.clean_line(reason, LONGEST_REASON + 1)
    if not said:
        raise Invalid({"reason": "Say in a sentence why not: they took the trouble."})
    if len(said) > LONGEST_REASON:
        raise Invalid({"reason": f"Keep it under {LONGEST_REASON} characters."})
    await _answer(tx, row, post, OfferState.DECLINED, said)


async def _open(tx: Transaction, author: Member, number: int) -> tuple[ChangeOffer, Post, Member]:
    """An offer that waits for this author's answer."""
    row = await tx.session.get(ChangeOffer, number)
    post = await tx.session.get(Post, row.post_id) if row is not None else None
    if row is None or post is None or post.author_id != author.id:
        raise NotFound
    if row.state != OfferState.WAITING:
        raise NotAllowed("This offer was answered, or taken back, already.")
    return row, post, await tx.session.get_one(Member, row.from_id)


async def _answer(
    tx: Transaction, row: ChangeOffer, post: Post, state: OfferState, reason: str
) -> None:
    row.state, row.reason, row.answered = state, reason, tx.now
    await tx.session.flush()
    kind = Notice.OFFER_TAKEN if state == OfferState.TAKEN else Notice.OFFER_DECLINED
    await tell_anew(tx, row.from_id, kind, post, post.author_id)
    tx.record(OfferAnswered(row.id))


async def answered(
    tx: Transaction, signer: Member, uri: str, *, taken: bool, reason: str = ""
) -> bool:
    """The author elsewhere answers an offer of one of us; False where it is none of ours."""
    row = await _by_uri(tx.session, uri)
    if row is None:
        return False
    post = await tx.session.get_one(Post, row.post_id)
    person = await tx.session.get_one(Member, row.from_id)
    if post.author_id != signer.id or not person.is_local or row.state != OfferState.WAITING:
        return False
    state = OfferState.TAKEN if taken else OfferState.DECLINED
    row.state, row.answered = state, tx.now
    row.reason = text.clean_line(reason, LONGEST_REASON)
    kind = Notice.OFFER_TAKEN if taken else Notice.OFFER_DECLINED
    await tell_anew(tx, person.id, kind, post, signer.id)
    return True


async def withdraw(tx: Transaction, member: Member, number: int) -> None:
    """Take one's own offer back while it waits."""
    row = await tx.session.get(ChangeOffer, number)
    if row is None or row.from_id != member.id:
        raise NotFound
    if row.state == OfferState.WAITING:
        row.state = OfferState.WITHDRAWN
        tx.record(OfferWithdrawn(row.id))


async def withdrawn(tx: Transaction, person: Member, uri: str) -> bool:
    """Somebody elsewhere takes an offer back; False where there is none of theirs."""
    row = await _by_uri(tx.session, uri)
    if row is None or row.from_id != person.id:
        return False
    if row.state == OfferState.WAITING:
        row.state = OfferState.WITHDRAWN
    return True


async def _by_uri(session: AsyncSession, uri: str) -> ChangeOffer | None:
    question = select(ChangeOffer).where(ChangeOffer.uri == uri)
    return (await session.execute(question)).scalar_one_or_none()


def sections_of(row: ChangeOffer) -> Collection[str]:
    """The sections that an offer is of."""
    found: list[str] = json.loads(row.sections)
    return found
