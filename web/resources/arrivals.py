# SPDX-License-Identifier: Apache-2.0
"""Files of a draft sent in pieces, by the tus protocol 1.0.0.

Core, creation, expiration and termination (https://tus.io/protocols/resumable-upload). What has
come as a whole is put into the draft by its form, with all that is typed in it.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import format_datetime

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotAllowed, NotFound, Refusal
from server.files import Arriving
from server.instance import Instance
from server.resources import arrivals, drafts, intake, pieces
from server.resources.arrivals import Displaced
from server.resources.intake import TakenIn
from server.resources.pieces import WAITS
from server.rows import Arrival
from web import limits, sessions
from web.errors import STATUS
from web.forms import must_be_ours, must_be_small
from web.limits import spend
from web.media import UNREAD
from web.spots import identifier
from web.visits import Visit, arrive

VERSION = "1.0.0"
OF_PIECES = "application/offset+octet-stream"
# Of a piece whose line broke less than this is not worth a file of its own.
LEAST_KEPT = 64 * 1024
Answerer = Callable[[Request, Visit], Awaitable[Response]]


@asynccontextmanager
async def letting_go(instance: Instance, new: TakenIn) -> AsyncIterator[None]:
    """Leave nothing of a file that is refused inside."""
    try:
        yield
    except Refusal:
        async with instance.transaction() as tx:
            await drafts.let_go(tx, new)
        raise


async def complete(visit: Visit, draft: int, number: int) -> None:
    """Put a file that has come as a whole into its draft; one that is not taken is dropped."""
    instance, member = visit.instance, visit.member
    async with instance.reading() as session:
        arrival = await arrivals.must_own(session, member, number)
        parts = [one.sha256 for one in await pieces.of_arrival(session, number)]
    if arrival.draft_id != draft:
        raise NotFound
    if arrival.come < arrival.size:
        message = f"“{arrival.name}” has not come as a whole: choose it again, and it goes on."
        raise Invalid({"upload": message})
    scanner = instance.settings.clamav
    try:
        new = await intake.put_together(instance.files, parts, arrival.name, scanner=scanner)
        async with letting_go(instance, new), instance.transaction() as tx:
            await arrivals.finish(tx, member, number, new)
    except Invalid:
        async with instance.transaction() as tx:
            await arrivals.drop(tx, member, draft, number)
        raise


def _by_protocol(answerer: Answerer) -> Callable[[Request], Awaitable[Response]]:
    """Answers in the protocol's way: its version, and a refusal as a plain sentence."""

    async def answer(request: Request) -> Response:
        asked = request.headers.get("tus-resumable")
        try:
            if method_of(request) == "OPTIONS":
                response = Response(status_code=204, headers=_abilities(request))
            elif asked != VERSION:
                response = Response(status_code=412, headers={"Tus-Version": VERSION})
            else:
                response = await answerer(request, await _sender(request))
        except Refusal as error:
            status = 409 if isinstance(error, Displaced) else STATUS.get(type(error), 400)
            response = Response(f"{error.sentence}\n", status, media_type="text/plain")
            if retry := getattr(error, "retry_after", None):
                response.headers["Retry-After"] = str(retry)
        response.headers.update({"Tus-Resumable": VERSION, "Cache-Control": "no-store"})
        return response

    return answer


def method_of(request: Request) -> str:
    """What is asked for; a line that lets no PATCH through may send it as a POST."""
    return request.headers.get("x-http-method-override", request.method).upper()


def _abilities(request: Request) -> dict[str, str]:
    largest = request.app.state.instance.settings.upload_size * 1_000_000
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,expiration,termination",
        "Tus-Max-Size": str(largest),
    }


async def _sender(request: Request) -> Visit:
    """The visit of a member from a page of ours."""
    visit = await arrive(request)
    must_be_ours(request, visit)
    if visit.viewer.member is not None and not sessions.same(
        request.headers.get("x-csrf-token", ""), visit.csrf
    ):
        raise NotAllowed("You signed in again meanwhile: load the page again, and go on.")
    return visit


async def announce(request: Request, visit: Visit) -> Response:
    """Begin a file: how large it is, and what it is called (creation)."""
    member, said = visit.member, _said(request)
    draft = identifier(request.path_params["draft"]) or 0
    async with visit.instance.reading() as session:
        await drafts.must_own(session, member, draft)
    spend(visit, limits.UPLOAD, f"member {member.id}")
    size = _number(request, "upload-length")
    async with visit.instance.transaction() as tx:
        begun = await arrivals.begin(
            tx, member, draft, said.get("filename", ""), size, said.get("mark", "")
        )
    headers = {"Location": f"/resources/arrivals/{begun.id}", **_until(begun)}
    return Response(status_code=201, headers=headers)


def _said(request: Request) -> dict[str, str]:
    """The Upload-Metadata: pairs of a name and a value in Base64."""
    found = {}
    for pair in request.headers.get("upload-metadata", "")[:4_000].split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise HTTPException(400, "The Upload-Metadata cannot be read.") from error
    return found


def _number(request: Request, header: str) -> int:
    told = request.headers.get(header, "")
    if not (told.isascii() and told.isdecimal() and len(told) < 16):
        raise HTTPException(400, f"The header {header} must be a number.")
    return int(told)


def _until(arrival: Arrival) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(arrival.last + WAITS, usegmt=True)}


async def go_on(request: Request, visit: Visit) -> Response:
    """Where a file stopped (HEAD), its next piece (PATCH), or an end of it (DELETE)."""
    member, number = visit.member, identifier(request.path_params["arrival"]) or 0
    method = method_of(request)
    async with visit.instance.reading() as session:
        arrival = await arrivals.must_own(session, member, number)
    if method == "HEAD":
        told = {"Upload-Offset": str(arrival.come), "Upload-Length": str(arrival.size)}
        return Response(headers={**told, **_until(arrival)})
    if method == "DELETE":
        async with visit.instance.transaction() as tx:
            await arrivals.drop(tx, member, arrival.draft_id, number)
        return Response(status_code=204)
    if method != "PATCH":
        return Response(status_code=405)
    if request.headers.get("content-type") != OF_PIECES:
        return Response(status_code=415)
    must_be_small(request)
    start = _number(request, "upload-offset")
    if start != arrival.come:
        raise Displaced
    spend(visit, limits.PIECE, f"member {member.id}")
    arrival = await _piece(request, visit, number, start)
    return Response(
        status_code=204, headers={"Upload-Offset": str(arrival.come), **_until(arrival)}
    )


async def _piece(request: Request, visit: Visit, number: int, start: int) -> Arrival:
    """Keep what comes; of a line that breaks, what came before."""
    instance = visit.instance
    with await asyncio.to_thread(instance.files.arriving) as arriving:
        broken = await _filled(request, arriving)
        if arriving.size == 0 or (broken is not None and arriving.size < LEAST_KEPT):
            raise broken or Invalid({"upload": "Nothing was sent."})
        new = await instance.files.put(arriving, UNREAD)
    try:
        async with instance.transaction() as tx:
            return await arrivals.add_piece(tx, visit.member, number, start, new)
    except Refusal:
        async with instance.transaction() as tx:
            await pieces.let_go(tx, [new.sha256])
        raise


async def _filled(request: Request, arriving: Arriving) -> ClientDisconnect | None:
    """Write down what is sent; answers what broke it off."""
    try:
        async for part in request.stream():
            await asyncio.to_thread(arriving.write, part)
    except ClientDisconnect as broken:
        return broken
    return None


WAYS = ["HEAD", "PATCH", "DELETE", "OPTIONS", "POST"]
routes = [
    Route(
        "/resources/drafts/{draft}/arrivals", _by_protocol(announce), methods=["OPTIONS", "POST"]
    ),
    Route("/resources/arrivals/{arrival}", _by_protocol(go_on), methods=WAYS),
]
