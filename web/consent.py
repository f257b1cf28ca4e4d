# SPDX-License-Identifier: Apache-2.0
"""Asking a member whether an app may come in, and the apps that did."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from server.apps import asking, clients, scopes, tokens
from server.apps.asking import ToldToTheApp
from server.apps.errors import OAuthRefusal
from server.errors import NotFound, SignInNeeded
from web.forms import submit
from web.policy import content_policy
from web.spots import identifier
from web.visits import arrive

ASKED = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge",
    "code_challenge_method", "force_login", "lang",
)  # fmt: skip
LONGEST = 2_000


class Denied(OAuthRefusal):
    """The member did not let the app in."""

    code = "access_denied"


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values.get(name, "")[:LONGEST] for name in ASKED if values.get(name)}


async def ask(request: Request) -> Response:
    """What the app wants, in plain words, and whether it may."""
    visit = await arrive(request)
    given = _given(request.query_params)
    try:
        async with visit.instance.reading() as session:
            asked = await asking.read(session, visit.instance.settings.apps, given)
    except ToldToTheApp as told:
        return _back(told.redirect_uri, given, error=told.error)
    if visit.viewer.member is None:
        raise SignInNeeded
    response = visit.page(
        "apps/consent.html",
        asked=asked,
        words=scopes.in_words(asked.scopes),
        given=given,
        again="/oauth/authorize?" + urlencode(given),
        host=_host(asked.redirect_uri),
    )
    # The answer to the form leads to the app, which a browser counts as where the form goes.
    source = asking.source_of(asked.redirect_uri)
    response.headers["Content-Security-Policy"] = content_policy(visit.instance.settings, source)
    return response


def _host(redirect_uri: str) -> str:
    """Where the member is sent afterwards, where that is a site."""
    parts = urlsplit(redirect_uri)
    return parts.netloc if parts.scheme in {"http", "https"} else ""


async def decide(request: Request) -> Response:
    """Let the app in, or not, and go back to it."""
    visit, form = await submit(request)
    member, given = visit.member, _given(form.values)
    try:
        async with visit.instance.transaction() as tx:
            asked = await asking.read(tx.session, tx.settings.apps, given)
            if form["action"] != "allow":
                raise ToldToTheApp(asked.redirect_uri, Denied())
            code = await tokens.consent(tx, member, asked)
    except ToldToTheApp as told:
        if told.redirect_uri == clients.OUT_OF_BAND:
            return visit.go("/me/apps", "app_refused")
        return _back(told.redirect_uri, given, error=told.error)
    if asked.redirect_uri == clients.OUT_OF_BAND:
        return visit.page("apps/code.html", app=asked.app, code=code)
    return _back(asked.redirect_uri, given, code=code)


def _back(
    redirect_uri: str,
    given: Mapping[str, str],
    *,
    code: str = "",
    error: OAuthRefusal | None = None,
) -> Response:
    """Back to the app with a code, or with why there is none."""
    values = {"code": code} if code else {}
    if error is not None:
        values = {"error": error.code, "error_description": error.sentence}
    if given.get("state"):
        values["state"] = given["state"]
    if redirect_uri == clients.OUT_OF_BAND:
        raise error or NotFound
    separator = "&" if "?" in redirect_uri else "?"
    response = RedirectResponse(f"{redirect_uri}{separator}{urlencode(values)}", 303)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def index(request: Request) -> Response:
    """The apps that the member has let in."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        apps = await tokens.page(session, visit.member)
    lines = [(line, scopes.in_words(line.scopes)) for line in apps]
    return visit.page("apps/index.html", lines=lines, setting=visit.instance.settings.apps)


async def shut_out(request: Request) -> Response:
    """Let an app in no longer."""
    visit, form = await submit(request)
    member = visit.member
    number = identifier(form["app"])
    if number is None:
        raise NotFound
    async with visit.instance.transaction() as tx:
        await tokens.shut_out(tx, member, number)
    return visit.go("/me/apps", "app_out")


routes = [
    Route("/oauth/authorize", ask),
    # Some apps end the address so.
    Route("/oauth/authorize/", ask),
    Route("/oauth/authorize", decide, methods=["POST"]),
    Route("/me/apps", index),
    Route("/me/apps", shut_out, methods=["POST"]),
]
