# SPDX-License-Identifier: Apache-2.0
"""Registering apps, and the tokens they get (RFC 6749, 7009, 8414)."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from server.apps import clients, refreshes, tokens
from server.apps.clients import AppDraft
from server.apps.errors import InvalidClient, InvalidGrant, OAuthRefusal, UnsupportedGrant
from server.apps.scopes import KNOWN
from server.apps.tokens import Exchange, Given
from server.errors import NotAllowed
from server.rows import App
from web import limits
from web.api.calls import Answer, Call, Json
from web.api.routes import ANY_TOKEN, EVERYBODY, call
from web.limits import spend

REFRESH = "refresh_token"
GRANTS = ("authorization_code", "client_credentials", REFRESH)
METHODS = ["client_secret_basic", "client_secret_post"]


def _redirects(call: Call) -> tuple[str, ...]:
    """`redirect_uris`, as a list or as lines of one text."""
    found = [
        line.strip() for text in call.given.texts("redirect_uris") for line in text.split("\n")
    ]
    return tuple(line for line in found if line)


async def register(call: Call) -> Json:
    """Take an app in, which can do nothing until a member lets it."""
    spend(call.visit, limits.REGISTER)
    given = call.given
    draft = AppDraft(
        name=given.text("client_name"),
        redirect_uris=_redirects(call),
        scopes=given.text("scopes") or given.text("scope"),
        website=given.text("website"),
        refreshes=REFRESH in " ".join(given.texts("grant_types")).split(),
    )
    async with call.instance.transaction() as tx:
        made = await clients.register(tx, draft)
        return drawn(made.app, call.instance.vault.push_name) | {
            "client_id": made.app.client_id,
            "client_secret": made.secret,
            "client_secret_expires_at": 0,
        }


def drawn(app: App, push_name: str) -> dict[str, Any]:
    """An app without its secret."""
    redirects = app.redirect_uris.split("\n")
    return {
        "id": str(app.id),
        "name": app.name,
        "website": app.website or None,
        "scopes": app.scopes.split(),
        "redirect_uri": app.redirect_uris,
        "redirect_uris": redirects,
        "vapid_key": push_name,
    }


async def verify(call: Call) -> Json:
    """The app that the token belongs to."""
    app_id = call.holder.app if call.holder else 0
    async with call.instance.reading() as session:
        return drawn(await clients.one(session, app_id), call.instance.vault.push_name)


def _asked(call: Call) -> Exchange:
    """What an app brings; who it is stands in the body or in the header (RFC 6749, 2.3.1)."""
    given = call.given
    client_id, secret = given.text("client_id"), given.text("client_secret")
    kind, _, encoded = call.request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, word = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidClient from error
        if client_id and client_id != unquote_plus(name):
            raise InvalidClient
        client_id, secret = unquote_plus(name), unquote_plus(word)
    return Exchange(
        client_id=client_id,
        secret=secret,
        code=given.text("code"),
        redirect_uri=given.text("redirect_uri"),
        verifier=given.text("code_verifier"),
        scopes=given.text("scope"),
        refresh=given.text("refresh_token"),
    )


async def token(call: Call) -> Answer:
    """An access token for a code, for a refresh token, or for the app alone."""
    spend(call.visit, limits.TOKEN)
    grant = call.given.text("grant_type")
    if not grant:
        raise OAuthRefusal("Say which grant_type this is.")
    if grant not in GRANTS:
        raise UnsupportedGrant
    asked = _asked(call)
    async with call.instance.transaction() as tx:
        if grant == "client_credentials":
            given: Given | None = await tokens.for_the_app(tx, asked)
        elif grant == REFRESH:
            given = await tokens.refresh(tx, asked)
        else:
            given = await tokens.exchange(tx, asked)
    if given is None:
        raise InvalidGrant
    body = {
        "access_token": given.token,
        "token_type": "Bearer",
        "scope": given.row.scopes,
        "created_at": int(given.issued.timestamp()),
    }
    if given.refresh:
        lasting = int(refreshes.ACCESS_LASTS.total_seconds())
        body |= {"refresh_token": given.refresh, "expires_in": lasting}
    return Answer(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


async def revoke(call: Call) -> Json:
    """End a token that the app gives back."""
    spend(call.visit, limits.TOKEN)
    try:
        async with call.instance.transaction() as tx:
            await tokens.revoke(tx, _asked(call), call.given.text("token"))
    except InvalidClient as error:
        raise NotAllowed("You are not authorized to revoke this token") from error
    return {}


async def metadata(call: Call) -> Json:
    """Where everything is, for apps that ask first."""
    origin = call.instance.settings.origin
    document = AuthorizationServerMetadata(
        issuer=f"{origin}/",
        authorization_endpoint=f"{origin}/oauth/authorize",
        token_endpoint=f"{origin}/oauth/token",
        revocation_endpoint=f"{origin}/oauth/revoke",
        userinfo_endpoint=f"{origin}/oauth/userinfo",
        app_registration_endpoint=f"{origin}/api/v1/apps",
        scopes_supported=list(KNOWN),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=list(GRANTS),
        token_endpoint_auth_methods_supported=METHODS,
        code_challenge_methods_supported=["S256"],
        service_documentation=f"{origin}/help",
    )
    if call.instance.settings.is_https:
        document.validate()
    return dict(document)


async def userinfo(call: Call) -> Json:
    """Whom the token speaks for, in the words of OpenID Connect."""
    member, settings = call.member, call.instance.settings
    return {
        "iss": f"{settings.origin}/",
        "sub": member.uri,
        "name": member.name,
        "preferred_username": member.handle,
        "profile": member.url,
    }


CREDENTIALS = ("client_id", "client_secret")
routes = [
    call(
        "POST", "/api/v1/apps", register, EVERYBODY, "CredentialApplication", "client_name!",
        "redirect_uris!", "scopes", "website", "grant_types",
    ),
    call("GET", "/api/v1/apps/verify_credentials", verify, ANY_TOKEN, "Application"),
    call(
        "POST", "/oauth/token", token, EVERYBODY, "Token", "grant_type!", *CREDENTIALS, "code",
        "redirect_uri", "code_verifier", "refresh_token", "scope",
    ),
    call("POST", "/oauth/revoke", revoke, EVERYBODY, "Empty", *CREDENTIALS, "token!"),
    call("GET", "/oauth/userinfo", userinfo, "profile", "UserInfo"),
    call("GET", "/.well-known/oauth-authorization-server", metadata, EVERYBODY, "Metadata"),
]  # fmt: skip
