# SPDX-License-Identifier: Apache-2.0
"""Taking an uploaded file in: what it is, what is kept of it."""

import asyncio
from dataclasses import dataclass
from typing import BinaryIO

from server import pictures
from server.errors import Invalid
from server.files import Files, NewFile
from server.pictures import NotAPicture
from server.resources.names import clean_name, ending_of, with_ending
from server.resources.sniffing import NotTaken, media_type_of

_PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "png"}
_BECOMES = {"image/gif": "image/png"}
_SAME = {"jpg": {"jpg", "jpeg"}}
MADE_ANEW = "Made anew: data on place and camera are gone."
FIRST_ONLY = "Made anew as a PNG of its first picture."


@dataclass(frozen=True)
class TakenIn:
    """A file on its shelf with the name it goes by; `said` is what was done to it."""

    file: NewFile
    name: str
    said: str = ""


async def take_in(files: Files, source: BinaryIO, name: str, *, largest: int) -> TakenIn:
    """Put an uploaded file on the shelf, in bytes at most `largest`; Invalid says why not.

    Pictures are made anew, so that nothing of them is kept but what can be seen.
    """
    name = clean_name(name)
    with await asyncio.to_thread(files.arriving) as arriving:
        await asyncio.to_thread(arriving.fill, source)
        if arriving.size > largest:
            raise too_large(name, largest)
        try:
            kind = await asyncio.to_thread(media_type_of, arriving.content, name)
            if kind not in _PICTURES:
                return TakenIn(await files.put(arriving, kind), name)
            made = await pictures.cleaned(await asyncio.to_thread(_whole, arriving.content))
        except (NotTaken, NotAPicture) as error:
            raise Invalid({"upload": str(error)}) from error
    return await _picture(files, made, kind, name)


def too_large(name: str, largest: int) -> Invalid:
    """The refusal of a file over the limit, which is in bytes."""
    return Invalid({"upload": f"“{name}” is over {largest // 1_000_000:,} MB, the most we take."})


async def _picture(files: Files, made: bytes, kind: str, name: str) -> TakenIn:
    ending = _PICTURES[kind]
    if ending_of(name) not in _SAME.get(ending, {ending}):
        name = with_ending(name, ending)
    new = await files.write(made, _BECOMES.get(kind, kind))
    return TakenIn(new, name, FIRST_ONLY if kind == "image/gif" else MADE_ANEW)


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(pictures.LARGEST_CLEANED + 1)
