# SPDX-License-Identifier: Apache-2.0
"""What authors elsewhere warn of, where only what was made of it is held."""

from dataclasses import dataclass
from datetime import datetime

from federation import practices
from federation.errors import WireError
from federation.fetch.allowance import documents_left
from federation.handlers.vouching import vouched_for
from federation.incoming import Ignored, Incoming
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.terms import PUBLIC
from server import text
from server.errors import Refusal
from server.practices import notices, withdrawals
from server.practices.notices import Notice, Warned
from server.transaction import Transaction
from storage import posts
from storage.practices import PracticeNotice


async def given(incoming: Incoming, post: WirePost) -> None:
    """The author of a practice that is not held here, but descendants are, warns of it.

    The post was vouched for by its author; nothing but the notice is kept of it.
    """
    said = await _said(incoming, post)
    async with incoming.deed() as tx:
        if not await _keep(tx, said):
            raise Ignored("This is known here already, or says nothing new.")


async def _keep(tx: Transaction, said: "_Said") -> bool:
    """What is warned of by the author, and what they say that the forum did."""
    at = min(said.at or tx.now, tx.now)
    is_news = await notices.apply(tx, said.about, said.notice, at)
    return await withdrawals.apply(tx, said.about, said.by_forum, at) or is_news


async def of_source(incoming: Incoming, post: WirePost) -> None:
    """Ask what is said against the practice that a received one was made from.

    What was warned of before it came was told to others only. The source is asked once, if it is
    not held here; where it cannot be had, it is done without until the next warning is told.
    """
    uri = _source(post)
    if uri is None or incoming.wire.urls.is_ours(uri) or documents_left() <= 1:
        return
    async with incoming.wire.instance.reading() as session:
        is_known = await posts.by_uri(session, uri) is not None
        if is_known or await session.get(PracticeNotice, uri) is not None:
            return
    try:
        if not await incoming.is_allowed(uri):
            return
        source, _ = await vouched_for(incoming, None, None, uri)
        said = await _said(incoming, source)
    except (WireError, Refusal):
        return
    async with incoming.wire.instance.transaction() as tx:
        await _keep(tx, said)


def _source(post: WirePost) -> str | None:
    said = practices.from_members(post.raw)
    return said.record.based_on[0].uri if said is not None and said.record.based_on else None


@dataclass(frozen=True)
class _Said:
    """Which practice it is about, both notices or that there is none, and since when."""

    about: Warned
    notice: Notice | None
    by_forum: Notice | None
    at: datetime | None


async def _said(incoming: Incoming, post: WirePost) -> _Said:
    said = practices.from_members(post.raw)
    if said is None or post.author is None or PUBLIC not in (*post.to, *post.cc):
        # Its words would be shown to whoever reads what was made of it.
        raise Ignored("This is not in a forum that is held here, and nothing public.")
    person = await incoming.actors.person(post.author)
    title = text.clean_line(said.record.name, 500)
    agency = person.agency or person.peer or ""
    about = Warned(post.id, title, post.url or post.id, agency, person.id)
    return _Said(about, said.notice, said.by_forum, post.updated or post.published)
