# SPDX-License-Identifier: Apache-2.0
"""Pictures people send, made anew by a child process."""

import asyncio
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

MEDIA_TYPE = "image/webp"
LARGEST = 5 * 1024 * 1024
LARGEST_CLEANED = 25 * 1024 * 1024
SECONDS = 20
_CHILD = Path(__file__).with_name("child.py")
_PAGE = Path(__file__).with_name("page.py")
# A picture may take a second of processor time: two at once leave room for pages.
_two_at_once = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pictures")


class NotAPicture(Exception):
    """The bytes cannot be used as a picture; the message is one sentence for the person."""


async def square(data: bytes) -> bytes:
    """PNG, JPEG, WebP or GIF bytes as a WebP of 256×256 pixels, cropped to the middle.

    Nothing of the original but its pixels is kept. Raises NotAPicture over 5 MB or 40
    million pixels, and for whatever cannot be read.
    """
    if len(data) > LARGEST:
        raise NotAPicture("The picture is over 5 MB: choose a smaller one.")
    return await asyncio.get_running_loop().run_in_executor(_two_at_once, _in_child, data)


async def fitted(data: bytes) -> bytes:
    """The same for a picture that keeps its shape, at most 1,600 pixels wide and high."""
    if len(data) > LARGEST:
        raise NotAPicture("The picture is over 5 MB: choose a smaller one.")
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_two_at_once, _in_child, data, "fitted")


async def reduced(data: bytes) -> bytes:
    """As `fitted`, of a picture of up to 25 MB, such as `cleaned` makes; for previews."""
    if len(data) > LARGEST_CLEANED:
        raise NotAPicture("The picture is over 25 MB: choose a smaller one.")
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_two_at_once, _in_child, data, "fitted")


def size(made: bytes) -> tuple[int, int]:
    """Width and height of a picture that we made; only its head is read."""
    with Image.open(io.BytesIO(made), formats=["WEBP"]) as picture:
        return picture.size


async def cleaned(data: bytes) -> bytes:
    """A picture in its own size without anything but its pixels.

    It stays of its kind, but for a GIF of too many frames: of that the first one, as PNG.
    Raises NotAPicture as `square` does, over 25 MB.
    """
    if len(data) > LARGEST_CLEANED:
        raise NotAPicture(
            "The picture is over 25 MB: save it smaller, or put it into a ZIP archive."
        )
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_two_at_once, _in_child, data, "cleaned")


async def first_page(data: bytes) -> bytes:
    """The first page of a PDF as a WebP 800 pixels wide; NotAPicture where it cannot be drawn."""
    if len(data) > LARGEST_CLEANED:
        raise NotAPicture("The document is too large to be drawn.")
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_two_at_once, _in_child, data, _PAGE)


def _in_child(data: bytes, *how: str | Path) -> bytes:
    """What a program of ours makes of bytes; with a path first, that one."""
    program = how[0] if how and isinstance(how[0], Path) else _CHILD
    # Isolated and with an empty environment: the child knows nothing worth telling.
    command = [sys.executable, "-I", str(program), *(one for one in how if isinstance(one, str))]
    try:
        done = subprocess.run(  # noqa: S603 (our own program, no arguments from outside)
            command, input=data, capture_output=True, timeout=SECONDS, check=False, env={}
        )
    except subprocess.TimeoutExpired:
        raise NotAPicture("The picture took too long to read: choose another one.") from None
    if done.returncode == 3:
        raise NotAPicture("The picture has over 40 million pixels: choose a smaller one.")
    if done.returncode != 0 or not done.stdout:
        raise NotAPicture("This is not a picture we can read: choose a PNG, JPEG, WebP or GIF.")
    return done.stdout
