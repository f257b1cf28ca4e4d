# SPDX-License-Identifier: Apache-2.0
"""Consent, and the tokens that apps hold for it."""

import base64
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached

from server.apps import clients, refreshes, scopes
from server.apps.errors import InvalidClient, InvalidGrant, InvalidScope
from server.instance import Instance
from server.members.accounts import token_hash
from server.transaction import Transaction
from storage.apps import App, AppCode, AppState, AppToken
from storage.base import Characters, UtcDateTime
from storage.members import Member, MemberState
from storage.plain import Question, ask, given

CODE_LASTS = timedelta(minutes=10)
NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Asked:
    """What an app asks a member for, once it was checked."""

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str = ""


@dataclass(frozen=True)
class Given:
    """A token as it is handed out, this once; `refresh` is "" where it does not run out."""

    token: str
    row: AppToken
    refresh: str = ""

    @property
    def issued(self) -> datetime:
        """Since when this token is good; its row may be older."""
        expires = self.row.expires
        return expires - refreshes.ACCESS_LASTS if expires is not None else self.row.created


@dataclass(frozen=True)
class Holder:
    """Who a token speaks for; `member` is None where it is the app alone.

    `used` is None where this very token, renewed or not, was not used yet.
    """

    token: int
    app: int
    scopes: frozenset[str]
    used: datetime | None
    member: Member | None


async def consent(tx: Transaction, member: Member, asked: Asked) -> str:
    """Let an app in; answers the code that it changes for a token.

    160 bits (RFC 6749, 10.10): the whole of it can be seen on a phone by whoever copies it.
    """
    drawn = tx.randomness.bits(160).to_bytes(20, "big")
    code = base64.urlsafe_b64encode(drawn).rstrip(b"=").decode()
    tx.session.add(
        AppCode(
            code_hash=token_hash(code),
            app_id=asked.app.id,
            member_id=member.id,
            redirect_uri=asked.redirect_uri,
            scopes=" ".join(asked.scopes),
            challenge=asked.challenge,
            expires=tx.now + CODE_LASTS,
        )
    )
    return code


@dataclass(frozen=True)
class Exchange:
    """What an app brings for a token (RFC 6749, 4.1.3; RFC 7636, 4.5)."""

    client_id: str
    secret: str
    code: str = ""
    redirect_uri: str = ""
    verifier: str = ""
    scopes: str = ""
    refresh: str = ""


async def authenticated(tx: Transaction, asked: Exchange) -> App:
    """The app that says who it is, with its secret."""
    app = await clients.by_client_id(tx.session, asked.client_id)
    if app is None or not clients.has_secret(app, asked.secret):
        raise InvalidClient
    return app


async def exchange(tx: Transaction, asked: Exchange) -> Given | None:
    """A token for a code; None when the code came before, and then what it gave has ended.

    That has to be committed, so it is not raised here.
    """
    app = await authenticated(tx, asked)
    _must_be_let_in(tx, app)
    question = select(AppCode).where(AppCode.code_hash == token_hash(asked.code))
    code = (await tx.session.execute(question.with_for_update())).scalar_one_or_none()
    if code is None or code.app_id != app.id or code.expires <= tx.now:
        raise InvalidGrant
    if code.used is not None:
        await tx.session.execute(delete(AppToken).where(AppToken.code_hash == code.code_hash))
        return None
    if code.redirect_uri != asked.redirect_uri or not _proven(code.challenge, asked.verifier):
        raise InvalidGrant
    code.used = tx.now
    given = _hand_out(tx, app, code.member_id, code.scopes, code.code_hash)
    if not app.refreshes:
        return given
    return Given(given.token, given.row, refreshes.begin(tx, given.row))


async def refresh(tx: Transaction, asked: Exchange) -> Given | None:
    """The next token for one that runs out; None when what was brought for it came before."""
    app = await authenticated(tx, asked)
    _must_be_let_in(tx, app)
    found = await refreshes.rotate(tx, app, asked.refresh, asked.scopes)
    if found is None:
        return None
    access, following, row = found
    return Given(access, row, following)


def _proven(challenge: str, verifier: str) -> bool:
    """Whether the app that brings a code is the one that asked for it."""
    if not challenge or not verifier:
        return not challenge and not verifier
    return hmac.compare_digest(create_s256_code_challenge(verifier), challenge)


async def for_the_app(tx: Transaction, asked: Exchange) -> Given:
    """A token that speaks for the app alone (RFC 6749, 4.4)."""
    app = await authenticated(tx, asked)
    _must_be_let_in(tx, app)
    wanted = scopes.parse(asked.scopes)
    if wanted is None or not scopes.all_covered(app.scopes.split(), wanted):
        raise InvalidScope
    # An app needs one such token; the one before ends.
    await tx.session.execute(
        delete(AppToken).where(AppToken.app_id == app.id, AppToken.member_id.is_(None))
    )
    return _hand_out(tx, app, None, " ".join(wanted))


def _must_be_let_in(tx: Transaction, app: App) -> None:
    if not clients.is_let_in(tx.settings.apps, app):
        raise InvalidClient("This app is not allowed here: ask this site’s administrators.")


def _hand_out(
    tx: Transaction, app: App, member: int | None, words: str, code_hash: str = ""
) -> Given:
    token = tx.randomness.token()
    row = AppToken(
        id=tx.ids.next(),
        token_hash=token_hash(token),
        app_id=app.id,
        member_id=member,
        scopes=words,
        code_hash=code_hash,
        created=tx.now,
    )
    tx.session.add(row)
    return Given(token, row)


async def at_the_command_line(tx: Transaction, member: Member, words: str) -> Given:
    """A token that an operator makes for a member."""
    wanted = scopes.parse(words)
    if wanted is None:
        raise InvalidScope
    question = select(App).where(App.name == clients.COMMAND_LINE, App.redirect_uris == "")
    app = (await tx.session.execute(question.limit(1))).scalar_one_or_none()
    if app is None:
        app = App(
            id=tx.ids.next(),
            client_id=tx.randomness.token(),
            secret_hash=token_hash(tx.randomness.token()),
            name=clients.COMMAND_LINE,
            redirect_uris="",
            scopes="read write follow push profile",
            state=AppState.ALLOWED,
            created=tx.now,
        )
        tx.session.add(app)
        await tx.session.flush()
    return _hand_out(tx, app, member.id, " ".join(wanted))


def _holder(*cells: Any) -> Holder:
    token, app, words, used, expires = cells[:5]
    if expires is not None and used is not None and used < expires - refreshes.ACCESS_LASTS:
        used = None  # It was the one before this that was used.
    member = None
    if cells[5] is not None:
        member = Member(**dict(zip(_COLUMNS, cells[5:], strict=True)))
        # As if it had been read in a session that is closed: nothing of it is to be stored.
        make_transient_to_detached(member)
    return Holder(token, app, frozenset(words.split()), used, member)


_COLUMNS = tuple(Member.__table__.columns.keys())
_SPOKEN_FOR = (AppToken.member_id.is_(None)) | (Member.state == MemberState.ACTIVE)
_LASTING = AppToken.expires.is_(None) | (AppToken.expires > given("now", UtcDateTime()))


def _question(instance: Instance) -> Question[Holder]:
    setting = instance.settings.apps
    if setting not in _QUESTIONS:
        cells = (
            AppToken.id,
            AppToken.app_id,
            AppToken.scopes,
            AppToken.used,
            AppToken.expires,
        )
        _QUESTIONS[setting] = Question(
            select(*cells, *Member.__table__.columns)
            .select_from(AppToken)
            .join(App, App.id == AppToken.app_id)
            .outerjoin(Member, Member.id == AppToken.member_id)
            .where(
                AppToken.token_hash == given("hash", Characters(64)),
                _SPOKEN_FOR,
                _LASTING,
                clients.lets_in(setting),
            ),
            _holder,
        )
    return _QUESTIONS[setting]


_QUESTIONS: dict[str, Question[Holder]] = {}


async def holder(session: AsyncSession, instance: Instance, token: str) -> Holder | None:
    """Who a token speaks for, while it, its app and its member's account are alive."""
    now = instance.clock.now()
    found = await ask(session, _question(instance), hash=token_hash(token), now=now)
    return found[0] if found else None


async def still_held(
    session: AsyncSession, instance: Instance, tokens: Collection[int]
) -> dict[int, Member]:
    """Whose each of these tokens is; those that ended are left out."""
    question = (
        select(AppToken.id, Member)
        .join(App, App.id == AppToken.app_id)
        .join(Member, Member.id == AppToken.member_id)
        .where(
            AppToken.id.in_(tokens),
            Member.state == MemberState.ACTIVE,
            AppToken.expires.is_(None) | (AppToken.expires > instance.clock.now()),
            clients.lets_in(instance.settings.apps),
        )
    )
    return {row[0]: row[1] for row in (await session.execute(question)).all()}


async def note_use(tx: Transaction, token: int) -> None:
    """Remember that a token was used, which its member's page shows."""
    await tx.session.execute(update(AppToken).where(AppToken.id == token).values(used=tx.now))


async def revoke(tx: Transaction, asked: Exchange, token: str) -> None:
    """End a token that an app gives back (RFC 7009), of either kind; another's stays."""
    app = await authenticated(tx, asked)
    mine = (AppToken.token_hash == token_hash(token), AppToken.app_id == app.id)
    held = (await tx.session.execute(select(AppToken).where(*mine))).scalar_one_or_none()
    held = held or await refreshes.owner(tx, app, token)
    if held is not None:
        await refreshes.end(tx, held)


@dataclass(frozen=True)
class AppOfMember:
    """An app on a member's own page: since when, and when it was last used."""

    app: App
    scopes: tuple[str, ...]
    since: datetime
    used: datetime | None


async def page(session: AsyncSession, member: Member) -> list[AppOfMember]:
    """The apps a member has let in, each once, the latest first."""
    question = (
        select(AppToken, App)
        .join(App, App.id == AppToken.app_id)
        .where(AppToken.member_id == member.id)
        .order_by(AppToken.id.desc())
        .limit(500)
    )
    found: dict[int, AppOfMember] = {}
    for token, app in (await session.execute(question)).all():
        held = found.get(app.id)
        words = set(token.scopes.split()) | set(held.scopes if held else ())
        moments = [one for one in (token.used, held.used if held else None) if one is not None]
        found[app.id] = AppOfMember(
            app=app,
            scopes=tuple(scope for scope in scopes.KNOWN if scope in words),
            since=min(token.created, held.since) if held else token.created,
            used=max(moments, default=None),
        )
    return list(found.values())


async def shut_out(tx: Transaction, member: Member, app_id: int) -> None:
    """A member lets an app in no longer: all that it holds of theirs ends at once."""
    app = await clients.one(tx.session, app_id)
    await clients.forget_tokens(
        tx,
        (AppToken.app_id == app.id) & (AppToken.member_id == member.id),
        (AppCode.app_id == app.id) & (AppCode.member_id == member.id),
    )
