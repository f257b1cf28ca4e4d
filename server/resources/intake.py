# SPDX-License-Identifier: Apache-2.0
"""Taking an uploaded file in: what it is, what is kept of it."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from server import pictures
from server.errors import Invalid
from server.files import Arriving, Files, NewFile
from server.pictures import NotAPicture
from server.resources import previews, scanning
from server.resources.names import clean_name, ending_of, with_ending
from server.resources.previews import Preview
from server.resources.sniffing import NotTaken, media_type_of

_PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
_BECOMES = "image/png"
_SAME = {"jpg": {"jpg", "jpeg"}}
MADE_ANEW = "Made anew: data on place and camera are gone."
FIRST_ONLY = "Made anew as a PNG of its first picture: the film is too long or too large."


@dataclass(frozen=True)
class TakenIn:
    """A file on its shelf with the name it goes by; `said` is what was done to it."""

    file: NewFile
    name: str
    said: str = ""
    preview: Preview | None = None


async def take_in(
    files: Files, source: BinaryIO, name: str, *, largest: int, scanner: str = ""
) -> TakenIn:
    """Put an uploaded file on the shelf, in bytes at most `largest`; Invalid says why not.

    `scanner` is the socket of a ClamAV daemon; Unavailable while it does not answer.
    """
    name = clean_name(name)
    with await asyncio.to_thread(files.arriving) as arriving:
        await asyncio.to_thread(arriving.fill, source)
        if arriving.size > largest:
            raise too_large(name, largest)
        return await _judged(files, arriving, name, scanner)


async def put_together(
    files: Files, pieces: Sequence[str], name: str, *, scanner: str = ""
) -> TakenIn:
    """The same with a file that has come in pieces, which lie on the shelf under these SHA-256."""
    with await asyncio.to_thread(files.arriving) as arriving:
        for sha256 in pieces:
            async for part in files.shelf.read(sha256):
                await asyncio.to_thread(arriving.write, part)
        return await _judged(files, arriving, name, scanner)


async def _judged(files: Files, arriving: Arriving, name: str, scanner: str) -> TakenIn:
    """What is kept of a file: of pictures nothing but what can be seen, so they are made anew."""
    try:
        kind = await asyncio.to_thread(media_type_of, arriving.content, name)
        await scanning.must_be_clean(scanner, arriving.content, name)
        if kind in _PICTURES:
            made = await pictures.cleaned(await asyncio.to_thread(_whole, arriving.content))
            return await _picture(files, made, kind, name)
        seen = await previews.make(files, arriving.content, kind)
        return TakenIn(await files.put(arriving, kind), name, preview=seen)
    except (NotTaken, NotAPicture) as error:
        raise Invalid({"upload": str(error)}) from error


def too_large(name: str, largest: int) -> Invalid:
    """The refusal of a file over the limit, which is in bytes."""
    return Invalid({"upload": f"“{name}” is over {largest // 1_000_000:,} MB, the most we take."})


async def _picture(files: Files, made: bytes, kind: str, name: str) -> TakenIn:
    is_cut = kind == "image/gif" and not made.startswith(b"GIF8")
    kind = _BECOMES if is_cut else kind
    ending = _PICTURES[kind]
    if ending_of(name) not in _SAME.get(ending, {ending}):
        name = with_ending(name, ending)
    new = await files.write(made, kind)
    seen = await previews.make(files, io.BytesIO(made), kind)
    return TakenIn(new, name, FIRST_ONLY if is_cut else MADE_ANEW, seen)


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(pictures.LARGEST_CLEANED + 1)
