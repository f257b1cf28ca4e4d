# SPDX-License-Identifier: Apache-2.0
"""Asking a ClamAV daemon about a file (clamd's INSTREAM command)."""

import asyncio
import struct
from typing import BinaryIO

from server.errors import Unavailable
from server.resources.sniffing import NotTaken

PIECE = 256 * 1024
SECONDS = 60.0
LONGEST_ANSWER = 4_096
_BUSY = "Files cannot be checked for viruses at the moment: try again in a few minutes."


async def must_be_clean(scanner: str, file: BinaryIO, name: str) -> None:
    """Refuse a file that the daemon at `scanner` (a path, or host:port) knows; "" asks nobody.

    NotTaken for what it found, Unavailable where it gives no clear answer.
    """
    if not scanner:
        return
    try:
        async with asyncio.timeout(SECONDS):
            said = await _asked(scanner, file)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise Unavailable(_BUSY) from error
    if said.endswith("FOUND"):
        raise NotTaken(f"“{name}” is not taken: a virus scanner found something in it.")
    if not said.endswith("OK"):
        raise Unavailable(_BUSY)


async def _asked(scanner: str, file: BinaryIO) -> str:
    """The answer of the daemon: `stream: OK`, `stream: <name> FOUND`, `… ERROR`."""
    if scanner.startswith("/"):
        reader, writer = await asyncio.open_unix_connection(scanner)
    else:
        host, _, port = scanner.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"zINSTREAM\0")
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, PIECE):
            writer.write(struct.pack(">I", len(piece)) + piece)
            await writer.drain()
        writer.write(struct.pack(">I", 0))
        await writer.drain()
        said = await reader.read(LONGEST_ANSWER)
    finally:
        writer.close()
    return said.decode("utf-8", "replace").strip("\0 \n")
