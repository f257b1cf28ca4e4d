# SPDX-License-Identifier: Apache-2.0
"""Apps as they register themselves, and what administrators say of them."""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import audit, text
from server.apps import scopes
from server.errors import Invalid, NotAllowed, NotFound
from server.members.accounts import token_hash
from server.permissions import Permission, Standing, must
from server.settings import Apps
from server.transaction import Transaction
from storage.apps import App, AppCode, AppState, AppToken
from storage.members import Member

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
LONGEST_NAME = 60
MOST_REDIRECTS = 8
UNUSED_LASTS = timedelta(days=2)
COMMAND_LINE = "Command line"
# RFC 3986, 3.1; a browser that is sent to one of the others would run or open what is in it.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,60}):", re.IGNORECASE)
_NEVER = {"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "ws"}
_UNSEEN = re.compile(r"[\x00-\x20\x7f\\\"<>^`{|}]")
# The host stands in the policy of the page that asks, where a semicolon would begin a new rule.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_OWN_MACHINE = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class AppDraft:
    """What an app says of itself when it registers."""

    name: str
    redirect_uris: tuple[str, ...]
    scopes: str = scopes.DEFAULT
    website: str = ""
    refreshes: bool = False


@dataclass(frozen=True)
class Registered:
    """An app and its secret, which is told this once."""

    app: App
    secret: str


async def register(tx: Transaction, draft: AppDraft) -> Registered:
    """Take an app in; it can do nothing until a member lets it."""
    if tx.settings.apps is Apps.OFF:
        raise NotAllowed("This site does not let other apps in: ask its administrators.")
    name = text.clean_line(draft.name, LONGEST_NAME)
    faults: dict[str, str] = {}
    if not name:
        faults["client_name"] = "Say what the app is called."
    allowed = scopes.parse(draft.scopes)
    if allowed is None:
        faults["scopes"] = "One of the scopes is not known here."
    if not draft.redirect_uris:
        faults["redirect_uris"] = "Say where to send people back to."
    elif len(draft.redirect_uris) > MOST_REDIRECTS:
        faults["redirect_uris"] = f"Name at most {MOST_REDIRECTS} redirect URIs."
    elif wrong := next(filter(None, map(redirect_fault, draft.redirect_uris)), None):
        faults["redirect_uris"] = wrong
    if faults or allowed is None:
        raise Invalid(faults)
    website = draft.website.strip()
    is_web = website.startswith(("https://", "http://")) and not _UNSEEN.search(website)
    secret = tx.randomness.token()
    app = App(
        id=tx.ids.next(),
        client_id=tx.randomness.token(),
        secret_hash=token_hash(secret),
        name=name,
        website=website[:2048] if is_web else "",
        redirect_uris="\n".join(dict.fromkeys(draft.redirect_uris)),
        scopes=" ".join(allowed),
        state=AppState.NEW,
        refreshes=draft.refreshes,
        created=tx.now,
    )
    tx.session.add(app)
    await tx.session.flush()
    return Registered(app, secret)


def redirect_fault(uri: str) -> str | None:
    """What is wrong with an address to send people back to; None when it will do.

    Phones use schemes of their own (RFC 8252, 7.1); plain http only reaches one's own machine.
    """
    if uri == OUT_OF_BAND:
        return None
    scheme = _SCHEME.match(uri)
    if scheme is None or _UNSEEN.search(uri) or len(uri) > 2_000:
        return "Validation failed: Redirect URI must be an absolute URI."
    name = scheme[1].lower()
    if name in _NEVER or "#" in uri:
        return "Validation failed: this kind of redirect URI is not taken."
    if name in {"http", "https"}:
        try:
            parts = urlsplit(uri)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return "Validation failed: Redirect URI must be an absolute URI."
        if not _HOST.fullmatch(host) or parts.username is not None:
            return "Validation failed: Redirect URI must be an absolute URI."
        if name == "http" and host not in _OWN_MACHINE and not host.endswith(".localhost"):
            return "Validation failed: Redirect URI must be https, except on one's own machine."
    return None


async def by_client_id(session: AsyncSession, client_id: str) -> App | None:
    """The app of this name, whatever was said of it."""
    question = select(App).where(App.client_id == client_id)
    return (await session.execute(question)).scalar_one_or_none()


async def one(session: AsyncSession, app_id: int) -> App:
    """The app with this id."""
    found = await session.get(App, app_id)
    if found is None:
        raise NotFound("There is no such app.")
    return found


def has_secret(app: App, secret: str) -> bool:
    """Whether this is the app's secret."""
    return hmac.compare_digest(app.secret_hash, token_hash(secret))


def lets_in(setting: Apps) -> ColumnElement[bool]:
    """The condition on `App` for those that may act."""
    if setting is Apps.OFF:
        # What an operator made; no other has nowhere to send people back to.
        return App.redirect_uris == ""
    if setting is Apps.LISTED:
        return App.state == AppState.ALLOWED
    return App.state != AppState.BLOCKED


def is_let_in(setting: Apps, app: App) -> bool:
    """The same of one app."""
    if setting is Apps.OFF:
        return False
    if setting is Apps.LISTED:
        return app.state == AppState.ALLOWED
    return app.state != AppState.BLOCKED


@dataclass(frozen=True)
class AppLine:
    """An app in the list of administrators, and how many members use it."""

    app: App
    members: int


async def page(session: AsyncSession) -> list[AppLine]:
    """Every app that somebody uses or an administrator spoke of, and the latest others."""
    used = select(func.count(AppToken.member_id.distinct())).where(AppToken.app_id == App.id)
    question = select(App, used.scalar_subquery()).order_by(App.id.desc()).limit(200)
    return [AppLine(row[0], row[1]) for row in (await session.execute(question)).all()]


async def judge(tx: Transaction, admin: Member, app_id: int, state: AppState) -> App:
    """Allow an app or block it; a blocked one loses every token at once."""
    must(Standing(admin), Permission.DECIDE_APPS)
    app = await one(tx.session, app_id)
    app.state = state
    if state == AppState.BLOCKED:
        await forget_tokens(tx, AppToken.app_id == app.id, AppCode.app_id == app.id)
    audit.note(tx, admin, f"app.{state.value}", app.website or app.client_id, app.name)
    return app


async def forget_tokens(
    tx: Transaction, tokens: ColumnElement[bool], codes: ColumnElement[bool]
) -> None:
    """End these tokens and codes; every open stream looks for its token again."""
    await tx.session.execute(delete(AppCode).where(codes))
    await tx.session.execute(delete(AppToken).where(tokens))


async def tidy(tx: Transaction) -> None:
    """Drop codes that ran out, and apps that nobody let in within two days."""
    await tx.session.execute(delete(AppCode).where(AppCode.expires <= tx.now))
    unused = (
        ~exists().where(AppToken.app_id == App.id),
        ~exists().where(AppCode.app_id == App.id),
    )
    await tx.session.execute(
        delete(App).where(App.created < tx.now - UNUSED_LASTS, App.state == AppState.NEW, *unused)
    )
