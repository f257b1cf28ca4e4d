# SPDX-License-Identifier: Apache-2.0
"""What a person is in a forum, read from the database."""

from sqlalchemy.ext.asyncio import AsyncSession

from server import peers
from server.permissions import Standing
from server.settings import Federation
from server.transaction import Transaction
from storage import forums, moderation
from storage.forums import Forum, Visibility
from storage.members import Member


async def standing(
    session: AsyncSession, member: Member | None, forum: Forum, *, agency: bool = False
) -> Standing:
    """A member's standing; `agency` says whether a person elsewhere is of a listed agency."""
    if member is None:
        return Standing(None, forum)
    return Standing(
        member,
        forum,
        steward=await forums.is_steward(session, forum.id, member.id),
        listed=member.is_local and await forums.is_listed(session, forum.id, member.id),
        agency=agency,
        blocked=await moderation.block_of(session, forum.id, member.id) is not None,
    )


async def standing_now(tx: Transaction, member: Member, forum: Forum) -> Standing:
    """The same inside a deed, asking the policy about people of other agencies."""
    agency = False
    if member.peer is not None and forum.visibility == Visibility.AGENCIES:
        mode: Federation = tx.settings.federates
        agency = await peers.is_agency(tx.session, mode, member.peer, tx.now)
    return await standing(tx.session, member, forum, agency=agency)
