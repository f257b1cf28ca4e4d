# SPDX-License-Identifier: Apache-2.0
"""Who needs what: forms that a forum's followers take, people to be told."""

from collections.abc import Iterable, Sequence
from functools import cache

from sqlalchemy import Text, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.urls import host_of_uri
from server import peers, software
from server.software import profile_of_peer, reads_mentions, takes_form
from server.transaction import Transaction
from storage import fetches
from storage.forums import Forum
from storage.log import WANTED, Form, Lane, LogRecipient, LogRow, Subscription
from storage.members import Member
from storage.peers import Peer
from storage.plain import Question, ask, given
from storage.posts import Post

MOST_FETCHERS = 1_000


async def is_wanted(session: AsyncSession, forum: Forum, form: Form, *, ever: bool = False) -> bool:
    """Whether a follower of the forum may take a form; `ever` counts those who have left too.

    Asked once in a transaction, as long as nobody comes or leaves.
    """
    known: dict[tuple[str, Form, bool], bool] = session.info.setdefault(WANTED, {})
    if (forum.uri, form, ever) not in known:
        found = await ask(session, _wanted(form, ever=ever), audience=forum.uri)
        known[forum.uri, form, ever] = bool(found)
    return known[forum.uri, form, ever]


@cache
def _wanted(form: Form, *, ever: bool) -> Question[int]:
    question = (
        select(Lane.id)
        .join(Subscription, Subscription.lane_id == Lane.id)
        .outerjoin(Peer, Peer.host == Lane.peer)
        .where(Subscription.audience == given("audience", Text()), takes_form(form))
        .limit(1)
    )
    if not ever:
        question = question.where(Subscription.until_seq.is_(None))
    return Question(question, int)


async def listeners(tx: Transaction, people: Iterable[Member]) -> list[str]:
    """The inboxes of those people who hear of a post only from its author's server.

    Whom policy keeps out is not told: unlike what goes to a forum's home, it would wait in vain.
    """
    away = [person.shared_inbox or person.inbox for person in people if not person.is_local]
    hosts = {inbox: host_of_uri(inbox) for inbox in away if inbox}
    if not hosts:
        return []
    question = select(Peer).where(Peer.host.in_(set(hosts.values())))
    known = {peer.host: peer for peer in (await tx.session.execute(question)).scalars()}
    rules, mode = await peers.rules(tx.session), tx.settings.federates
    return [
        inbox
        for inbox, host in hosts.items()
        if reads_mentions(profile_of_peer(known.get(host)))
        and peers.decide(mode, rules, host, tx.now).allowed
    ]


async def reads_refusals(session: AsyncSession, inbox: str) -> bool:
    """Whether a Reject of anything but a Follow is understood behind an inbox."""
    peer = await session.get(Peer, host_of_uri(inbox))
    return software.reads_refusals(profile_of_peer(peer))


async def holders(session: AsyncSession, post: str, author: str) -> Sequence[int]:
    """The lanes that were sent a post, or what changed it, by its author's server itself."""
    question = (
        select(LogRecipient.lane_id)
        .join(LogRow, LogRow.seq == LogRecipient.seq)
        .where(
            LogRow.subject == post,
            LogRow.form.in_((Form.DIRECT, Form.AUTHOR)),
            LogRow.signer == author,
        )
        .distinct()
        .order_by(LogRecipient.lane_id)
    )
    return (await session.execute(question)).scalars().all()


async def fetchers(tx: Transaction, post: Post, forum: Forum) -> tuple[list[int], list[str]]:
    """Those who fetched a post of ours and take its changes from its author only.

    As lanes, and as inboxes that no lane leads to yet. Who follows the forum here is told anyway.
    """
    found = await fetches.of_post(tx.session, post.id, forum.uri, MOST_FETCHERS)
    if not found:
        return [], []
    rules, mode = await peers.rules(tx.session), tx.settings.federates
    lanes, inboxes = [], []
    for one in found:
        taken = software.takes(profile_of_peer(one.peer), Form.AUTHOR)
        if not taken or not peers.decide(mode, rules, one.host, tx.now).allowed:
            continue
        if one.lane is not None:
            lanes.append(one.lane)
        elif host_of_uri(one.inbox) == one.host:
            inboxes.append(one.inbox)
    return lanes, inboxes


async def was_boosted(session: AsyncSession, boost: str) -> bool:
    """Whether a boost of this id was ever sent."""
    question = select(LogRow.seq).where(LogRow.activity_id == boost, LogRow.form == Form.BOOST)
    return (await session.execute(question)).first() is not None
