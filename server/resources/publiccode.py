# SPDX-License-Identifier: Apache-2.0
"""publiccode.yml: the form of a program filled in from it, and written.

The standard is https://yml.publiccode.tools. A file is a stranger's: it is bounded, read as text
only, and refused where it has anchors, tags of its own or several documents.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from server.errors import Invalid
from server.records.values import Faults
from server.resources import licences
from server.resources.record import Record
from server.resources.software import Software

LONGEST = 30_000
VERSION = "0.4"
# The one in C, where it is there, is ten times as fast; both make text, lists and mappings only.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MOST_EVENTS = 6_000
_DEEPEST = 12
_CONTACT = ("name", "affiliation", "email")
_UNREADABLE = "This is no publiccode.yml that can be read"
Json = dict[str, Any]


def prefilled(written: str, language: str) -> dict[str, str]:
    """The fields of the form that a publiccode.yml fills in; Invalid names `publiccode`.

    Of its descriptions the one in `language` is taken, else the first. Takes a moment for a long
    file: not for the event loop.
    """
    document = _document(written)
    software_of(written)
    told = _mapping(document.get("description"))
    spoken = next((code for code in told if code.split("-")[0] == language), next(iter(told), ""))
    words = _mapping(told.get(spoken))
    features = "\n".join(f"- {line}" for line in _lines(words.get("features")))
    links = (_word(document.get(name)) for name in ("url", "landingURL"))
    contacts = _lines(_mapping(document.get("maintenance")).get("contacts"), _CONTACT)
    tags = [word.lower() for word in _lines(document.get("categories"))]
    found = {
        "kind": "code",
        "name": _word(words.get("localisedName")) or _word(document.get("name")),
        "summary": _word(words.get("shortDescription")),
        "description": "\n\n".join(filter(None, (_word(words.get("longDescription")), features))),
        "language": spoken,
        "label": _word(document.get("softwareVersion")),
        "link": next((link for link in links if link.startswith(("https://", "http://"))), ""),
        "license": _word(_mapping(document.get("legal")).get("license")),
        "contact": contacts[0] if contacts else "",
        "tags": ", ".join(tags[:10]),
    }
    return {name: value for name, value in found.items() if value}


def software_of(written: str) -> Json:
    """The `software` of a record, as a JSON object, that a publiccode.yml makes."""
    if not written.strip():
        return {}
    document = _document(written)
    kept, spoken = _mapping(document.get("maintenance")), _mapping(document.get("localisation"))
    owner = _mapping(document.get("organisation"))
    needs = _mapping(document.get("dependsOn"))
    made = {
        "status": _word(document.get("developmentStatus")),
        "released": _word(document.get("releaseDate")),
        "type": _word(document.get("softwareType")),
        "platforms": _lines(document.get("platforms")),
        "basedOn": _lines(document.get("isBasedOn")),
        "dependsOn": [
            line
            for kind in ("open", "proprietary", "hardware")
            for line in _lines(needs.get(kind), ("name", "version"))
        ],
        "maintenance": _word(kept.get("type")),
        "contacts": _lines(kept.get("contacts"), _CONTACT),
        "localised": _word(spoken.get("localisationReady")).lower() in {"true", "yes"},
        "languages": _lines(spoken.get("availableLanguages")),
        "usedBy": _lines(document.get("usedBy")),
        "fundedBy": _lines(document.get("fundedBy"), ("name", "uri")),
        "organisation": _word(owner.get("name")),
        "organisationUri": _word(owner.get("uri")),
    }
    faults = Faults()
    found = Software.parse(made, "", faults)
    if faults.found:
        member, why = next(iter(faults.found.items()))
        raise Invalid({"publiccode": f"In publiccode.yml, “{member.partition('.')[0]}”: {why}"})
    return found.dump()


def written_of(software: Software) -> str:
    """The publiccode.yml that says what the form has no field for; "" where that is nothing."""
    return "" if software.is_empty else _yaml(_members(software))


def export(record: Record, url: str, language: str) -> str:
    """The publiccode.yml of a resource whose page is at `url`."""
    software = record.software
    known = record.license in licences.LICENCES or record.license
    words = {
        "shortDescription": record.summary[:150],
        "longDescription": record.description or record.summary,
    }
    document = {
        "publiccodeYmlVersion": VERSION,
        "name": record.name,
        "url": record.link or url,
        "landingURL": url,
        "softwareVersion": record.label,
        "categories": list(record.tags),
        "description": {record.language or language: words},
        "legal": {"license": record.license} if known else {},
        **_members(software),
    }
    return _yaml({name: value for name, value in document.items() if value})


def _members(software: Software) -> Json:
    found: Json = {
        "developmentStatus": software.status,
        "releaseDate": software.released,
        "softwareType": software.type,
        "platforms": list(software.platforms),
        "isBasedOn": list(software.based_on),
        "dependsOn": {"open": [{"name": name} for name in software.depends_on]},
        "maintenance": {
            "type": software.maintenance,
            "contacts": [{"name": name} for name in software.contacts],
        },
        "localisation": {
            "localisationReady": software.localised,
            "availableLanguages": list(software.languages),
        },
        "usedBy": list(software.used_by),
        "fundedBy": [{"name": name} for name in software.funded_by],
        "organisation": {"name": software.organisation, "uri": software.organisation_uri},
    }
    for name in ("dependsOn", "maintenance", "localisation", "organisation"):
        found[name] = {key: value for key, value in found[name].items() if value}
    return {name: value for name, value in found.items() if value}


def _yaml(document: Json) -> str:
    written: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)
    return written


def _document(written: str) -> Json:
    """The file as text, lists and mappings: nothing in it is taken for a number or a date."""
    if len(written) > LONGEST:
        raise Invalid({"publiccode": f"Keep publiccode.yml under {LONGEST:,} characters."})
    try:
        _must_be_plain(written)
        found = yaml.load(written, Loader=_LOADER)  # noqa: S506 (makes text only)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f": look at line {line + 1}"
        raise Invalid({"publiccode": f"{_UNREADABLE}{where}."}) from error
    if not isinstance(found, dict) or not {"name", "url", "description"} & found.keys():
        raise Invalid({"publiccode": f"{_UNREADABLE}: it says neither a name nor an address."})
    return found


def _must_be_plain(written: str) -> None:
    """Refuse what makes a short file long, or deep, before anything is made of it."""
    depth = 0
    for number, event in enumerate(yaml.parse(written, Loader=_LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if number > _MOST_EVENTS or depth > _DEEPEST:
            raise ValueError("too much")
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise ValueError("an anchor or a tag")


def _mapping(value: object) -> Mapping[str, Any]:
    found = value if isinstance(value, dict) else {}
    return {name: below for name, below in found.items() if isinstance(name, str)}


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _lines(value: object, parts: tuple[str, ...] = ()) -> list[str]:
    """The lines of a list; of mappings in it what they say under `parts`."""
    found = []
    for item in value if isinstance(value, list) else []:
        said = [_word(_mapping(item).get(part)) for part in parts]
        found.append(_word(item) or ", ".join(filter(None, said)))
    return [line for line in found if line]
