# SPDX-License-Identifier: Apache-2.0
"""What stands in a form's fields, and the document it makes, both ways.

A draft is a flat mapping of field to text: `setting.level`, `steps.3.title`. Steps and outcomes
keep their number in the draft whatever their order, which `steps` holds as `1 3 2`, so that two
people who edit them never mean different ones by the same name. What no field shows is carried
along in `kept` as JSON.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.errors import Invalid
from server.practices.record import Outcome, Record, Step, dump, parse
from server.records.parts import Part, members

Typed = Mapping[str, str]

TEXTS = (
    *("kind", "name", "summary", "language", "agency", "contact", "problem", "solution"),
    *("novelty", "stage", "started", "ended", "equityNote", "accessNote", "privacyNote"),
    *("license", "setting.country", "setting.level", "setting.populationBand"),
    *("setting.urbanRural", "setting.legalBase", "setting.size", "costs.currency"),
    *("costs.inKind", "costs.source", "staff.skills", "transfer.notes", "transfer.risks"),
    *("sustain.owner", "sustain.funding", "sustain.exitPlan"),
)
NUMBERS = (
    *("costs.startup", "costs.yearly", "costs.year", "costBand", "staff.fte"),
    *("reach.count", "reach.share"),
)
LINES = ("audience", "notWorked", "lessons", "transfer.localChoices")
STEP_TEXTS = ("title", "text", "role", "duration", "cost", "output", "pitfall")
OUTCOME_TEXTS = (
    *("indicator", "unit", "direction", "statistic", "method", "source", "attribution"),
    *("baseline.date", "target.date", "actual.date"),
)
OUTCOME_NUMBERS = (
    *("baseline.value", "baseline.n", "baseline.sd", "target.value"),
    *("target.n", "target.sd", "actual.value", "actual.n", "actual.sd"),
)
SLOTS = 3
LISTED = {"steps": STEP_TEXTS, "outcomes": OUTCOME_TEXTS}
_NUMBER = re.compile(r"[-−+]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,4})?\Z")
_LONGEST_KEPT = 400_000


@dataclass
class Document:
    """A document made of fields; `places` leads from a path in it back to the field."""

    made: dict[str, Any]
    places: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, value: Any, name: str) -> None:
        """Set a member that says something; a path's numbers go into lists that are there."""
        self.places[path] = name
        if value in ("", None, []):
            return
        *above, last = path.split(".")
        at: Any = self.made
        for step in above:
            if isinstance(at, list):
                at = at[int(step)]
                continue
            if not isinstance(at.get(step), dict | list):
                at[step] = {}
            at = at[step]
        at[last] = value

    def field_of(self, path: str) -> str:
        """The field that a fault of the document belongs to."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path.rpartition(".")[0]
        return "name"


def record_of(typed: Typed) -> Record:
    """The record that the fields make; Invalid names the fields, as they are called in the form."""
    document = document_of(typed)
    try:
        return parse(document.made)
    except Invalid as error:
        found: dict[str, str] = {}
        for path, sentence in error.fields.items():
            found.setdefault(document.field_of(path), sentence)
        raise Invalid(found) from error


def document_of(typed: Typed) -> Document:
    """The document that the fields make, whether or not it is right."""
    document = Document({**_kept(typed.get("kept", "")), "v": 1})
    for name in TEXTS:
        document.put(name, typed.get(name, "").strip(), name)
    for name in NUMBERS:
        document.put(name, number(typed.get(name, "")), name)
    for name in LINES:
        document.put(name, lines(typed.get(name, "")), name)
    document.put("tags", _tags(typed.get("tags", "")), "tags")
    document.put("partners", _partners(typed.get("partners", "")), "partners")
    for name in ("topics", "functions"):
        chosen = [(f"{name}.{n}", typed.get(f"{name}.{n}", "").strip()) for n in range(SLOTS)]
        told = list(dict.fromkeys(value for _, value in chosen if value))
        document.put(name, told, f"{name}.0")
        for place, value in chosen:
            if value:
                document.places.setdefault(f"{name}.{told.index(value)}", place)
    _put_conditions(document, typed)
    _put_parts(document, typed, "steps")
    _put_parts(document, typed, "outcomes")
    return document


def _put_conditions(document: Document, typed: Typed) -> None:
    conditions: list[dict[str, Any]] = []
    for name, must in (("conditions.must", True), ("conditions.helps", False)):
        for line in lines(typed.get(name, "")):
            document.places[f"conditions.{len(conditions)}"] = name
            conditions.append({"text": line, "must": must})
    document.put("conditions", conditions, "conditions.must")


def _put_parts(document: Document, typed: Typed, what: str) -> None:
    keys = part_keys(typed, what)
    document.put(what, [_kept(typed.get(f"{what}.{key}.kept", "")) for key in keys], what)
    for at, key in enumerate(keys):
        path, name = f"{what}.{at}", f"{what}.{key}"
        document.places[path] = f"{name}.{LISTED[what][0]}"
        for text in LISTED[what]:
            value = typed.get(f"{name}.{text}", "").strip()
            document.put(f"{path}.{text}", value, f"{name}.{text}")
        if what == "steps":
            links = f"{name}.resourceId"
            document.put(f"{path}.resourceId", lines(typed.get(links, "")), links)
        else:
            for figure in OUTCOME_NUMBERS:
                told = number(typed.get(f"{name}.{figure}", ""))
                document.put(f"{path}.{figure}", told, f"{name}.{figure}")


def part_keys(typed: Typed, what: str) -> list[str]:
    """The numbers of the steps, or the outcomes, in their order."""
    return list(dict.fromkeys(typed.get(what, "").split()))


def number(value: str) -> int | float | str | None:
    """A typed number; whatever else was typed is left for the reader to refuse."""
    value = value.strip()
    if not value:
        return None
    if not _NUMBER.match(value):
        return value
    value = value.replace("−", "-")
    return int(value) if re.fullmatch(r"[-+]?[0-9]{1,18}", value) else float(value)


def lines(value: str) -> list[str]:
    """The lines of an area that say something; a leading dash is a bullet."""
    found = (line.strip() for line in value.split("\n"))
    found = (re.sub(r"^[-*•]\s+", "", line) for line in found)
    return [line for line in found if line]


def _tags(value: str) -> list[str]:
    words = re.split(r"[\s,]+", value)
    return list(dict.fromkeys(word.removeprefix("#").lower() for word in words if word.strip("#")))


def _partners(value: str) -> list[dict[str, str]]:
    found = []
    for line in lines(value):
        name, _, role = line.partition(":")
        found.append({"name": name.strip(), "role": role.strip()})
    return found


def _kept(stored: str) -> dict[str, Any]:
    if not stored or len(stored) > _LONGEST_KEPT:
        return {}
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def typed_of(record: Record) -> dict[str, str]:
    """The fields that show a record; `record_of(typed_of(record))` is that record again,

    but for unknown members of partners, conditions, and values beyond the form's three topics.
    """
    document = dump(record)
    typed = {name: _shown(_at(document, name)) for name in (*TEXTS, *NUMBERS)}
    typed |= {name: "\n".join(_at(document, name) or ()) for name in LINES}
    typed["tags"] = ", ".join(record.tags)
    typed["partners"] = "\n".join(
        p.name + (f": {p.role}" if p.role else "") for p in record.partners
    )
    for name, chosen in (("topics", record.topics), ("functions", record.functions)):
        for n in range(SLOTS):
            typed[f"{name}.{n}"] = chosen[n] if n < len(chosen) else ""
    typed["conditions.must"] = "\n".join(c.text for c in record.conditions if c.must)
    typed["conditions.helps"] = "\n".join(c.text for c in record.conditions if not c.must)
    typed |= _typed_parts("steps", record.steps) | _typed_parts("outcomes", record.outcomes)
    kept = _extras(record)
    kept |= {
        name: document[name] for name in ("basedOn", "derivedFrom", "credits") if name in document
    }
    typed["kept"] = _packed(kept)
    return {name: value for name, value in typed.items() if value}


def _typed_parts(what: str, parts: Iterable[Step | Outcome]) -> dict[str, str]:
    typed: dict[str, str] = {}
    keys = []
    for number_, part in enumerate(parts, 1):
        keys.append(str(number_))
        told = part.dump()
        name = f"{what}.{number_}"
        texts = LISTED[what] if what == "steps" else (*OUTCOME_TEXTS, *OUTCOME_NUMBERS)
        typed |= {f"{name}.{text}": _shown(_at(told, text)) for text in texts}
        typed[f"{name}.resourceId"] = "\n".join(told.get("resourceId", ()))
        typed[f"{name}.kept"] = _packed(_extras(part))
    return typed | {what: " ".join(keys)}


def _packed(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _extras(part: Part) -> dict[str, Any]:
    """The unknown members of a part and of the parts in it, lists apart."""
    found = dict(part.extra)
    for name, wire, _ in members(type(part)):
        value = getattr(part, name)
        if isinstance(value, Part) and (below := _extras(value)):
            found[wire] = below
    return found


def _at(document: Any, path: str) -> Any:
    for step in path.split("."):
        document = document.get(step) if isinstance(document, dict) else None
    return document


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
