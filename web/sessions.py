# SPDX-License-Identifier: Apache-2.0
"""Cookies: the session of a member, the form token of a visitor."""

import hashlib
import hmac
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from server.instance import Instance
from server.members import sign_in
from server.settings import Settings

SAID_COOKIE = "guildhall_said"


class _Visit(Protocol):
    request: Request
    instance: Instance
    csrf: str
    token: str | None


def _name(settings: Settings, what: str) -> str:
    """`__Host-` cookies on https; the origin setting decides, never a header."""
    return f"__Host-guildhall_{what}" if settings.is_https else f"guildhall_{what}"


def token_of(request: Request, settings: Settings) -> str | None:
    """The session token the browser holds, if any."""
    return request.cookies.get(_name(settings, "session")) or None


def give(response: Response, settings: Settings, token: str) -> None:
    """Hand the browser its session."""
    response.set_cookie(
        _name(settings, "session"),
        token,
        max_age=int(sign_in.LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.is_https,
    )


def take(response: Response, settings: Settings) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(
        _name(settings, "session"), path="/", httponly=True, secure=settings.is_https
    )


def form_token_of(request: Request, instance: Instance) -> str:
    """The token for forms before sign-in (double submit); a new one if there is none."""
    held = request.cookies.get(_name(instance.settings, "form"), "")
    return held if 32 <= len(held) <= 64 else instance.randomness.token()


def keep_form_token(response: Response, visit: _Visit) -> None:
    """Let a visitor's browser keep the token that its forms carry."""
    settings = visit.instance.settings
    if visit.token is None and visit.request.cookies.get(_name(settings, "form")) != visit.csrf:
        response.set_cookie(
            _name(settings, "form"),
            visit.csrf,
            path="/",
            httponly=True,
            samesite="lax",
            secure=settings.is_https,
        )


def same(one: str, other: str) -> bool:
    """Equal, without telling by time where they differ."""
    digests = (hashlib.sha256(value.encode()).digest() for value in (one, other))
    return hmac.compare_digest(*digests)
