# SPDX-License-Identifier: Apache-2.0
"""Reading a submitted form, after checking that it is ours."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from server.errors import NotAllowed
from web import sessions
from web.visits import Visit, arrive

MOST_FIELDS = 40
# Above what any field takes, so that its own check can say so beside it.
LARGEST_PART = 1024 * 1024
LARGEST_FILE = 5 * 1024 * 1024
LARGEST_BODY = 8 * 1024 * 1024


@dataclass(frozen=True)
class Form:
    """The text fields (one value each) and the files of a form.

    Of a file over LARGEST_FILE one byte more than that is kept, so that its reader can tell.
    `stale` when its token is not of this session: nothing may be done with it.
    """

    values: Mapping[str, str]
    files: Mapping[str, bytes]
    stale: bool = False

    def __getitem__(self, name: str) -> str:
        """A field as typed, line ends as `\\n`; empty when it was not sent."""
        return self.values.get(name, "")


async def submit(request: Request) -> tuple[Visit, Form]:
    """The visit and its form; refuses one that another site sent (CSRF)."""
    visit, form = await _read(request)
    if form.stale:
        raise NotAllowed("This form was open for too long: go back, reload it and try again.")
    return visit, form


async def submit_writing(request: Request, most: int = MOST_FIELDS) -> tuple[Visit, Form]:
    """As `submit`, but a form of ours with an old token is handed over as `stale`.

    So that what was typed can be shown again; nobody else's form gets that far. `most` is how
    many fields it may have.
    """
    visit, form = await _read(request, most)
    if form.stale and not _is_surely_ours(request, visit):
        raise NotAllowed("This form came from another site, so nothing was done.")
    return visit, form


@asynccontextmanager
async def receiving(
    request: Request, visit: Visit, *, largest: int
) -> AsyncIterator[tuple[Form, list[UploadFile]]]:
    """A form of ours with large files, spooled to the disk; they are gone at the end.

    `largest` is for all of it, in bytes. The form is `stale` as with `submit_writing`.
    """
    must_be_ours(request, visit)
    must_be_small(request, largest)
    async with request.form(max_files=25, max_fields=250, max_part_size=LARGEST_PART) as data:
        values: dict[str, str] = {}
        uploads = []
        for name, value in data.multi_items():
            if isinstance(value, str):
                values.setdefault(name, value.replace("\r\n", "\n").replace("\0", ""))
            elif value.filename:
                uploads.append(value)
        stale = not sessions.same(values.get("csrf", ""), visit.csrf)
        if stale and not _is_surely_ours(request, visit):
            raise NotAllowed("This form came from another site, so nothing was done.")
        yield Form(values, {}, stale), uploads


async def _read(request: Request, most: int = MOST_FIELDS) -> tuple[Visit, Form]:
    visit = await arrive(request)
    must_be_ours(request, visit)
    must_be_small(request)
    values: dict[str, str] = {}
    files: dict[str, bytes] = {}
    try:
        await _fill(request, values, files, most)
    except HTTPException as error:
        if "maximum size" not in error.detail:
            raise
        raise HTTPException(413, "One of the fields holds more than 1 MB.") from error
    stale = not sessions.same(values.get("csrf", ""), visit.csrf)
    return visit, Form(values, files, stale)


async def _fill(
    request: Request, values: dict[str, str], files: dict[str, bytes], most: int
) -> None:
    async with request.form(max_files=2, max_fields=most, max_part_size=LARGEST_PART) as data:
        for name, value in data.multi_items():
            if isinstance(value, str):
                values.setdefault(name, value.replace("\r\n", "\n").replace("\0", ""))
            elif value.filename:
                # Read now: the temporary file goes when the form is closed.
                files.setdefault(name, await value.read(LARGEST_FILE + 1))


def must_be_ours(request: Request, visit: Visit) -> None:
    """Refuse what a page of another site has a browser send."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    ours = visit.instance.settings.origin
    if (origin not in {None, "null", ours}) or site == "cross-site":
        raise NotAllowed("This form came from another site, so nothing was done.")


def _is_surely_ours(request: Request, visit: Visit) -> bool:
    """A browser says where a form comes from; an origin kept secret (`null`) may be anybody's."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    return request.headers.get("origin") in {None, visit.instance.settings.origin}


def must_be_small(request: Request, largest: int = LARGEST_BODY) -> None:
    """Refuse by the length that every browser announces, before anything is read."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "A form has to say how long it is.")
    if len(length) > 12 or int(length) > largest:
        most = largest // (1024 * 1024)
        raise HTTPException(413, f"This is more than can be sent at once: at most {most} MB.")
