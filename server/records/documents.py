# SPDX-License-Identifier: Apache-2.0
"""Records as whole JSON documents: read, checked, stored, told apart.

`read(kind, dump(record)) == record` for every record; what is not known here is kept and written
out again.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from server.errors import Invalid
from server.records.parts import Part, member
from server.records.values import Faults, Json, Number

D = TypeVar("D", bound="Document")

VERSION = 1


@dataclass(frozen=True)
class Document(Part):
    """A part that is a document of its own; `v` is the version of its form.

    NOUN is what people call it, LARGEST the most characters of its JSON, and LONG the field, as
    on the wire, that is named when it has more.
    """

    NOUN: ClassVar[str] = "record"
    LARGEST: ClassVar[int] = 400_000
    LONG: ClassVar[str] = "record"

    v: int | None = member(Number(whole=True), VERSION)

    def check(self, path: str, faults: Faults) -> None:
        if self.v != VERSION:
            faults.add("v", f"This {self.NOUN} is written in a form that is not known here.")


def read(kind: type[D], document: Json) -> D:
    """The record of a JSON object; Invalid names every field that is wrong and why.

    Meant for what strangers send as well: numbers may be NaN, texts endless, anything nested.
    """
    faults = Faults()
    found = kind.parse({} if document is None else document, "", faults)
    if not faults.found and len(pack(found)) > kind.LARGEST:
        faults.add(kind.LONG, f"Keep a {kind.NOUN} under {kind.LARGEST:,} characters in all.")
    if faults.found:
        raise Invalid(faults.found)
    return found


def dump(record: Document) -> dict[str, Json]:
    """The JSON object of a record; members that say nothing are left out."""
    return {"v": record.v, **record.dump()}


def pack(record: Document) -> str:
    """A record as it is stored, the same text for the same record everywhere."""
    return json.dumps(dump(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def stored(kind: type[D], text: str) -> D:
    """A stored record; an empty one where there is none, or no more."""
    return kind.parse(json.loads(text or "{}"), "", Faults())


def digest(record: Document) -> str:
    """The SHA-256, in hex, of a record as it is stored."""
    return hashlib.sha256(pack(record).encode("utf-8", "surrogatepass")).hexdigest()
