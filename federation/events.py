# SPDX-License-Identifier: Apache-2.0
"""Events as members of an Event, both ways (FEP-8a8e).

Mobilizon reads the online address from an attachment named Website, Gancio the place from
`location.name`; both read `startTime` with its offset.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from federation.vocabulary.terms import GH, OBJECT_CONTEXT
from federation.vocabulary.values import moment_of, text_of, url_id_of, url_of
from server import text
from server.events import times
from server.events.details import (
    KINDS,
    LONGEST,
    LONGEST_LINE,
    LONGEST_RULE,
    LONGEST_URL,
    MOST_MATERIALS,
    MOST_PLACES,
    MOST_SESSIONS,
    STATUSES,
    Details,
    Material,
    Session,
    is_link,
)

_TERMS = {
    "gh": GH,
    "gh:event": {"@id": "gh:event", "@type": "@json"},
    "gh:series": {"@id": "gh:series", "@type": "@id"},
    "schema": "http://schema.org#",
    "ical": "http://www.w3.org/2002/12/cal/ical#",
    "mz": "https://joinmobilizon.org/ns#",
    "status": "ical:status",
    "category": "schema:category",
    "timezone": "mz:timezone",
    "isOnline": "mz:isOnline",
    "joinMode": "mz:joinMode",
    "externalParticipationUrl": "mz:externalParticipationUrl",
    "participantCount": "mz:participantCount",
    "maximumAttendeeCapacity": "schema:maximumAttendeeCapacity",
    "remainingAttendeeCapacity": "schema:remainingAttendeeCapacity",
    "inLanguage": "schema:inLanguage",
    "organizers": "https://w3id.org/fep/8a8e/organizers",
    "eventStatus": "https://w3id.org/fep/8a8e/eventStatus",
    "VirtualLocation": "schema:VirtualLocation",
}
EVENT_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, _TERMS]
# What Mobilizon sorts events by.
_CATEGORIES = {"conference": "BUSINESS", "meeting": "MEETING", "office-hours": "MEETING"}
_JOIN_MODES = {"free": "free", "restricted": "free", "external": "external"}
_SPAN = timedelta(hours=1)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SharedEvent:
    """What an Event says beyond a thread's Article; `going` is None where nobody signs up."""

    details: Details
    going: int | None = None


def to_members(event: SharedEvent, url: str) -> dict[str, Any]:
    """The members that only an Event has; `summary` says when and where in words."""
    details = event.details
    status = details.status.upper()
    found: dict[str, Any] = {
        "@context": EVENT_CONTEXT,
        "type": "Event",
        "summary": f"<p>{escape(details.sentence, quote=False)}</p>",
        "startTime": _local(details.starts, details.zone),
        "endTime": _local(details.ends, details.zone),
        "timezone": details.zone,
        "status": status,
        "ical:status": status,
        "eventStatus": status,
        "category": _CATEGORIES.get(details.kind, "LEARNING"),
        "isOnline": details.is_online,
        "attachment": _attachments(details, url),
        "gh:event": _record(details),
    }
    if details.place:
        found["location"] = {"type": "Place", "name": details.place}
    elif details.online:
        found["location"] = {"type": "VirtualLocation", "name": "Online", "url": details.online}
    if details.joining != "none":
        found["joinMode"] = details.joining
    if details.external:
        found["externalParticipationUrl"] = details.external
    if details.capacity is not None:
        found["maximumAttendeeCapacity"] = details.capacity
    if event.going is not None:
        found["participantCount"] = event.going
        if details.capacity is not None:
            found["remainingAttendeeCapacity"] = max(0, details.capacity - event.going)
    if details.series:
        found["gh:series"] = details.series
    return found


def by_whom(author: str, language: str) -> dict[str, Any]:
    """What an Event says of its author and its language besides what every post says of them."""
    organisers = {"type": "Collection", "totalItems": 1, "items": [author]}
    return {"organizers": organisers, "inLanguage": language}


def _local(moment: datetime, zone: str) -> str:
    return moment.astimezone(times.zone(zone)).isoformat()


def _attachments(details: Details, url: str) -> list[dict[str, str]]:
    website = {"type": "Link", "name": "Website", "mediaType": "text/html"}
    return [website | {"href": details.online or url}]


def _record(details: Details) -> dict[str, Any]:
    """What no other software has a word for, as one JSON object."""
    found: dict[str, Any] = {"v": 1, "kind": details.kind}
    if details.all_day:
        found["allDay"] = True
    if details.is_hidden:
        found["linkForGuests"] = True
    for name in ("access", "recording"):
        if value := getattr(details, name):
            found[name] = value
    if details.series_at:
        found["seriesAt"] = details.series_at
    if details.rule:
        found["repeats"] = details.rule
    if details.sessions:
        found["sessions"] = [
            {"title": one.title, "at": one.at, "speakers": one.speakers} for one in details.sessions
        ]
    if details.materials:
        found["materials"] = [{"name": one.name, "url": one.url} for one in details.materials]
    return found


def from_members(raw: dict[str, Any]) -> SharedEvent | None:
    """The event of a received Event; None where it does not say when it is."""
    starts = moment_of(raw.get("startTime"))
    if starts is None or not _EARLIEST <= starts < _LATEST:
        return None
    ends = moment_of(raw.get("endTime")) or starts + _SPAN
    if ends <= starts or ends - starts > LONGEST:
        ends = starts + _SPAN
    zone = raw.get("timezone")
    found = Details(starts, ends, zone if isinstance(zone, str) and times.is_zone(zone) else "UTC")
    place, virtual = _location(raw.get("location"))
    online = _website(raw) or virtual
    joining = _JOIN_MODES.get(str(raw.get("joinMode")), "none")
    external = link_of(raw.get("externalParticipationUrl"))
    if joining == "external" and not external:
        joining = "none"
    found = replace(
        found,
        status=_status(raw),
        place=place,
        online=online,
        is_online=bool(online) or raw.get("isOnline") is True,
        joining=joining,
        external=external if joining == "external" else "",
        capacity=whole_of(raw.get("maximumAttendeeCapacity"), MOST_PLACES) or None,
        series=url_id_of(raw.get("gh:series")) or "",
    )
    return SharedEvent(
        _with_record(found, raw.get("gh:event")), whole_of(raw.get("participantCount"))
    )


def whole_of(value: object, most: int = 10**9) -> int | None:
    """A whole number from 0 to `most`; None for anything else."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and isinstance(value, int) and 0 <= value <= most else None


def _line(value: object, longest: int = LONGEST_LINE) -> str:
    return text.clean_line(value, longest) if isinstance(value, str) else ""


def link_of(value: object) -> str:
    """An address that a page may lead to, of a string, a Link or an object; else ""."""
    found = url_of(value)
    return found if found and is_link(found) else ""


def _status(raw: dict[str, Any]) -> str:
    for name in ("status", "ical:status", "eventStatus"):
        value = text_of(raw.get(name), LONGEST_URL) or ""
        for status in STATUSES:
            if value.lower().endswith(status):
                return status
    return "confirmed"


def _location(value: object) -> tuple[str, str]:
    """(place in words, link) of a Place, a VirtualLocation, or several (FEP-8a8e)."""
    place, link = "", ""
    for item in (value if isinstance(value, list) else [value])[:10]:
        if not isinstance(item, dict):
            continue
        if "Virtual" in str(item.get("type")):
            link = link or link_of(item.get("url"))
        else:
            place = place or _address(item)
    return place, link


def _address(item: dict[str, Any]) -> str:
    address = item.get("address")
    parts = [_line(item.get("name"))]
    if isinstance(address, str):
        parts.append(_line(address))
    elif isinstance(address, dict):
        names = ("streetAddress", "postalCode", "addressLocality", "addressRegion")
        parts += [_line(address.get(name)) for name in (*names, "addressCountry")]
    return text.clean_line(", ".join(dict.fromkeys(part for part in parts if part)), LONGEST_LINE)


def _website(raw: dict[str, Any]) -> str:
    """The online address: Mobilizon's attachment of this name, unless it is the page itself."""
    attached = raw.get("attachment")
    for item in (attached if isinstance(attached, list) else [attached])[:20]:
        if isinstance(item, dict) and item.get("name") == "Website":
            found = link_of(item)
            return "" if found in (raw.get("url"), raw.get("id")) else found
    return ""


def _with_record(details: Details, record: object) -> Details:
    """The details with what only we say; what of it cannot be read is left out."""
    if not isinstance(record, dict):
        return details
    kind = record.get("kind")
    recording = record.get("recording")
    return replace(
        details,
        kind=kind if isinstance(kind, str) and kind in KINDS else "meeting",
        all_day=record.get("allDay") is True,
        is_hidden=record.get("linkForGuests") is True,
        access=_line(record.get("access")),
        recording=link_of(recording) if isinstance(recording, str) else "",
        series_at=_line(record.get("seriesAt"), 20),
        rule=_line(record.get("repeats"), LONGEST_RULE),
        sessions=tuple(_sessions(record.get("sessions"))),
        materials=tuple(_materials(record.get("materials"))),
    )


def _objects(value: object, most: int) -> list[dict[str, Any]]:
    return (
        [item for item in value[:most] if isinstance(item, dict)] if isinstance(value, list) else []
    )


def _sessions(value: object) -> list[Session]:
    found = [
        Session(_line(one.get("title")), _line(one.get("at")), _line(one.get("speakers")))
        for one in _objects(value, MOST_SESSIONS)
    ]
    return [one for one in found if one.title]


def _materials(value: object) -> list[Material]:
    found = [
        Material(_line(one.get("name")), link_of(one.get("url")))
        for one in _objects(value, MOST_MATERIALS)
    ]
    return [one for one in found if one.name and one.url]
