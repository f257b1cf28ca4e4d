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
from server.practices import ancestry, notices, withdrawals
from server.practices.notices import Notice, Warned
from server.transaction import Transaction
from storage import posts
from storage.practices import PracticeNotice

MOST_ABOVE = 10


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
    """Ask what is said against what a received practice was made from, and what that was made from.

    What was warned of before it came was told to others only. The lineage is asked upwards, a
    server after the other, as far as MOST_ABOVE and what may be fetched for one activity go, up
    to what is held here or was asked before; where one does not answer, it is done without.
    """
    said, first = practices.from_members(post.raw), ""
    found: list[str] = []
    while said is not None and said.record.based_on and len(found) < MOST_ABOVE:
        uri = said.record.based_on[0].uri
        if uri in (post.id, first, *found):
            break
        if first:
            found.append(uri)
        first = first or uri
        source = await _asked(incoming, uri)
        if source is None:
            break
        said = practices.from_members(source.raw)
    if found:
        async with incoming.wire.instance.transaction() as tx:
            await ancestry.learn(tx, first, found)


async def _asked(incoming: Incoming, uri: str) -> WirePost | None:
    """A practice that is not held here, once what it is warned of is kept; None without it."""
    if incoming.wire.urls.is_ours(uri) or documents_left() <= 1:
        return None
    async with incoming.wire.instance.reading() as session:
        is_known = await posts.by_uri(session, uri) is not None
        if is_known or await session.get(PracticeNotice, uri) is not None:
            return None
    try:
        if not await incoming.is_allowed(uri):
            return None
        source, _ = await vouched_for(incoming, None, None, uri)
        said = await _said(incoming, source)
    except (WireError, Refusal):
        return None
    async with incoming.wire.instance.transaction() as tx:
        await _keep(tx, said)
    return source


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
