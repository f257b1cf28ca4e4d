# SPDX-License-Identifier: Apache-2.0
"""Forums of other agencies, as their homes describe them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete

from server import text
from server.transaction import Transaction
from storage import forums
from storage.base import must_look_again
from storage.forums import CopyState, Forum, ForumSteward, Visibility
from storage.members import Member


@dataclass(frozen=True)
class ForumCard:
    """What a forum's home says of it.

    `whole` is False for the bare minimum that anybody is shown: what is known better stays.
    """

    uri: str
    handle: str
    peer: str
    url: str
    title: str
    agency: str
    description_html: str
    visibility: Visibility
    language: str
    inbox: str
    shared_inbox: str | None
    outbox: str
    moderators: str
    created: datetime | None = None
    whole: bool = True
    moved_to: str | None = None


async def remember(tx: Transaction, card: ForumCard) -> Forum:
    """Store or refresh a forum elsewhere; never touches one of ours."""
    forum = await forums.by_uri(tx.session, card.uri)
    if forum is None and await must_look_again(tx.session, card.uri):
        # It is met in another process as well.
        forum = await forums.by_uri(tx.session, card.uri)
    if forum is None:
        forum = Forum(id=tx.ids.next(), uri=card.uri, peer=card.peer, copy_state=CopyState.KNOWN)
        forum.created = card.created or tx.now
        tx.session.add(forum)
    elif forum.is_local:
        raise ValueError("a card for a forum of ours")
    elif not card.whole:
        forum.inbox, forum.shared_inbox = card.inbox, card.shared_inbox
        return forum
    forum.handle = text.clean_line(card.handle, 64).lower()
    forum.url = card.url[:2048]
    forum.title = text.clean_line(card.title, 200) or forum.handle
    forum.agency = text.clean_line(card.agency, 200)
    forum.description_html = text.sanitise(card.description_html[:50_000])
    forum.visibility = card.visibility
    forum.language = card.language[:12] or "en"
    forum.inbox = card.inbox
    forum.shared_inbox = card.shared_inbox
    forum.outbox = card.outbox
    forum.moderators = card.moderators
    forum.updated = tx.now
    forum.fetched = tx.now if card.whole else None
    if forum.moved_to != card.moved_to:
        # That it moved takes both sides to say; that it did not, one.
        forum.moved_to = None
    await tx.session.flush()
    return forum


async def set_stewards(tx: Transaction, forum: Forum, people: list[Member]) -> None:
    """The moderators the home lists; those known here."""
    await tx.session.execute(delete(ForumSteward).where(ForumSteward.forum_id == forum.id))
    for person in {person.id: person for person in people}.values():
        tx.session.add(ForumSteward(forum_id=forum.id, member_id=person.id, created=tx.now))
    await tx.session.flush()


async def progress(tx: Transaction, forum_id: int, done: int, total: int) -> None:
    """How far the copy has been filled."""
    forum = await tx.session.get_one(Forum, forum_id)
    forum.backfill_done, forum.backfill_total = done, max(total, done)
