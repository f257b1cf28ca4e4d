# SPDX-License-Identifier: Apache-2.0
"""What a file is, by what is in it and not by what it is called."""

import re
import stat
import struct
import zipfile
from typing import BinaryIO

from server.resources.names import ending_of

BEGINNING = 8_192
MOST_ENTRIES = 20_000
MOST_UNPACKED = 4_000_000_000
MOST_TIMES = 200
SMALL = 10_000_000
LARGEST_DIRECTORY = 8_000_000


class NotTaken(Exception):
    """A file that is not taken; the message is one sentence for the person."""


_MAGIC: tuple[tuple[bytes, int, str], ...] = (
    (b"%PDF-", 0, "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"7z\xbc\xaf\x27\x1c", 0, "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", 0, "application/gzip"),
    (b"ustar", 257, "application/x-tar"),
    (b"{\\rtf", 0, "application/rtf"),
    (b"OggS", 0, "audio/ogg"),
    (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", 0, "video/webm"),
    (b"ftyp", 4, "video/mp4"),
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
# The stream of a document's macros, by its name in the directory of the file (MS-OVBA §2.2.1).
_OLD_MACROS = "_VBA_PROJECT".encode("utf-16-le")
_OF_LIBRARIES = frozenset({"script-lb.xml", "script-lc.xml", "dialog-lb.xml", "dialog-lc.xml"})
_WITH_MACROS = "“{}” holds macros: save it without them and add it again."
_OLD_OFFICE = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
}
_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_BY_MIMETYPE = {
    "application/epub+zip",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
}
_TEXTS = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "json": "application/json",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "tsv": "text/tab-separated-values",
    "xml": "application/xml",
}
# What an ending promises; a file called so has to be so, or those who open it are misled.
_PROMISED: dict[str, frozenset[str]] = {
    "pdf": frozenset({"application/pdf"}),
    "png": frozenset({"image/png"}),
    "jpg": frozenset({"image/jpeg"}),
    "jpeg": frozenset({"image/jpeg"}),
    "gif": frozenset({"image/gif"}),
    "webp": frozenset({"image/webp"}),
    "docx": frozenset({_OFFICE["word/"]}),
    "xlsx": frozenset({_OFFICE["xl/"]}),
    "pptx": frozenset({_OFFICE["ppt/"]}),
    "zip": frozenset({"application/zip"}),
}
_MACROS = frozenset({"docm", "xlsm", "pptm", "xlam", "dotm", "xltm", "potm", "ppam"})
_RUNS = frozenset(
    (
        *(
            "exe",
            "msi",
            "bat",
            "cmd",
            "com",
            "scr",
            "ps1",
            "vbs",
            "jar",
            "dll",
            "lnk",
            "app",
            "apk",
        ),
        *("deb", "rpm", "hta", "wsf", "cpl", "jse", "svg", "svgz"),
    )
)
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|script|svg|iframe)", re.I
)


def media_type_of(file: BinaryIO, name: str) -> str:
    """The media type of a file by its content; its ending chooses between kinds of text only.

    Raises NotTaken for programs, macros, files that are not what they are called, and archives
    that unpack to far more than they hold. Reads the file: not for the event loop.
    """
    file.seek(0)
    head = file.read(BEGINNING)
    ending = ending_of(name)
    if not head:
        raise NotTaken(f"“{name}” is empty: choose another file.")
    if head.startswith(_PROGRAMS) or ending in _RUNS:
        raise NotTaken(f"“{name}” is a program or a script that runs: share a document instead.")
    if ending in _MACROS:
        raise NotTaken(_WITH_MACROS.format(name))
    found = _by_magic(head) or _archived(file, head, name) or _text(file, head, ending, name)
    if found is None:
        raise NotTaken(f"“{name}” is of a kind that we do not know: put it into a ZIP archive.")
    promised = _PROMISED.get(ending)
    if promised is not None and found not in promised:
        raise NotTaken(
            f"“{name}” is not what its ending .{ending} says: rename it, or save it anew."
        )
    return found


def _by_magic(head: bytes) -> str | None:
    for mark, at, found in _MAGIC:
        if head[at : at + len(mark)] == mark:
            return found
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    return None


def _archived(file: BinaryIO, head: bytes, name: str) -> str | None:
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        found = _OLD_OFFICE.get(ending_of(name))
        if found is None:
            raise NotTaken(f"“{name}” is an old Office file without its ending: give it one.")
        if _holds(file, _OLD_MACROS):
            raise NotTaken(_WITH_MACROS.format(name))
        return found
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    _must_be_small_inside(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            return _kind_of_archive(archive, name)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise NotTaken(f"“{name}” is an archive that cannot be read: make it anew.") from error


def _must_be_small_inside(file: BinaryIO, name: str) -> None:
    """Refuse a list of contents that would fill the memory, before it is read (APPNOTE 4.3.16)."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - 65_557))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 20:
        raise NotTaken(f"“{name}” is an archive that cannot be read: make it anew.")
    entries, length = struct.unpack("<HI", tail[at + 10 : at + 16])
    if entries > MOST_ENTRIES or length > LARGEST_DIRECTORY:
        raise NotTaken(f"“{name}” holds more than {MOST_ENTRIES:,} files: share fewer at once.")


def _kind_of_archive(archive: zipfile.ZipFile, name: str) -> str:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > MOST_UNPACKED or (unpacked > SMALL and unpacked > MOST_TIMES * max(packed, 1)):
        raise NotTaken(f"“{name}” would unpack to far more than it holds: it is not taken.")
    names = [entry.filename for entry in entries]
    if any(_leads_out(entry) for entry in names):
        raise NotTaken(f"“{name}” has files that would land outside its folder: it is not taken.")
    if any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        raise NotTaken(
            f"“{name}” has links in it that lead elsewhere once unpacked: leave them out."
        )
    if any(_is_macro(entry) for entry in names):
        raise NotTaken(_WITH_MACROS.format(name))
    if names and names[0] == "mimetype" and entries[0].file_size <= 100:
        said = archive.read(entries[0]).decode("ascii", "replace").strip()
        if said in _BY_MIMETYPE:
            return said
    if "[Content_Types].xml" in names:
        for folder, found in _OFFICE.items():
            if any(entry.startswith(folder) for entry in names):
                return found
    return "application/zip"


def _is_macro(name: str) -> bool:
    """Whether an entry of an office file is a macro: of Microsoft's, or of OpenDocument's."""
    folded, last = name.casefold(), name.rpartition("/")[2]
    if folded.endswith("vbaproject.bin"):
        return True
    # Empty libraries are listed there as well.
    return name.startswith(("Basic/", "Scripts/")) and bool(last) and last not in _OF_LIBRARIES


def _holds(file: BinaryIO, mark: bytes) -> bool:
    file.seek(0)
    before = b""
    while block := file.read(1 << 20):
        if mark in before + block:
            return True
        before = block[-len(mark) :]
    return False


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name


def _text(file: BinaryIO, head: bytes, ending: str, name: str) -> str | None:
    """Text of some kind, where all of it is UTF-8 without what no text has."""
    if b"\0" in head:
        return None
    file.seek(0)
    before = b""
    while block := file.read(1 << 20):
        if b"\0" in block:
            return None
        data = before + block
        try:
            data.decode("utf-8")
            before = b""
        except UnicodeDecodeError as error:
            if error.start < len(data) - 3:
                return _latin(ending)
            before = data[error.start :]
    if before:
        return _latin(ending)
    found = _TEXTS.get(ending, "text/plain")
    if _HTML.match(head) and found not in {"text/html", "application/xml", "text/markdown"}:
        if ending in {"txt", ""}:
            return "text/plain"
        raise NotTaken(f"“{name}” holds HTML, which its ending does not say: rename it.")
    return found


def _latin(ending: str) -> str | None:
    """Tables and texts of old programs are in other encodings, and are taken all the same."""
    return {"csv": "text/csv", "txt": "text/plain", "tsv": "text/tab-separated-values"}.get(ending)
