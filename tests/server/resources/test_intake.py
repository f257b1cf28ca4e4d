# SPDX-License-Identifier: Apache-2.0
"""Taking files in: scanned by a daemon, and seen before they are downloaded."""

import asyncio
import io
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from server.errors import Invalid, Unavailable
from server.instance import Instance
from server.resources.intake import TakenIn, take_in
from tests.server.hub import bench

FOUND = b"stream: Eicar-Test-Signature FOUND\0"


@asynccontextmanager
async def clamd(folder: Path, answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A daemon that takes INSTREAM and gives one answer; its socket, and what it was sent."""
    sent: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
        sent.append(content)
        writer.write(answer)
        writer.close()

    path = str(folder / "clamd.ctl")
    async with await asyncio.start_unix_server(serve, path):
        yield path, sent


async def taken(instance: Instance, content: bytes, name: str, scanner: str = "") -> TakenIn:
    return await take_in(
        instance.files, io.BytesIO(content), name, largest=5_000_000, scanner=scanner
    )


async def test_a_file_passes_the_scanner_first(instance: Instance, tmp_path: Path) -> None:
    async with clamd(tmp_path, b"stream: OK\0") as (scanner, sent):
        assert (await taken(instance, bench.CSV, "a.csv", scanner)).file.size == len(bench.CSV)
        assert sent == [bench.CSV]
    async with clamd(tmp_path, FOUND) as (scanner, _):
        with pytest.raises(Invalid, match="virus scanner"):
            await taken(instance, bench.CSV, "a.csv", scanner)
    async with clamd(tmp_path, b"INSTREAM size limit exceeded. ERROR\0") as (scanner, _):
        with pytest.raises(Unavailable):
            await taken(instance, bench.CSV, "a.csv", scanner)
    # A scanner that is not there lets nothing pass.
    with pytest.raises(Unavailable, match="cannot be checked"):
        await taken(instance, bench.CSV, "a.csv", str(tmp_path / "gone.ctl"))


def pdf() -> bytes:
    """A document of one empty page, twice as high as wide."""
    document, written = pypdfium2.PdfDocument.new(), io.BytesIO()
    document.new_page(300, 600)
    document.save(written)
    return written.getvalue()


async def drawn(instance: Instance, new: TakenIn) -> Image.Image:
    """The picture that is seen of a file."""
    assert new.preview is not None
    assert new.preview.picture is not None
    pieces = [piece async for piece in instance.files.shelf.read(new.preview.picture.sha256)]
    return Image.open(io.BytesIO(b"".join(pieces)))


async def test_files_are_seen_before_they_are_downloaded(instance: Instance) -> None:
    page = await drawn(instance, await taken(instance, pdf(), "plan.pdf"))
    assert (page.format, page.size) == ("WEBP", (800, 1_600))
    wide = io.BytesIO()
    Image.new("RGB", (3_200, 800), "navy").save(wide, "PNG")
    picture = await drawn(instance, await taken(instance, wide.getvalue(), "wide.png"))
    assert (picture.format, picture.size) == ("WEBP", (1_600, 400))
    film = io.BytesIO()
    Image.new("RGB", (64, 32), "navy").save(film, "GIF")
    assert (await drawn(instance, await taken(instance, film.getvalue(), "a.gif"))).size == (64, 32)

    rows = "Name;Owner\n" + "\n".join(f"=cmd|{n};\u202e{n}" for n in range(40))
    table = await taken(instance, rows.encode(), "a.csv")
    assert table.preview is not None
    shown = json.loads(table.preview.body)
    assert (len(shown), shown[0], shown[1]) == (15, ["Name", "Owner"], ["=cmd|0", "0"])

    words = "# Plan\n\n<script>alert(1)</script> and [here](javascript:alert(1))"
    text = await taken(instance, words.encode(), "a.md")
    assert text.preview is not None
    assert "Plan" in text.preview.body
    assert "<script" not in text.preview.body
    assert 'href="javascript' not in text.preview.body


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.pdf", pdf()[:200]),
        ("none.pdf", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"),
        ("a.txt", b"words"),
        ("odd.csv", b'"never closed\n' + b"x" * 200_000),
    ],
)
async def test_a_file_that_cannot_be_shown_is_taken_all_the_same(
    instance: Instance, name: str, content: bytes
) -> None:
    new = await taken(instance, content, name)
    assert new.file.size == len(content)
    assert new.preview is None or new.preview.kind == "table"
