# SPDX-License-Identifier: Apache-2.0
"""What the other one of a pair shares with a member of ours."""

from federation import authority
from federation.incoming import Ignored, Incoming
from federation.mentoring import entries
from federation.vocabulary.activities import Activity
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import url_id_of
from server.errors import Refusal
from server.mentoring import agreements, pairs
from server.mentoring import entries as entries_server
from server.transaction import Transaction
from storage.members import Member
from storage.mentoring import Pairing
from storage.mentoring.pairs import entry_by_uri, pairing_by_uri


async def share(incoming: Incoming, activity: Activity) -> None:
    """An entry of theirs, or what they say of one of ours."""
    try:
        shared = entries.shared_entry(activity.raw)
    except Malformed as error:
        raise Ignored(str(error)) from error
    async with incoming.deed() as tx:
        pairing, other = await _other(tx, activity)
        if await entry_by_uri(tx.session, shared.uri) is None:
            authority.must_offer_own(activity.actor, shared.uri)
            authority.must_be_author(activity.actor, shared.author)
        named = (shared.uri, shared.revision)
        try:
            await entries_server.apply(tx, other, pairing, named, shared.draft)
        except Refusal as refusal:
            raise Ignored(refusal.sentence) from refusal


async def told(incoming: Incoming, activity: Activity) -> None:
    """Terms of theirs, or that they accept ours, pause, go on or have completed it."""
    try:
        said = entries.read_told(activity.raw)
    except Malformed as error:
        raise Ignored(str(error)) from error
    async with incoming.deed() as tx:
        pairing, other = await _other(tx, activity)
        try:
            await agreements.hear(tx, pairing, other, said)
        except Refusal as refusal:
            raise Ignored(refusal.sentence) from refusal


async def take_back(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """They take back something that they had shared."""
    authority.must_undo_own(activity.actor, inner)
    uri = getattr(inner.object, "id", "")
    async with incoming.deed() as tx:
        pairing, other = await _other(tx, activity)
        try:
            await entries_server.apply_removal(tx, other, pairing, uri)
        except Refusal as refusal:
            raise Ignored(refusal.sentence) from refusal


async def _other(tx: Transaction, activity: Activity) -> tuple[Pairing, Member]:
    """The pair that an activity names, and who of it is elsewhere: only they speak here."""
    agreement = url_id_of(activity.raw.get("context")) or ""
    pairing = await pairing_by_uri(tx.session, agreement)
    other = await pairs.elsewhere(tx.session, pairing) if pairing is not None else None
    if pairing is None or other is None:
        raise Ignored("This is about no pair that is held here.")
    authority.must_be_asked(activity.actor, other.uri)
    return pairing, other
