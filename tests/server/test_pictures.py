# SPDX-License-Identifier: Apache-2.0
"""Pictures are made anew, kept by their hash, and forgotten."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from server import pictures
from server.instance import Instance
from server.members import profile
from storage.files import StoredFile
from storage.members import Member
from storage.shelves import Folder
from tests import makers


def picture(size: tuple[int, int] = (640, 480), kind: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(written, kind, **options)
    return written.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_becomes_a_small_square(kind: str) -> None:
    made = await pictures.square(picture(kind=kind))
    with Image.open(io.BytesIO(made)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (256, 256))


async def test_WEB_07_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[Base.ImageDescription] = "taken at home"
    exif.get_ifd(IFD.GPSInfo)[2] = (52.0, 31.0, 12.0)
    sent = picture(kind="JPEG", exif=exif, comment=b"a secret")
    assert b"taken at home" in sent
    made = await pictures.square(sent)
    with Image.open(io.BytesIO(made)) as shown:
        assert not shown.getexif()
        assert not {"exif", "icc_profile", "xmp", "comment"} & set(shown.info)
    assert b"taken at home" not in made
    assert b"a secret" not in made


async def test_a_picture_is_turned_upright() -> None:
    sent, exif = io.BytesIO(), Image.Exif()
    exif[Base.Orientation] = 6
    half = Image.new("RGB", (200, 200), "white")
    half.paste("black", (0, 0, 100, 200))
    half.save(sent, "PNG", exif=exif)
    with Image.open(io.BytesIO(await pictures.square(sent.getvalue()))) as shown:
        grey = shown.convert("L")
    assert grey.getpixel((128, 20)) == pytest.approx(0, abs=40)
    assert grey.getpixel((128, 235)) == pytest.approx(255, abs=40)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        picture()[:200],
        picture(kind="BMP"),
        png_header(640, 480),
    ],
    ids=["empty", "html", "svg", "cut short", "another format", "without pixels"],
)
async def test_what_is_no_picture_is_refused(sent: bytes) -> None:
    with pytest.raises(pictures.NotAPicture, match="PNG, JPEG"):
        await pictures.square(sent)


async def test_DOS_06_a_bomb_is_refused_by_its_header() -> None:
    for width, height in ((30_000, 30_000), (40_000_001, 1)):
        for make in (pictures.square, pictures.fitted):
            with pytest.raises(pictures.NotAPicture, match="40 million"):
                await make(png_header(width, height))


async def test_DOS_06_of_a_film_one_frame_is_read() -> None:
    frames = [Image.new("RGB", (64, 64), (n % 250, n // 250, 0)) for n in range(3_000)]
    film = io.BytesIO()
    frames[0].save(film, "GIF", save_all=True, append_images=frames[1:], loop=0)
    assert film.tell() < pictures.LARGEST
    with Image.open(io.BytesIO(film.getvalue())) as sent:
        sent.seek(2_900)
    for made in (await pictures.square(film.getvalue()), await pictures.fitted(film.getvalue())):
        with Image.open(io.BytesIO(made)) as shown:
            assert getattr(shown, "n_frames", 1) == 1
    with Image.open(io.BytesIO(await pictures.cleaned(film.getvalue()))) as shown:
        assert (shown.format, shown.size) == ("PNG", (64, 64))


@pytest.mark.parametrize(
    ("count", "side", "kept"), [(1, 40, 1), (12, 40, 12), (301, 4, None), (3, 2_600, None)]
)
async def test_DOS_06_WEB_07_a_film_of_a_few_frames_is_drawn_anew(
    count: int, side: int, kept: int | None
) -> None:
    colours = ["navy", "gold", "green"]
    frames = [Image.new("RGB", (side, side), colours[n % 3]) for n in range(count)]
    for number, frame in enumerate(frames):
        frame.putpixel((number % side, 1), (255, 0, number % 256))
    film = io.BytesIO()
    frames[0].save(
        film, "GIF", save_all=True, append_images=frames[1:], loop=0, duration=200,
        comment=b"a secret",
    )  # fmt: skip
    assert b"a secret" in film.getvalue()
    made = await pictures.cleaned(film.getvalue() + b"<script>alert(1)</script>")
    assert b"a secret" not in made
    assert b"script" not in made
    with Image.open(io.BytesIO(made)) as shown:
        assert (shown.format, shown.size) == ("PNG" if kept is None else "GIF", (side, side))
        assert getattr(shown, "n_frames", 1) == (kept or 1)
        assert "comment" not in shown.info
        if kept == 12:
            assert shown.info["duration"] == 200
            shown.seek(1)
            assert shown.convert("RGB").getpixel((20, 20)) == pytest.approx((255, 215, 0), abs=9)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_DOS_06_what_breaks_off_is_refused_or_drawn_as_far(kind: str) -> None:
    whole = picture(kind=kind)
    for length in (10, 20, len(whole) // 2, len(whole) - 1):
        for make in (pictures.square, pictures.fitted):
            try:
                made = await make(whole[:length])
            except pictures.NotAPicture:
                continue
            with Image.open(io.BytesIO(made)) as shown:
                assert shown.format == "WEBP"


async def test_a_large_file_is_refused_unread() -> None:
    with pytest.raises(pictures.NotAPicture, match="5 MB"):
        await pictures.square(b"\0" * (pictures.LARGEST + 1))


def lies(instance: Instance, sha256: str) -> Path:
    """Where a file of the instance lies."""
    return Folder(instance.settings.state / "files").path(sha256)


async def test_a_file_lies_under_its_hash(instance: Instance) -> None:
    new = await instance.files.write(b"hello", "image/webp")
    path = lies(instance, new.sha256)
    assert path.read_bytes() == b"hello"
    assert path.parts[-4:-1] == (
        "files",
        new.sha256[:2],
        new.sha256[2:4],
    )


@pytest.mark.parametrize("name", ["", "../master.key", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_WEB_05_no_other_name_leads_anywhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        Folder(tmp_path).path(name)


async def show(instance: Instance, member: Member, data: bytes | None) -> str | None:
    """Change the picture as a page does; what was left to be removed."""
    new = await instance.files.write(data, pictures.MEDIA_TYPE) if data else None
    async with instance.transaction() as tx:
        return await profile.change_picture(tx, member, new)


async def test_a_picture_is_forgotten_when_nobody_shows_it(instance: Instance) -> None:
    ana, dee = await makers.member(instance), await makers.member(instance, "dee")
    assert await show(instance, ana, b"one") is None
    assert await show(instance, dee, b"one") is None
    assert await show(instance, ana, b"two") is None
    sha256 = await show(instance, dee, None)
    assert sha256 is not None
    assert not lies(instance, sha256).exists()
    async with instance.reading() as session:
        assert await session.get(StoredFile, sha256) is None
        member = await session.get_one(Member, ana.id)
    pieces = instance.files.shelf.read(member.avatar_file or "")
    assert b"".join([piece async for piece in pieces]) == b"two"


async def test_the_same_picture_again_stays(instance: Instance) -> None:
    ana = await makers.member(instance)
    await show(instance, ana, b"one")
    assert await show(instance, ana, b"one") is None
