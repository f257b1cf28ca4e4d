# SPDX-License-Identifier: Apache-2.0
"""Sending a file into a draft piece by piece, so that it can go on."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Invalid, NotFound, Refusal
from server.files import NewFile
from server.resources import drafts, intake, pieces
from server.resources.intake import TakenIn
from server.resources.names import clean_name
from server.transaction import Transaction
from storage.arrivals import Arrival, Piece
from storage.base import held
from storage.members import Member, MemberState
from storage.resources import ResourceUpload

MOST_ON_THEIR_WAY = 10
MOST_PIECES = 2_000
LONGEST_MARK = 500


class Displaced(Refusal):
    """What was sent does not go on where the file stopped."""


async def begin(
    tx: Transaction, member: Member, draft: int, name: str, size: int, mark: str
) -> Arrival:
    """Announce a file of so many bytes; Invalid where there is no room for it."""
    named, largest = clean_name(name), tx.settings.upload_size * 1_000_000
    if size > largest:
        raise intake.too_large(named, largest)
    if size < 1:
        raise Invalid({"upload": f"“{named}” is empty."})
    # Two at once would each find room for itself alone.
    await held(tx.session, Member, member.id)
    await drafts.must_fit(tx.session, member, draft, size, tx.settings.upload_quota * 1_000_000)
    count, _ = await pieces.announced_by(tx.session, member)
    if count >= MOST_ON_THEIR_WAY:
        message = f"{count} files of yours are on their way already: finish or drop some of them."
        raise Invalid({"upload": message})
    arrival = Arrival(
        id=tx.ids.next(),
        draft_id=draft,
        owner_id=member.id,
        name=named,
        mark=mark[:LONGEST_MARK],
        size=size,
        come=0,
        last=tx.now,
    )
    tx.session.add(arrival)
    await tx.session.flush()
    return arrival


async def must_own(session: AsyncSession, member: Member, number: int) -> Arrival:
    """A file on its way, for its sender; NotFound for everybody else."""
    found = await session.get(Arrival, number)
    if found is None or found.owner_id != member.id or member.state != MemberState.ACTIVE:
        raise NotFound
    return found


async def add_piece(
    tx: Transaction, member: Member, number: int, start: int, new: NewFile
) -> Arrival:
    """Keep the next piece of a file; Displaced where it does not begin where the last one ended."""
    await must_own(tx.session, member, number)
    arrival = await held(tx.session, Arrival, number)
    if start != arrival.come or arrival.come + new.size > arrival.size:
        raise Displaced
    count = select(func.count()).where(Piece.arrival_id == number)
    if (await tx.session.execute(count)).scalar_one() >= MOST_PIECES:
        raise Invalid({"upload": "The line breaks too often: drop this file and begin again."})
    tx.session.add(Piece(arrival_id=number, start=start, sha256=new.sha256, size=new.size))
    arrival.come += new.size
    arrival.last = tx.now
    await tx.session.flush()
    return arrival


async def finish(tx: Transaction, member: Member, number: int, new: TakenIn) -> ResourceUpload:
    """A file is here as a whole, and becomes one of its draft's."""
    arrival = await must_own(tx.session, member, number)
    draft = arrival.draft_id
    found = await pieces.drop(tx, [number])
    upload = await drafts.add_file(tx, member, draft, new)
    await pieces.let_go(tx, found)
    return upload


async def drop(tx: Transaction, member: Member, draft: int, number: int) -> None:
    """Have a file come no further into a draft, and forget what has come of it."""
    if (await must_own(tx.session, member, number)).draft_id != draft:
        raise NotFound
    await pieces.let_go(tx, await pieces.drop(tx, [number]))
