# SPDX-License-Identifier: Apache-2.0
"""Telling apps of notices at once: who wants it, and what is due."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.apps import clients
from server.errors import Invalid, NotFound
from server.settings import Apps
from server.transaction import Transaction
from storage.apps import App, AppToken
from storage.base import insert
from storage.members import Member, MemberState
from storage.notifications import Notification
from storage.plain import Question, ask
from storage.pushes import PushSubscription

LONGEST_ENDPOINT = 2_000
AT_ONCE = 20
MOST_FAILURES = 12
_ANY_HELD = Question(select(PushSubscription.id).limit(1), int)
# An uncompressed point of P-256, and 16 bytes (RFC 8291, 3.1 and 3.2).
KEY_BYTES, SECRET_BYTES = 65, 16


@dataclass(frozen=True)
class PushDraft:
    """What an app sends; `kinds` are Mastodon's words for notices."""

    endpoint: str
    public_key: str
    secret: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    """A notice that a subscription has not been told of."""

    subscription: PushSubscription
    member: Member
    notice: int
    kind: str


def _bytes(value: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        return b""


def check(draft: PushDraft, *, plain: frozenset[str] = frozenset()) -> None:
    """Invalid unless it can be sent to; `plain` are hosts that may be asked without TLS."""
    faults = {}
    try:
        parts = urlsplit(draft.endpoint)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    fits = bool(host) and parts.username is None and len(draft.endpoint) <= LONGEST_ENDPOINT
    if not fits or not (parts.scheme == "https" or host in plain):
        faults["endpoint"] = "The endpoint has to be an https address."
    key = _bytes(draft.public_key)
    if len(key) != KEY_BYTES or key[0] != 4 or len(_bytes(draft.secret)) != SECRET_BYTES:
        faults["keys"] = "The keys of the subscription cannot be read."
    if faults:
        raise Invalid(faults)


async def subscribe(
    tx: Transaction, member: Member, token: int, draft: PushDraft
) -> PushSubscription:
    """Tell an app from now on; a token has one subscription, the last that it asked for."""
    check(draft, plain=frozenset(tx.settings.resolve))
    newest = select(func.max(Notification.id)).where(Notification.member_id == member.id)
    values = {
        "member_id": member.id,
        "endpoint": draft.endpoint,
        "public_key": draft.public_key,
        "secret": draft.secret,
        "kinds": " ".join(draft.kinds),
        "upto": (await tx.session.execute(newest)).scalar_one_or_none() or 0,
        "failures": 0,
        "next_try": tx.now,
    }
    await tx.session.execute(
        insert(tx.session, PushSubscription)
        .values(id=token, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
    return await held(tx.session, token)


async def held(session: AsyncSession, token: int) -> PushSubscription:
    """The subscription of a token."""
    found = await session.get(PushSubscription, token, populate_existing=True)
    if found is None:
        raise NotFound
    return found


async def choose(tx: Transaction, token: int, kinds: tuple[str, ...]) -> PushSubscription:
    """Tell of these kinds of notices from now on."""
    found = await held(tx.session, token)
    found.kinds = " ".join(kinds)
    await tx.session.flush()
    return found


async def end(tx: Transaction, token: int) -> None:
    """Tell no more."""
    await tx.session.execute(delete(PushSubscription).where(PushSubscription.id == token))


async def any_held(session: AsyncSession) -> bool:
    """Whether any app wants to be told."""
    return bool(await ask(session, _ANY_HELD))


async def due(session: AsyncSession, setting: Apps, now: datetime) -> list[Due]:
    """The next notice of each subscription whose time has come; at most AT_ONCE of them.

    A subscription whose token ended, or whose member may not act, is not told of anything.
    """
    following = (
        select(func.min(Notification.id))
        .where(
            Notification.member_id == PushSubscription.member_id,
            Notification.id > PushSubscription.upto,
        )
        .correlate(PushSubscription)
        .scalar_subquery()
    )
    question = (
        select(PushSubscription, Member, Notification.id, Notification.kind)
        .join(AppToken, AppToken.id == PushSubscription.id)
        .join(App, App.id == AppToken.app_id)
        .join(Member, Member.id == PushSubscription.member_id)
        .join(Notification, Notification.id == following)
        .where(
            PushSubscription.next_try <= now,
            Member.state == MemberState.ACTIVE,
            clients.lets_in(setting),
        )
        .order_by(Notification.id)
        .limit(AT_ONCE)
    )
    rows = (await session.execute(question)).all()
    return [Due(row[0], row[1], row[2], row[3]) for row in rows]


async def told(tx: Transaction, token: int, notice: int) -> None:
    """The service took it, or there was nothing to tell."""
    await tx.session.execute(
        update(PushSubscription)
        .where(PushSubscription.id == token)
        .values(upto=notice, failures=0, next_try=tx.now)
    )


async def failed(tx: Transaction, token: int) -> None:
    """The service could not be reached: later again, each time after a longer while."""
    found = await tx.session.get(PushSubscription, token)
    if found is None:
        return
    found.failures += 1
    if found.failures > MOST_FAILURES:
        await tx.session.delete(found)
        return
    found.next_try = tx.now + timedelta(seconds=min(3_600, 10 * 2**found.failures))


async def tidy(tx: Transaction) -> None:
    """Drop the subscriptions of tokens that ended."""
    alive = select(AppToken.id)
    await tx.session.execute(delete(PushSubscription).where(PushSubscription.id.not_in(alive)))
