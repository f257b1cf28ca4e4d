# SPDX-License-Identifier: Apache-2.0
"""What is seen of a file before it is downloaded."""

import asyncio
import csv
import io
import json
from dataclasses import dataclass
from typing import BinaryIO

from server import files, pictures, text
from server.files import Files, NewFile
from server.pictures import MEDIA_TYPE, NotAPicture
from server.transaction import Transaction
from storage.base import insert
from storage.files import FilePreview

ROWS, COLUMNS, LONGEST_CELL = 15, 8, 80
BEGINNING = 64 * 1024
LONGEST_TEXT = 4_000
_DRAWN = {"application/pdf", "image/png", "image/jpeg", "image/webp", "image/gif"}
_TABLES = {"text/csv": ",", "text/tab-separated-values": "\t"}


@dataclass(frozen=True)
class Preview:
    """A picture on the shelf, the JSON of a table's first rows, or HTML."""

    kind: str
    body: str = ""
    picture: NewFile | None = None


async def make(shelved: Files, content: BinaryIO, media_type: str) -> Preview | None:
    """The preview of a file; None for kinds that have none, and where it cannot be made."""
    if media_type in _DRAWN:
        data = await asyncio.to_thread(_read, content, pictures.LARGEST_CLEANED + 1)
        is_pdf = media_type == "application/pdf"
        try:
            drawn = await (pictures.first_page(data) if is_pdf else pictures.reduced(data))
        except NotAPicture:
            return None
        return Preview("picture", picture=await shelved.write(drawn, MEDIA_TYPE))
    if media_type in _TABLES:
        data = await asyncio.to_thread(_read, content, BEGINNING)
        rows = await asyncio.to_thread(_rows, data, _TABLES[media_type])
        return Preview("table", json.dumps(rows, ensure_ascii=False)) if rows else None
    if media_type == "text/markdown":
        data = await asyncio.to_thread(_read, content, BEGINNING)
        words = data.decode("utf-8", "replace")[:LONGEST_TEXT]
        return Preview("text", await asyncio.to_thread(text.render, words))
    return None


def _read(content: BinaryIO, most: int) -> bytes:
    content.seek(0)
    return content.read(most)


def _rows(data: bytes, between: str) -> list[list[str]]:
    """The first rows of a table, cut to what a page can show."""
    try:
        words = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # A character may be cut in two at the end; older programs write Latin-1.
        words = data.decode("utf-8" if len(data) == BEGINNING else "latin-1", "ignore")
    lines = words.splitlines()[: ROWS + 1]
    if between == "," and lines and lines[0].count(";") > lines[0].count(","):
        between = ";"
    found = []
    try:
        for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=between):
            if row:
                found.append([text.clean_line(cell, LONGEST_CELL) for cell in row[:COLUMNS]])
            if len(found) == ROWS:
                break
    except csv.Error:
        return []
    return found


async def keep(tx: Transaction, sha256: str, preview: Preview | None) -> None:
    """Remember the preview of a file; one that is kept already stays as it is."""
    if preview is None:
        return
    if preview.picture is not None:
        await files.keep(tx, preview.picture)
    await tx.session.execute(
        insert(tx.session, FilePreview)
        .values(
            sha256=sha256,
            kind=preview.kind,
            body=preview.body,
            picture=preview.picture.sha256 if preview.picture else None,
        )
        .on_conflict_do_nothing(index_elements=["sha256"])
    )
