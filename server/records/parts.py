# SPDX-License-Identifier: Apache-2.0
"""Parts of a record as dataclasses that know how to be read.

Each field carries its reader; a member's name on the wire is the field's in camelCase. What a
part does not know is kept in `extra` and written out again.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from server.records.values import Faults, Json, Reader, listed, unknown

P = TypeVar("P", bound="Part")

MOST_EXTRA = 30
_MEMBERS: dict[type[Any], tuple[tuple[str, str, Reader], ...]] = {}


def member(reader: Reader, default: Any = "") -> Any:
    """A field of a part, read by `reader`."""
    return field(default=default, metadata={"reader": reader})


@dataclass(frozen=True)
class Part:
    """A JSON object with known members; `extra` holds the others."""

    extra: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said in it."""
        return not self.dump()

    @classmethod
    def parse(cls: type[P], value: Json, path: str, faults: Faults) -> P:
        """The part of a JSON object; faults name their fields below `path`."""
        if value is None:
            return cls()
        if not isinstance(value, dict):
            faults.add(path or "record", "This has to be a JSON object.")
            return cls()
        dot = f"{path}." if path else ""
        known = members(cls)
        read = {
            name: reader.read(value.get(wire), f"{dot}{wire}", faults)
            for name, wire, reader in known
        }
        names = {wire for _, wire, _ in known}
        others = {name: item for name, item in value.items() if name not in names}
        if len(others) > MOST_EXTRA:
            faults.add(path or "record", f"This has more than {MOST_EXTRA} unknown members.")
            others = {}
        unknown(others, path or "record", faults)
        made = cls(**read, extra=others)
        made.check(path, faults)
        return made

    def check(self, path: str, faults: Faults) -> None:
        """What has to hold between members."""

    def dump(self) -> dict[str, Json]:
        """The JSON object; members that say nothing are left out."""
        found = {}
        for name, wire, reader in members(type(self)):
            value = reader.write(getattr(self, name))
            if value not in (None, "", [], {}, False):
                found[wire] = value
        # Zero is a value: it is equal to False, and was left out with it.
        for name, wire, _ in members(type(self)):
            value = getattr(self, name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[wire] = value
        return {**found, **self.extra}


def members(part: type[Part]) -> tuple[tuple[str, str, Reader], ...]:
    """(field, wire name, reader) of each known member."""
    found = _MEMBERS.get(part)
    if found is None:
        found = _MEMBERS[part] = tuple(
            (one.name, wire_name(one.name), one.metadata["reader"])
            for one in dataclasses.fields(part)
            if "reader" in one.metadata
        )
    return found


def wire_name(name: str) -> str:
    """`population_band` as `populationBand`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


@dataclass(frozen=True)
class Nested:
    """A member that is a part of its own."""

    of: type[Part]

    def read(self, value: Json, path: str, faults: Faults) -> Part:
        return self.of.parse(value, path, faults)

    def write(self, value: Any) -> Json:
        return value.dump()


def nested(of: type[Part]) -> dict[str, Reader]:
    """The metadata of a field that holds a part of its own."""
    return {"reader": Nested(of)}


@dataclass(frozen=True)
class Parts:
    """A list of at most `most` parts; `what` they are called."""

    of: type[Part]
    most: int
    what: str

    def read(self, value: Json, path: str, faults: Faults) -> tuple[Part, ...]:
        items = listed(value, path, faults, self.most, self.what)
        return tuple(self.of.parse(item, f"{path}.{n}", faults) for n, item in enumerate(items))

    def write(self, value: Any) -> Json:
        return [item.dump() for item in value]
