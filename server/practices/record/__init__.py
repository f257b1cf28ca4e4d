# SPDX-License-Identifier: Apache-2.0
"""The one JSON document of a practice: read, checked, written.

`parse(dump(record)) == record` for every record; what is not known here is kept and written out
again. The members are those of `practice.Record`, their limits those of its readers.
"""

import hashlib
import json

from server.errors import Invalid
from server.practices.record.outcomes import Outcome, Point
from server.practices.record.practice import (
    Condition,
    Credit,
    Partner,
    Record,
    Setting,
    Source,
    Step,
)
from server.records.values import Faults, Json

__all__ = [
    "LARGEST_RECORD",
    "Condition",
    "Credit",
    "Outcome",
    "Partner",
    "Point",
    "Record",
    "Setting",
    "Source",
    "Step",
    "digest",
    "dump",
    "pack",
    "parse",
    "unpack",
]

LARGEST_RECORD = 400_000
"""Characters of a whole record as JSON."""


def parse(document: Json) -> Record:
    """The record of a JSON object; Invalid names every field that is wrong and why.

    Meant for what strangers send as well: numbers may be NaN, texts endless, anything nested.
    """
    faults = Faults()
    record = Record.parse({} if document is None else document, "", faults)
    if faults.found:
        raise Invalid(faults.found)
    if len(pack(record)) > LARGEST_RECORD:
        raise Invalid({"practice": f"Keep a practice under {LARGEST_RECORD:,} characters in all."})
    return record


def dump(record: Record) -> dict[str, Json]:
    """The JSON object of a record; members that say nothing are left out."""
    return {"v": record.v, **record.dump()}


def pack(record: Record) -> str:
    """A record as it is stored, the same text for the same record everywhere."""
    return json.dumps(dump(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def unpack(stored: str) -> Record:
    """A stored record."""
    return Record.parse(json.loads(stored), "", Faults())


def digest(record: Record) -> str:
    """The SHA-256, in hex, of a record as it is stored."""
    return hashlib.sha256(pack(record).encode("utf-8", "surrogatepass")).hexdigest()
