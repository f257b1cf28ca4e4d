# SPDX-License-Identifier: Apache-2.0
"""The way in for apps: tokens, scopes, limits, errors as they know them."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from server.apps import scopes, tokens
from server.apps.errors import InvalidClient, OAuthRefusal
from server.apps.tokens import Holder
from server.errors import Invalid, NotFound, Refusal, SignInNeeded, TooFast
from server.instance import Instance
from web.api.calls import Answer, ApiJson, Call, Forbidden, Unauthorized, read
from web.errors import STATUS
from web.limits import Limit, address_of, buckets_of

EVERYBODY = "everybody"
ANY_TOKEN = "any token"  # noqa: S105 (no password)
CALLS = Limit("api", 1_500, 300)
EXPOSED = "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": EXPOSED,
}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}
PRIVATE = {"Cache-Control": "private, no-store"}

Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True)
class Door:
    """What a call needs, and what it is answered with.

    `scope` is one of Mastodon's, EVERYBODY or ANY_TOKEN; `public` lets in calls without a token
    as well. `answers` names a schema of `schemas`, in brackets for a list of them. `takes` names
    the parameters, those in the path left out, with `!` behind those that must be given.
    """

    handler: Handler
    scope: str
    answers: str
    takes: Sequence[str] = ()
    public: bool = False
    status: int = 200


class ApiRoute(Route):
    """One call for apps, at one address and by one method."""

    def __init__(self, method: str, path: str, door: Door) -> None:
        self.door = door
        super().__init__(path, endpoint(door), methods=[method])

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, Any]:
        """Some apps end an address with a slash."""
        if scope["type"] == "http" and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/")}
        return super().matches(scope)


def call(
    method: str,
    path: str,
    handler: Handler,
    scope: str,
    answers: str,
    *takes: str,
    public: bool = False,
    status: int = 200,
) -> ApiRoute:
    """A line of a table of calls."""
    return ApiRoute(method, path, Door(handler, scope, answers, takes, public, status))


def endpoint(door: Door) -> Callable[[Request], Awaitable[Response]]:
    """The handler between its checks and the headers of its answer."""

    async def answered(request: Request) -> Response:
        response = await _answered(request, door)
        response.headers.update(CORS)
        for name, value in PRIVATE.items():
            response.headers.setdefault(name, value)
        return response

    return answered


async def _answered(request: Request, door: Door) -> Response:
    try:
        holder = await _holder(request)
        headers = _spend(request, holder)
        _must_reach(door, holder)
        instance: Instance = request.app.state.instance
        found = await door.handler(Call(request, instance, holder, await read(request)))
    except Exception as error:
        refusal = refused(error)
        if refusal is None:
            raise
        return refusal
    if isinstance(found, Response):
        response = found
    else:
        answer = found if isinstance(found, Answer) else Answer(found, door.status)
        response = answer.response()
    response.headers.update(headers)
    return response


def refused(error: Exception) -> Response | None:
    """What an app is told of a refusal; None for a bug."""
    if isinstance(error, Unauthorized):
        sentence = "The access token is invalid"
        return ApiJson({"error": sentence}, 401, {"WWW-Authenticate": "Bearer"})
    if isinstance(error, Forbidden):
        return ApiJson({"error": "This action is outside the authorized scopes"}, 403)
    if isinstance(error, OAuthRefusal):
        body = {"error": error.code, "error_description": error.sentence}
        return ApiJson(body, 401 if isinstance(error, InvalidClient) else 400)
    if isinstance(error, HTTPException):
        return ApiJson({"error": error.detail}, error.status_code)
    if not isinstance(error, Refusal):
        return None
    if isinstance(error, SignInNeeded):
        return ApiJson({"error": "This method requires an authenticated user"}, 401)
    body = {"error": error.sentence}
    if isinstance(error, NotFound):
        body = {"error": "Record not found"}
    if isinstance(error, Invalid):
        body = {"error": f"Validation failed: {error.sentence.removeprefix('Validation failed: ')}"}
    response = ApiJson(body, STATUS.get(type(error), 422))
    if isinstance(error, TooFast):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def bearer(request: HTTPConnection) -> str:
    """The token of a request; "" for none. Never one in the address, which ends in logs."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _holder(request: Request) -> Holder | None:
    """Who the token speaks for; a wrong one is worse than none. Cookies mean nothing here."""
    token = bearer(request)
    if not token:
        return None
    instance: Instance = request.app.state.instance
    async with instance.reading() as session:
        found = await tokens.holder(session, instance, token)
    if found is None:
        raise Unauthorized
    now = instance.clock.now()
    if found.used is None or now - found.used > tokens.NOTED_EVERY:
        async with instance.transaction() as tx:
            await tokens.note_use(tx, found.token)
    return found


def _must_reach(door: Door, holder: Holder | None) -> None:
    if door.scope == EVERYBODY or (door.public and holder is None):
        return
    if holder is None:
        raise Unauthorized
    if door.scope == ANY_TOKEN:
        return
    if not scopes.covers(holder.scopes, door.scope):
        raise Forbidden
    if holder.member is None and not door.public:
        raise SignInNeeded


def _spend(request: Request, holder: Holder | None) -> dict[str, str]:
    """Count a call of this token, or of this address; what is left, as headers."""
    instance: Instance = request.app.state.instance
    who = f"token {holder.token}" if holder else address_of(request)
    now = instance.clock.now()
    buckets = buckets_of(request)
    buckets.spend(CALLS, who, now)
    left, full = buckets.left(CALLS, who, now)
    return {
        "X-RateLimit-Limit": str(CALLS.count),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": full.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


async def preflight(request: Request) -> Response:
    """A browser asks whether a page of another site may call here: any may, without cookies."""
    return Response(status_code=204, headers=PREFLIGHT)


async def missing(request: Request) -> Response:
    """There is no such call."""
    return ApiJson({"error": "Record not found"}, 404, CORS)
