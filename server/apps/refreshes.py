# SPDX-License-Identifier: Apache-2.0
"""Tokens that run out, and what apps bring for the next one."""

from datetime import timedelta

from sqlalchemy import delete, exists, select, update

from server.apps import scopes
from server.apps.errors import InvalidGrant, InvalidScope
from server.members.accounts import token_hash
from server.transaction import Transaction
from storage.apps import App, AppRefresh, AppToken

ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(days=90)
# How soon an app that had no answer asks again.
GRACE = timedelta(seconds=60)


def begin(tx: Transaction, token: AppToken) -> str:
    """Have a token run out; answers what is brought for the next one, once."""
    return _hand_out(tx, token, token.scopes)


def _hand_out(tx: Transaction, token: AppToken, words: str) -> str:
    token.expires = tx.now + ACCESS_LASTS
    refresh = tx.randomness.token()
    tx.session.add(
        AppRefresh(
            refresh_hash=token_hash(refresh),
            token_id=token.id,
            scopes=words,
            expires=tx.now + REFRESH_LASTS,
        )
    )
    return refresh


async def rotate(
    tx: Transaction, app: App, refresh: str, wanted: str
) -> tuple[str, str, AppToken] | None:
    """The next access token, the next refresh token, and their row (RFC 6749, 6).

    The row is the one there was, so that push and open streams go on. None when the refresh token
    came before: somebody else has it too, and all that was given for that consent has ended
    (RFC 9700, 4.14.2), unless the app had no answer, as `_may_be_unanswered` tells. That has to be
    committed, so it is not raised here.
    """
    question = select(AppRefresh).where(AppRefresh.refresh_hash == token_hash(refresh))
    held = (await tx.session.execute(question.with_for_update())).scalar_one_or_none()
    token = await tx.session.get(AppToken, held.token_id) if held is not None else None
    if held is None or token is None or token.app_id != app.id or held.expires <= tx.now:
        raise InvalidGrant
    if held.used is not None and not await _may_be_unanswered(tx, held, token):
        await end(tx, token)
        return None
    words = held.scopes
    if wanted:
        asked = scopes.parse(wanted)
        if asked is None or not scopes.all_covered(held.scopes.split(), asked):
            raise InvalidScope
        words = " ".join(asked)
    await _take_back(tx, held)
    access = tx.randomness.token()
    token.token_hash, token.scopes = token_hash(access), words
    return access, _hand_out(tx, token, held.scopes), token


async def _may_be_unanswered(tx: Transaction, held: AppRefresh, token: AppToken) -> bool:
    """Whether an answer may have been lost: it is not long ago, and nobody used what was in it.

    That is so once only, since what is taken back counts as used.
    """
    if held.used is None or tx.now - held.used > GRACE:
        return False
    if token.used is not None and token.used >= held.used:
        return False
    later = select(AppRefresh.refresh_hash).where(
        AppRefresh.token_id == held.token_id,
        AppRefresh.refresh_hash != held.refresh_hash,
        AppRefresh.used >= held.used,
    )
    return (await tx.session.execute(later.limit(1))).first() is None


async def _take_back(tx: Transaction, held: AppRefresh) -> None:
    """Have a refresh token be used, and with it those whose answer nobody got."""
    held.used = held.used or tx.now
    await tx.session.execute(
        update(AppRefresh)
        .where(AppRefresh.token_id == held.token_id, AppRefresh.used.is_(None))
        .values(used=held.used)
    )


async def end(tx: Transaction, token: AppToken) -> None:
    """End a token with everything that could be brought for its next one."""
    await tx.session.execute(delete(AppRefresh).where(AppRefresh.token_id == token.id))
    await tx.session.execute(delete(AppToken).where(AppToken.id == token.id))


async def owner(tx: Transaction, app: App, refresh: str) -> AppToken | None:
    """The token of this app for whose next one this is brought."""
    question = (
        select(AppToken)
        .join(AppRefresh, AppRefresh.token_id == AppToken.id)
        .where(AppRefresh.refresh_hash == token_hash(refresh), AppToken.app_id == app.id)
    )
    return (await tx.session.execute(question)).scalar_one_or_none()


async def tidy(tx: Transaction) -> None:
    """Drop what ran out, the tokens that nothing renews, and what is left of ended ones."""
    await tx.session.execute(delete(AppRefresh).where(AppRefresh.expires <= tx.now))
    renewed = exists().where(AppRefresh.token_id == AppToken.id)
    await tx.session.execute(delete(AppToken).where(AppToken.expires <= tx.now, ~renewed))
    alive = exists().where(AppToken.id == AppRefresh.token_id)
    await tx.session.execute(delete(AppRefresh).where(~alive))
