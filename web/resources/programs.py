# SPDX-License-Identifier: Apache-2.0
"""The publiccode.yml of a program: read into its form, and given out."""

import asyncio

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotFound
from server.hub.pages import read
from server.resources import drafts, publiccode
from web.media import INERT
from web.spots import post_id
from web.visits import Visit, arrive

NAMES = frozenset({"publiccode.yml", "publiccode.yaml"})
"""A file that is called so is read into the form, and is no file of the resource."""


async def read_in(visit: Visit, number: int, upload: UploadFile) -> None:
    """Put a publiccode.yml into a draft, and fill in what is empty there."""
    data = await upload.read(4 * publiccode.LONGEST + 1)
    try:
        written = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid({"publiccode": "This publiccode.yml is not text in UTF-8."}) from error
    await asyncio.to_thread(publiccode.software_of, written)
    async with visit.instance.transaction() as tx:
        await drafts.save(tx, visit.member, number, {"publiccode": written})
    await filled_in(visit, number)


async def filled_in(visit: Visit, number: int) -> Response:
    """Fill what is empty in the form from the publiccode.yml in it."""
    async with visit.instance.reading() as session:
        typed = (await drafts.opened(session, visit.member, number)).typed
    written = typed.get("publiccode", "")
    if not written.strip():
        raise Invalid({"publiccode": "Put in the text of a publiccode.yml first, or add the file."})
    language = visit.instance.settings.language
    found = await asyncio.to_thread(publiccode.prefilled, written, language)
    empty = {name: value for name, value in found.items() if not typed.get(name, "").strip()}
    async with visit.instance.transaction() as tx:
        await drafts.save(tx, visit.member, number, {**empty, "kind": "code"})
    return visit.go(f"/resources/drafts/{number}#about", "filled_in")


async def program(request: Request) -> Response:
    """The publiccode.yml of a program."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    if found.record.kind != "code":
        raise NotFound
    written = publiccode.export(found.record, found.post.url, found.post.language)
    headers = {**INERT, "Content-Disposition": 'attachment; filename="publiccode.yml"'}
    return Response(written, media_type="application/yaml", headers=headers)


routes = [Route("/p/{id}/publiccode.yml", program)]
