# SPDX-License-Identifier: Apache-2.0
"""What a file is, what it is called, and what a record may say of it."""

import io
import json
import stat
import struct
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import resources
from federation.resources import SharedResource
from server.errors import Invalid
from server.hub.uses import SaidUse
from server.resources import licences, prose
from server.resources.links import LinkState
from server.resources.names import LONGEST, clean_name, disposition
from server.resources.record import digest, dump, pack, parse, unpack
from server.resources.sniffing import NotTaken, media_type_of
from server.resources.software import STATUS
from server.resources.terms import ACCESS, KINDS, TYPES, VERDICTS, size_label
from tests.server.practices.strategies import json as anything

OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def zipped(names: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", how) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return written.getvalue()


def crowded() -> bytes:
    """An archive that says it holds more files than anybody shares at once."""
    whole = bytearray(zipped({"a.txt": b"a"}))
    at = whole.rfind(b"PK\x05\x06")
    whole[at + 8 : at + 12] = struct.pack("<HH", 65_000, 65_000)
    return bytes(whole)


def linked() -> bytes:
    """An archive with a link in it that leads to where passwords are."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        entry = zipfile.ZipInfo("notes.txt")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return written.getvalue()


ODT = b"application/vnd.oasis.opendocument.text"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TAKEN = {
    ("plan.pdf", b"%PDF-1.7\n"): "application/pdf",
    ("PLAN.DOCX", zipped({"[Content_Types].xml": b"", "word/document.xml": b""})): OFFICE,
    ("plan.odt", zipped({"mimetype": b"application/vnd.oasis.opendocument.text"})):
        "application/vnd.oasis.opendocument.text",
    ("libraries.odt", zipped({"mimetype": ODT, "Basic/Standard/script-lb.xml": b"<x/>"})):
        "application/vnd.oasis.opendocument.text",
    ("old.doc", OLE + bytes(2_000_000)): "application/msword",
    ("all.zip", zipped({"a/b.txt": b"words"})): "application/zip",
    ("a.csv", b"a,b\n1,2\n"): "text/csv",
    ("latin.csv", "a,Stra\xdfe\n".encode("latin-1")): "text/csv",
    ("notes", "Größe".encode()): "text/plain",
    ("page.html", b"<!doctype html><script>alert(1)</script>"): "text/html",
    ("a.mp4", b"\0\0\0\x18ftypmp42"): "video/mp4",
    ("actor.json", b'{"type":"Person","inbox":"x"}'): "application/json",
}  # fmt: skip
REFUSED = {
    ("empty.txt", b""): "is empty",
    ("setup.pdf", b"MZ\x90\0"): "a program",
    ("run.txt", b"#!/bin/sh\nrm -rf /"): "a program",
    ("tool.exe", b"words"): "a program",
    ("drawing.svg", b"<svg onload=alert(1)>"): "a program",
    ("plan.docm", zipped({"word/document.xml": b""})): "macros",
    ("plan.docx", zipped({"[Content_Types].xml": b"", "word/vbaProject.bin": b""})): "macros",
    ("plan.png", b"<html><script>alert(1)</script>"): "HTML",
    ("plan.png", b"%PDF-1.7\n"): "what its ending .png says",
    ("plan.pdf", zipped({"a": b"b"})): "what its ending .pdf says",
    ("bomb.zip", zipped({"zeros": bytes(40_000_000)})): "far more than it holds",
    ("slip.zip", zipped({"../../etc/cron.d/x": b"x"})): "outside its folder",
    ("drive.zip", zipped({"C:\\windows\\x": b"x"})): "outside its folder",
    ("link.zip", linked()): "lead elsewhere",
    ("plan.odt", zipped({"mimetype": ODT, "Basic/Standard/Module1.xml": b"<x/>"})): "macros",
    ("old.xls", OLE + bytes((1 << 20) - 20) + "_VBA_PROJECT".encode("utf-16-le")): "macros",
    ("torn.zip", zipped({"a": b"b" * 100})[:40]): "cannot be read",
    ("crowd.zip", crowded()): "more than 20,000 files",
    ("odd.bin", b"\0\1\2\3" * 10): "of a kind that we do not know",
    ("old.xyz", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)): "old Office file",
}


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case[0])
def test_WEB_07_a_file_is_what_is_in_it(case: tuple[str, bytes]) -> None:
    assert media_type_of(io.BytesIO(case[1]), case[0]) == TAKEN[case]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[0])
def test_DOS_06_WEB_05_WEB_07_a_hostile_file_is_refused_with_a_sentence(
    case: tuple[str, bytes],
) -> None:
    with pytest.raises(NotTaken, match=REFUSED[case]) as refused:
        media_type_of(io.BytesIO(case[1]), case[0])
    assert str(refused.value).endswith(".")


STARTS = st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"\x89PNG\r\n\x1a\n", b"RIFF", b"<html"])
ENDINGS = st.sampled_from(["", ".zip", ".docx", ".csv", ".png", ".txt", ".xls"])


@given(STARTS, st.binary(max_size=400), st.text(max_size=20), ENDINGS)
def test_whatever_the_bytes_the_answer_is_a_known_type_or_a_sentence(
    start: bytes, rest: bytes, name: str, ending: str
) -> None:
    try:
        told = media_type_of(io.BytesIO(start + rest), name + ending)
    except NotTaken as refused:
        told = str(refused)
    assert told in TYPES or told.endswith(".")


@given(st.text(max_size=300))
def test_a_name_has_no_folder_no_marks_and_fits_in_a_header(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean) <= LONGEST + 5
    assert clean not in {".", ".."}
    assert not set(clean) & set('/\\\0\r\n"<>|?*:\u202e\u200f\u2066')
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert clean_name(clean) == clean


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\plan.docx", "plan.docx"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\0b.txt", "ab.txt"),
        ("CON.txt", "file-CON.txt"),
        ("   ...", "file"),
        (f"{'x' * 300}.pdf", f"{'x' * (LONGEST - 4)}.pdf"),
    ],
)
def test_WEB_05_what_a_name_becomes(given_: str, kept: str) -> None:
    assert clean_name(given_) == kept


SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)
FILES = st.fixed_dictionaries(
    {
        "name": st.text("abc ü.", min_size=1, max_size=20).filter(lambda name: bool(name.strip())),
        "url": st.just("https://a.example/p/1/files/1/0/x"),
        "mediaType": st.sampled_from(sorted(TYPES)),
        "size": st.integers(0, 10**12),
        "sha256": SHA256,
        "access": st.sampled_from(sorted(ACCESS)),
        "language": st.sampled_from(["", "en", "pt-BR"]),
    }
)
RECORDS = st.fixed_dictionaries(
    {
        "v": st.just(1),
        "kind": st.sampled_from(sorted(KINDS)),
        "name": st.text("abc <&>\"'", min_size=1, max_size=60).filter(lambda t: bool(t.strip())),
        "summary": st.text("xyz *_[]()", min_size=1, max_size=100).filter(
            lambda t: bool(t.strip())
        ),
        "description": st.text(max_size=300),
        "license": st.sampled_from(["", *licences.LICENCES]),
        "topics": st.lists(st.sampled_from(["health", "permits"]), unique=True, max_size=2),
        "files": st.lists(FILES, max_size=4),
        "link": st.just("https://a.example/tool"),
        "doi": st.sampled_from(["", "10.1000/182"]),
        "peerReviewed": st.booleans(),
        "software": st.fixed_dictionaries(
            {
                "status": st.sampled_from(["", *STATUS]),
                "platforms": st.lists(st.text("ab c", max_size=9), max_size=2),
                "localised": st.booleans(),
                "xOther": anything,
            }
        ),
        "xOther": anything,
    }
)


MOMENTS = st.integers(1_600_000_000_000, 1_900_000_000_000).map(
    lambda told: datetime.fromtimestamp(told // 1_000, UTC).replace(
        microsecond=told % 1_000 * 1_000
    )
)
LINKS = st.none() | st.builds(LinkState, st.none() | MOMENTS, MOMENTS)


@given(RECORDS, st.integers(1, 1_000), st.text("abc é", max_size=40), LINKS)
def test_a_resource_travels_unchanged(
    document: dict[str, object], version: int, note: str, link: LinkState | None
) -> None:
    try:
        record = parse(document)
    except Invalid:
        # What nobody here wrote may be more than a record can carry.
        return
    assert parse(dump(record)) == record
    assert unpack(pack(record)) == record
    said = SharedResource(record, version, " ".join(note.split()), link)
    wire = json.loads(json.dumps(resources.to_members(said, "https://a.example/p/1/x")))
    back = resources.from_members(wire)
    assert back == said
    assert digest(back.record) == digest(record)
    assert wire["attachment"][0]["type"] == "Link"
    assert len(wire["attachment"]) == 1 + len(record.files)
    assert prose.markdown(record)


BARE = {"v": 1, "name": "A", "summary": "B", "link": "https://a.example/"}


@given(anything)
def test_whatever_a_stranger_sends_is_a_record_or_a_sentence(value: object) -> None:
    told = resources.from_members({"gh:resource": BARE, "gh:linkState": value})
    assert told is not None
    assert told.link is None
    try:
        found: object = resources.from_members({"gh:resource": value})
    except Invalid as refused:
        found = refused.sentence
    assert found
    assert isinstance(found, SharedResource | str)
    said = resources.use_from_members({"gh:use": value})
    assert said is None or isinstance(said, SaidUse)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_use_travels_unchanged(verdict: str) -> None:
    said = SaidUse("https://a.example/p/1", 3, verdict)
    assert resources.use_from_members(resources.use_to_members(said)) == said


@pytest.mark.parametrize(
    ("source", "own", "words"),
    [
        ("CC-BY-SA-4.0", "CC-BY-4.0", "stay under"),
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0", ""),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", "does not let others adapt"),
        ("CC-BY-NC-4.0", "CC-BY-4.0", "without money"),
        ("CC-BY-4.0", "CC0-1.0", "name be dropped"),
        ("CC-BY-4.0", "OGL-UK-3.0", ""),
        ("CC0-1.0", "GPL-3.0-or-later", ""),
        ("EUPL-1.2", "MIT", "stay under"),
        ("", "CC-BY-4.0", "names no licence"),
        ("Beerware", "CC-BY-4.0", "do not know"),
    ],
)
def test_licences_that_do_not_go_together_are_told(source: str, own: str, words: str) -> None:
    told = licences.warning(source, own)
    assert words in told
    assert bool(told) is bool(words)


def test_sizes_are_told_as_people_count() -> None:
    told = [size_label(size) for size in (0, 999, 1_000, 34_400, 999_600, 2_450_000_000)]
    assert told == ["0 bytes", "999 bytes", "1.0 kB", "34 kB", "1.0 MB", "2.5 GB"]
