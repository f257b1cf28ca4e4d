# SPDX-License-Identifier: Apache-2.0
"""Signing in and out, with failures counted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached

from server.errors import Invalid, TooFast
from server.instance import Instance
from server.members import passwords
from server.members.accounts import token_hash
from server.transaction import Transaction
from storage import members
from storage.apps import AppCode, AppToken
from storage.base import Characters, UtcDateTime
from storage.members import EmailConfirmation, Member, MemberState
from storage.plain import Put, Question, ask, given
from storage.sessions import Session, SignInFailure

LASTS = timedelta(days=30)
WINDOW = timedelta(minutes=15)
FAILURES_AN_ACCOUNT, FAILURES_AN_ADDRESS = 10, 40


@dataclass(frozen=True)
class SignedIn:
    """A live session and whose it is."""

    member: Member
    csrf: str


async def sign_in(instance: Instance, login: str, password: str, address: str) -> str:
    """The token of a new session; `login` is an e-mail address or a handle.

    Refused alike for a wrong name and a wrong password. The attempt is counted before the
    check, which runs outside any transaction since it takes a tenth of a second: attempts
    made at the same time cannot overtake the count.
    """
    login = login.strip().lower().lstrip("@")[:320]
    async with instance.transaction() as tx:
        find = members.by_email if "@" in login else members.by_handle
        member = await find(tx.session, login)
        if member is not None and member.state != MemberState.ACTIVE:
            member = None
        account = f"account:{member.id if member else login}"
        attempts = await _attempt(tx, account, f"address:{address}")
    right = await passwords.matches(member.password_hash if member else None, password)
    if member is None or not right:
        raise Invalid({"login": "The name and the password do not go together."})
    async with instance.transaction() as tx:
        await tx.session.execute(
            delete(SignInFailure).where(
                or_(SignInFailure.subject == account, SignInFailure.id.in_(attempts))
            )
        )
        return await open_session(tx, member)


async def _attempt(tx: Transaction, account: str, address: str) -> list[int]:
    """Count one more failure for both, unless either has too many; ids of the new rows."""
    since = tx.now - WINDOW
    made = []
    for subject, most in ((account, FAILURES_AN_ACCOUNT), (address, FAILURES_AN_ADDRESS)):
        question = select(func.count()).where(
            SignInFailure.subject == subject, SignInFailure.at > since
        )
        if (await tx.session.execute(question)).scalar_one() >= most:
            raise TooFast(
                "Too many failed attempts: wait a quarter of an hour, then try again.",
                retry_after=int(WINDOW.total_seconds()),
            )
        row = SignInFailure(id=tx.ids.next(), subject=subject, at=tx.now)
        tx.session.add(row)
        made.append(row.id)
    return made


async def open_session(tx: Transaction, member: Member) -> str:
    """A new session; always with a new token."""
    token = tx.randomness.token()
    tx.session.add(
        Session(
            token_hash=token_hash(token),
            member_id=member.id,
            csrf=tx.randomness.token(),
            created=tx.now,
            seen=tx.now,
            expires=tx.now + LASTS,
        )
    )
    return token


def _signed_in(csrf: str, *cells: Any) -> SignedIn:
    member = Member(**dict(zip(_COLUMNS, cells, strict=True)))
    # As if it had been read in a session that is closed: nothing of it is to be stored.
    make_transient_to_detached(member)
    return SignedIn(member, csrf)


_COLUMNS = tuple(Member.__table__.columns.keys())
_SIGNED_IN = Question(
    select(Session.csrf, *Member.__table__.columns)
    .join(Member, Member.id == Session.member_id)
    .where(
        Session.token_hash == given("hash", Characters(64)),
        Session.expires > given("now", UtcDateTime()),
        Member.state == MemberState.ACTIVE,
    ),
    _signed_in,
)


def ahead(token: str, now: datetime) -> Put:
    """What `signed_in` asks."""
    return _SIGNED_IN, {"hash": token_hash(token), "now": now}


async def signed_in(
    session: AsyncSession, instance: Instance, token: str, now: datetime | None = None
) -> SignedIn | None:
    """Who a cookie belongs to, if its session is alive."""
    question, asked = ahead(token, now or instance.clock.now())
    found: list[SignedIn] = await ask(session, question, **asked)
    return found[0] if found else None


async def still_signed_in(
    session: AsyncSession, instance: Instance, hashes: Collection[str]
) -> dict[str, Member]:
    """Whose each of these sessions is, by the SHA-256 of its token; ended ones are left out."""
    question = (
        select(Session.token_hash, Member)
        .join(Member, Member.id == Session.member_id)
        .where(
            Session.token_hash.in_(hashes),
            Session.expires > instance.clock.now(),
            Member.state == MemberState.ACTIVE,
        )
    )
    return {row[0]: row[1] for row in (await session.execute(question)).all()}


async def sign_out(tx: Transaction, token: str) -> None:
    """End one session."""
    await tx.session.execute(delete(Session).where(Session.token_hash == token_hash(token)))


async def end_all_sessions(tx: Transaction, member: Member) -> None:
    """Sign a member out everywhere, of every app as well."""
    for table in (Session, AppCode, AppToken):
        await tx.session.execute(delete(table).where(table.member_id == member.id))


async def tidy(tx: Transaction) -> None:
    """Drop what has run out."""
    await tx.session.execute(delete(Session).where(Session.expires <= tx.now))
    await tx.session.execute(delete(SignInFailure).where(SignInFailure.at <= tx.now - WINDOW))
    await tx.session.execute(delete(EmailConfirmation).where(EmailConfirmation.expires <= tx.now))
