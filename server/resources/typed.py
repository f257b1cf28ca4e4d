# SPDX-License-Identifier: Apache-2.0
"""What stands in the form of a resource, and its document, both ways.

A draft is a flat mapping of field to text. What is said of a file stands under the number of its
upload: `file.17.language`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.errors import Invalid
from server.resources import publiccode
from server.resources.record import Record, parse

Typed = Mapping[str, str]

TEXTS = (
    *("kind", "name", "summary", "description", "contact", "language", "label", "link"),
    *("doi", "citation"),
)
OF_FILES = ("language", "access", "accessNote", "checked")
FIELDS = (
    *TEXTS,
    "license",
    "licenseOther",
    "topics",
    "tags",
    "peerReviewed",
    "note",
    "forum",
    "publiccode",
)
OTHER = "other"
LONGEST = 30_000


@dataclass(frozen=True)
class Attached:
    """A file of a draft as its record will name it; `key` is the number of its upload."""

    key: str
    name: str
    media_type: str
    size: int
    sha256: str


def document_of(typed: Typed, files: Sequence[Attached], urls: Sequence[str]) -> dict[str, Any]:
    """The document that the fields and the files make, right or wrong; one URL for each file."""
    chosen = typed.get("license", "")
    document: dict[str, Any] = {
        "v": 1,
        **{name: typed.get(name, "").strip() for name in TEXTS},
        "license": typed.get("licenseOther", "").strip() if chosen == OTHER else chosen,
        "topics": typed.get("topics", "").split(),
        "tags": [tag for tag in typed.get("tags", "").replace(",", " ").split() if tag],
        "peerReviewed": typed.get("peerReviewed") == "yes",
        "files": [
            {
                "name": file.name,
                "url": url,
                "mediaType": file.media_type,
                "size": file.size,
                "sha256": file.sha256,
                **{part: typed.get(f"file.{file.key}.{part}", "").strip() for part in OF_FILES},
            }
            for file, url in zip(files, urls, strict=True)
        ],
    }
    if typed.get("kind") == "code":
        document["software"] = publiccode.software_of(typed.get("publiccode", ""))
    document["tags"] = [tag.removeprefix("#").lower() for tag in document["tags"]]
    return document


def record_of(typed: Typed, files: Sequence[Attached], urls: Sequence[str]) -> Record:
    """The record of a form; Invalid names the fields of the form that need another look."""
    try:
        return parse(document_of(typed, files, urls))
    except Invalid as error:
        found = {_field(path, typed, files): words for path, words in error.fields.items()}
        raise Invalid(found) from error


def _field(path: str, typed: Typed, files: Sequence[Attached]) -> str:
    """The field of the form that a member of the document came from."""
    name, _, rest = path.partition(".")
    if name == "files":
        at, _, part = rest.partition(".")
        if at.isdecimal() and int(at) < len(files) and part in OF_FILES:
            return f"file.{files[int(at)].key}.{part}"
        return "upload"
    if name == "license" and typed.get("license") == OTHER:
        return "licenseOther"
    return name


def typed_of(record: Record) -> dict[str, str]:
    """The fields that show a record; those of its files are `typed_of_file`'s."""
    document = record.dump()
    found = {name: str(document.get(name, "")) for name in TEXTS}
    found |= {
        "license": record.license,
        "topics": " ".join(record.topics),
        "tags": ", ".join(record.tags),
        "peerReviewed": "yes" if record.peer_reviewed else "",
        "publiccode": publiccode.written_of(record.software),
    }
    return {name: value for name, value in found.items() if value}


def typed_of_file(record: Record, at: int, key: str) -> dict[str, str]:
    """The fields of one file of a record, under the number of its upload."""
    document = record.files[at].dump()
    return {f"file.{key}.{part}": str(document[part]) for part in OF_FILES if part in document}
