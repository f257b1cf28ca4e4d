# SPDX-License-Identifier: Apache-2.0
"""Asking to quote a post of ours, and quoting no more (FEP-044f)."""

from federation import authority
from federation.askers import asker
from federation.incoming import Ignored, Incoming
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity
from federation.vocabulary.values import url_id_of
from server import quotes
from server.quotes import QuoteDraft
from server.transaction import Transaction
from storage import members


async def ask(incoming: Incoming, activity: Activity) -> None:
    """May their post (`instrument`) quote ours (`object`)? Answered by whoever wrote ours.

    The quoting post is not fetched: the stamp names it, and it is its server's to show both.
    """
    quoted = getattr(activity.object, "id", "")
    if not incoming.wire.urls.is_ours(quoted):
        raise Ignored("Whether it may be quoted is for its own author's server to say.")
    instrument = activity.raw.get("instrument")
    quoting = url_id_of(instrument)
    if quoting is None:
        raise Ignored("This does not say which post is to quote.")
    is_own = authority.same_origin(quoting, activity.actor)
    if isinstance(instrument, dict) and "attributedTo" in instrument:
        is_own = is_own and url_id_of(instrument["attributedTo"]) == activity.actor
    person = await incoming.actors.person(activity.actor)
    host = host_of_uri(activity.actor)
    viewer = (await asker(incoming.wire, host, activity.actor)).viewer
    draft = QuoteDraft(activity.id, quoting, quoted)
    async with incoming.deed() as tx:
        await quotes.ask(tx, person, viewer, draft, is_own=is_own)


async def undo_ask(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """They quote it no longer."""
    authority.must_undo_own(activity.actor, inner)
    quoting = url_id_of(inner.raw.get("instrument"))
    async with incoming.deed() as tx:
        if not quoting or not await post_gone(tx, activity.actor, quoting):
            raise Ignored("This quotes nothing of ours.")


async def post_gone(tx: Transaction, actor: str, quoting: str) -> bool:
    """A post of theirs is gone, and with it the stamps it had; answers whether it had any."""
    person = await members.by_uri(tx.session, actor)
    return person is not None and await quotes.withdraw(tx, person, quoting) > 0


async def stamp_gone(tx: Transaction, actor: str, stamp: str) -> None:
    """Whoever wrote what is quoted takes back the leave to show it."""
    author = await members.by_uri(tx.session, actor)
    if author is not None:
        await quotes.show_no_longer(tx, stamp, author)
