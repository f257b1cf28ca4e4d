# SPDX-License-Identifier: Apache-2.0
"""Refusals as statuses and pages, and bugs with an id."""

from urllib.parse import quote

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from server.errors import (
    Gone,
    Invalid,
    Locked,
    NotAllowed,
    NotFound,
    Refusal,
    SignInNeeded,
    TooFast,
    Unavailable,
)
from web.visits import arrive

STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    SignInNeeded: 403,
    NotAllowed: 403,
    Locked: 409,
    Gone: 410,
    Invalid: 422,
    TooFast: 429,
    Unavailable: 503,
}
_HEADINGS = {
    400: "That request could not be read",
    403: "You may not do this",
    404: "Nothing here",
    405: "That is not possible here",
    409: "Not possible any more",
    410: "Deleted",
    413: "Too large",
    422: "Please look again",
    429: "A little slower, please",
    503: "Try again soon",
}
BUSY = "This site cannot save or look up anything at the moment: try again in a little while."
BUSY_SECONDS = 10
log = structlog.get_logger("guildhall.web")


async def refused(request: Request, error: Exception) -> Response:
    """The page for a refusal."""
    if not isinstance(error, Refusal):
        raise error
    if isinstance(error, SignInNeeded) and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)
    response = await page(request, STATUS.get(type(error), 400), error.sentence)
    if isinstance(error, TooFast):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def http_error(request: Request, error: Exception) -> Response:
    """The page for what Starlette itself refuses."""
    if not isinstance(error, HTTPException):
        raise error
    sentence = NotFound.__doc__ if error.status_code == 404 else error.detail
    response = await page(request, error.status_code, sentence or "")
    response.headers.update(error.headers or {})
    return response


async def fault(request: Request, error: Exception) -> Response:
    """503 while the database cannot serve: full, locked, read-only, restarting."""
    if not request.app.state.instance.database_passes(error):
        raise error
    log.error("the database cannot serve", path=request.url.path, why=str(error).split("\n")[0])
    response = await _in_short(request, 503, BUSY)
    response.headers["Retry-After"] = str(BUSY_SECONDS)
    return response


async def _in_short(request: Request, status: int, sentence: str) -> Response:
    """The sentence as a page, where a page can still be made; else as JSON or plain text."""
    accept = request.headers.get("accept", "")
    if "json" in accept:
        return JSONResponse({"error": sentence}, status)
    if "html" in accept:
        try:
            return await page(request, status, sentence)
        except Exception as again:
            # A page names who reads it, and the database may not be able to tell even that.
            if not request.app.state.instance.database_passes(again):
                raise
    return Response(f"{sentence}\n", status, media_type="text/plain")


async def bug(request: Request, error: Exception) -> Response:
    """A plain page with an id that stands in the log beside the traceback."""
    if request.app.state.instance.database_passes(error):
        return await fault(request, error)
    identifier = f"{request.app.state.instance.ids.next():x}"
    log.error("unexpected", id=identifier, path=request.url.path, exc_info=error)
    sentence = f"Something went wrong on our side. If you report it, name {identifier}."
    if "json" in request.headers.get("accept", ""):
        return JSONResponse({"error": sentence}, 500)
    return Response(sentence, 500, media_type="text/plain")


async def page(request: Request, status: int, sentence: str) -> Response:
    """An error page in the site's own look."""
    visit = await arrive(request)
    heading = _HEADINGS.get(status, "That did not work")
    return visit.page("error.html", status, heading=heading, sentence=sentence)


async def left(request: Request, error: Exception) -> Response:
    """Whoever asked has gone before all of it came: nobody reads this, and nothing is wrong."""
    return Response(status_code=400)


HANDLERS = {Refusal: refused, HTTPException: http_error, ClientDisconnect: left}
