# SPDX-License-Identifier: Apache-2.0
"""The one JSON document of a practice: read, checked, written.

`parse(dump(record)) == record` for every record; what is not known here is kept and written out
again. The members are those of `practice.Record`, their limits those of its readers.
"""

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
from server.records.documents import digest, dump, pack, read, stored
from server.records.values import Json

__all__ = [
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


def parse(document: Json) -> Record:
    """The record of a JSON object; Invalid names every field that is wrong and why."""
    return read(Record, document)


def unpack(text: str) -> Record:
    """A stored record."""
    return stored(Record, text)
