# SPDX-License-Identifier: Apache-2.0
"""What an app asks of a member, checked before anybody is sent anywhere."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from server.apps import clients, scopes
from server.apps.errors import InvalidScope, OAuthRefusal
from server.apps.tokens import Asked
from server.errors import Invalid, NotAllowed
from server.settings import Apps

# RFC 7636, 4.2: what SHA-256 becomes in base64url.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class ToldToTheApp(Exception):
    """A refusal that the app is to learn of, at an address that is known to be its own."""

    def __init__(self, redirect_uri: str, error: OAuthRefusal) -> None:
        super().__init__(error.sentence)
        self.redirect_uri = redirect_uri
        self.error = error


class UnsupportedResponse(OAuthRefusal):
    """Only codes are handed out."""

    code = "unsupported_response_type"


async def read(session: AsyncSession, setting: Apps, given: Mapping[str, str]) -> Asked:
    """The request of an app (RFC 6749, 4.1.1).

    A wrong app or address is told to the person and to nobody else: whoever waits at a wrong
    address may be anybody. Addresses have to be letter for letter one that was registered.
    """
    app = await clients.by_client_id(session, given.get("client_id", "")[:64])
    if app is None:
        raise Invalid(message="This site does not know the app: start again from the app.")
    if not clients.is_let_in(setting, app):
        raise NotAllowed(f"{app.name} is not allowed here: ask this site’s administrators.")
    redirect = given.get("redirect_uri", "")
    if redirect not in app.redirect_uris.split("\n"):
        raise Invalid(message=f"{app.name} wants to send you to an address it did not register.")
    if given.get("response_type", "") != "code":
        raise ToldToTheApp(redirect, UnsupportedResponse())
    wanted = scopes.parse(given.get("scope", ""))
    if wanted is None or not scopes.all_covered(app.scopes.split(), wanted):
        raise ToldToTheApp(redirect, InvalidScope())
    challenge, method = given.get("code_challenge", ""), given.get("code_challenge_method", "")
    if (challenge or method) and not (method == "S256" and _CHALLENGE.match(challenge)):
        raise ToldToTheApp(redirect, OAuthRefusal("Send a code_challenge made by S256."))
    return Asked(app, redirect, wanted, challenge)


def source_of(redirect_uri: str) -> str:
    """Where a form may lead, for the policy of its page: an origin, or the scheme of a phone."""
    parts = urlsplit(redirect_uri)
    if parts.scheme in {"http", "https"}:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
