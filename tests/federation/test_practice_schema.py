# SPDX-License-Identifier: Apache-2.0
"""The schemas of what `gh:` members carry are what is read.

`python -m tests.federation.test_practice_schema` writes it anew.
"""

import json
from typing import Any

import pytest

from federation.reviews import Maybe, Message, Moment
from server.practices.record import Record
from server.practices.reporting import Report
from server.records.documents import VERSION
from server.records.parts import Nested, Part, Parts, members
from server.records.values import (
    LARGEST,
    Choice,
    Day,
    Flag,
    Items,
    Line,
    Number,
    Pattern,
    Reader,
    Text,
)
from server.resources.record import Record as ResourceRecord
from tests.house.sources import ROOT

Json = dict[str, Any]
FOLDER = ROOT / "docs/wire"
SCHEMAS: dict[str, type[Part]] = {
    "practice": Record,
    "replication": Report,
    "resource": ResourceRecord,
    "review": Message,
}
PLAIN: dict[type[Reader], Json] = {
    Flag: {"type": "boolean"},
    Day: {"type": "string", "pattern": "^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$"},
    Moment: {"type": "string", "format": "date-time"},
}
NEEDED = {
    "practice": ["name", "summary"],
    "replication": ["of", "outcomes"],
    "resource": ["name", "summary"],
    "review": ["step"],
}


def described(reader: Reader) -> Json:
    """What a reader takes, in JSON Schema."""
    match reader:
        case Line() | Text() | Pattern():
            found: Json = {"type": "string", "maxLength": reader.limit}
            if isinstance(reader, Pattern):
                found["pattern"] = f"^(?:{reader.form.pattern})?$"
            return found
        case Number():
            least = max(reader.least, -LARGEST)
            kind = "integer" if reader.whole else "number"
            return {"type": kind, "minimum": least, "maximum": LARGEST}
        case Choice():
            return {"enum": list(dict.fromkeys(["", *reader.options]))}
        case Flag() | Day() | Moment():
            return PLAIN[type(reader)]
        case Items():
            return {"type": "array", "maxItems": reader.most, "items": described(reader.of)}
        case Parts():
            return {"type": "array", "maxItems": reader.most, "items": of_part(reader.of)}
        case Nested() | Maybe():
            return of_part(reader.of)
    raise AssertionError(reader)


def of_part(part: type[Part]) -> Json:
    """The JSON Schema of one object; members that are not known are allowed everywhere."""
    known = {wire: described(reader) for _, wire, reader in members(part)}
    needed = [w for _, w, reader in members(part) if isinstance(reader, Line) and reader.needed]
    found: Json = {
        "type": "object",
        "description": " ".join((part.__doc__ or "").split()),
        "properties": known,
    }
    return {**found, "required": needed} if needed else found


def schema(name: str) -> Json:
    whole = of_part(SCHEMAS[name])
    whole["properties"]["v"] = {"const": VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:guildhall:ns#{name}",
        "title": f"gh:{name}",
        **whole,
        "required": ["v", *NEEDED[name]],
    }


def written(name: str) -> str:
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_what_is_read(name: str) -> None:
    assert (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8") == written(name), (
        "Run: python -m tests.federation.test_practice_schema"
    )


if __name__ == "__main__":
    for made in SCHEMAS:
        (FOLDER / f"{made}.schema.json").write_text(written(made), encoding="utf-8")
