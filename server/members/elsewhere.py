# SPDX-License-Identifier: Apache-2.0
"""People of other agencies, as their own instances describe them."""

from dataclasses import dataclass
from datetime import datetime

from server import search, text
from server.transaction import Transaction
from storage import members
from storage.base import must_look_again
from storage.members import Member, MemberState


@dataclass(frozen=True)
class PersonCard:
    """What another instance says of a person of its own.

    `whole` is False for the bare minimum that anybody is shown: what is known better stays.
    `indexable` says whether what they write elsewhere may be found here (FEP-5feb).
    """

    uri: str
    handle: str
    peer: str
    url: str
    name: str
    role_title: str
    agency: str
    bio_html: str
    avatar_url: str | None
    inbox: str
    shared_inbox: str | None
    created: datetime | None = None
    whole: bool = True
    indexable: bool = True
    moved_to: str | None = None


async def moved(tx: Transaction, member: Member, target: str) -> bool:
    """They use the account with the id `target` from now on; False where that was known.

    What they wrote stays theirs under the old name, and rights they had here stay with it: who
    may steer a forum is for its own admins to say anew.
    """
    member = await tx.session.get_one(Member, member.id)
    known, member.moved_to = member.moved_to, target
    return known != target


async def remember(tx: Transaction, card: PersonCard) -> Member:
    """Store or refresh a person elsewhere; never touches one of ours."""
    member = await members.by_uri(tx.session, card.uri)
    if member is None and await must_look_again(tx.session, card.uri):
        # They are met in another process as well.
        member = await members.by_uri(tx.session, card.uri)
    if member is None:
        member = Member(
            id=tx.ids.next(), uri=card.uri, peer=card.peer, state=MemberState.ACTIVE, is_admin=False
        )
        member.created = card.created or tx.now
        tx.session.add(member)
    elif member.is_local:
        raise ValueError("a card for a member of ours")
    elif not card.whole:
        member.inbox, member.shared_inbox = card.inbox, card.shared_inbox
        return member
    member.handle = text.clean_line(card.handle, 64).lower()
    member.url = card.url[:2048]
    member.name = text.clean_line(card.name, 200) or member.handle
    member.role_title = text.clean_line(card.role_title, 100)
    member.agency = text.clean_line(card.agency, 200)
    member.bio_html = text.sanitise(card.bio_html[:20_000])
    member.avatar_url = card.avatar_url
    member.inbox = card.inbox
    member.shared_inbox = card.shared_inbox
    withdrawn = bool(member.indexable) and not card.indexable
    member.indexable = card.indexable
    member.updated = tx.now
    member.fetched = tx.now if card.whole else None
    if member.moved_to != card.moved_to:
        # That they moved takes both sides to say; that they did not, one.
        member.moved_to = None
    await tx.session.flush()
    if withdrawn:
        await search.forget_author(tx, member)
    return member
