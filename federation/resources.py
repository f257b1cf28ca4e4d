# SPDX-License-Identifier: Apache-2.0
"""Resources as members of an Article, both ways (`gh:resource`, `gh:use`)."""

from dataclasses import dataclass
from html import escape
from typing import Any

from federation.editions import MOST_VERSIONS, refused_at, version_of
from federation.members import moment
from federation.vocabulary.terms import GH, OBJECT_CONTEXT
from federation.vocabulary.values import moment_of, url_id_of
from server.errors import Invalid
from server.hub.uses import SaidUse
from server.resources import licences
from server.resources.links import LinkState
from server.resources.record import Record, dump, parse
from server.resources.terms import VERDICTS

# The record is JSON as it stands: a processor of JSON-LD leaves it alone (JSON-LD 1.1 §4.2.2).
_TERMS = {
    "gh": GH,
    "gh:resource": {"@id": "gh:resource", "@type": "@json"},
    "license": {"@id": "https://schema.org/license", "@type": "@id"},
}
RESOURCE_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, _TERMS]
_USE_TERMS = {"gh": GH, "gh:use": {"@id": "gh:use", "@type": "@json"}}
USE_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, _USE_TERMS]


@dataclass(frozen=True)
class SharedResource:
    """What an Article says beyond a thread's: the record, its version, what changed in it.

    `link` is what its home found where its link leads, None where it has not looked.
    """

    record: Record
    version: int = 1
    note: str = ""
    link: LinkState | None = None


def to_members(resource: SharedResource, url: str) -> dict[str, Any]:
    """The members of the Article that only a resource has.

    The first attachment is a Link to the file, or to the page where there are several: forum
    software makes it the link of the post. Each file follows as a Document.
    """
    record = resource.record
    files = record.files
    first = {"type": "Link", "href": record.link or url, "mediaType": "text/html"}
    if len(files) == 1:
        first = {"type": "Link", "href": files[0].url, "mediaType": files[0].media_type}
    found: dict[str, Any] = {
        "@context": RESOURCE_CONTEXT,
        "summary": f"<p>{escape(record.summary, quote=False)}</p>",
        "attachment": [
            {**first, "name": files[0].name if len(files) == 1 else record.name},
            *(
                {
                    "type": "Document",
                    "url": file.url,
                    "mediaType": file.media_type,
                    "name": file.name,
                    "gh:size": file.size,
                    "gh:sha256": file.sha256,
                }
                for file in files
            ),
        ],
        "gh:resource": dump(record),
        "gh:version": {"number": resource.version, "note": resource.note},
    }
    if resource.link is not None:
        since = resource.link.since
        found["gh:linkState"] = {
            "answers": since is None,
            **({} if since is None else {"since": moment(since)}),
            "visited": moment(resource.link.visited),
        }
    if record.license in licences.LICENCES:
        found["license"] = licences.LICENCES[record.license].url
    if record.based_on:
        found["gh:basedOn"] = [source.uri for source in record.based_on]
    return found


def from_members(raw: dict[str, Any]) -> SharedResource | None:
    """The resource of a received Article; None for one that is none.

    Invalid says which member of `gh:resource` is wrong and why: nothing of it is taken then.
    """
    if "gh:resource" not in raw:
        return None
    try:
        record = parse(raw["gh:resource"])
    except Invalid as error:
        raise refused_at("gh:resource", error) from error
    number, note = version_of(raw.get("gh:version"))
    return SharedResource(record, number, note, _link_state(raw.get("gh:linkState")))


def _link_state(value: object) -> LinkState | None:
    """What its home found at its link; None for what cannot be told."""
    said = value if isinstance(value, dict) else {}
    answers, visited, since = (
        said.get("answers"), moment_of(said.get("visited")), moment_of(said.get("since")),
    )  # fmt: skip
    if visited is None or not isinstance(answers, bool) or (since is None and not answers):
        return None
    return LinkState(None if answers else since, visited)


def use_to_members(said: SaidUse) -> dict[str, Any]:
    """The members of a Note that says that an agency uses a resource."""
    use: dict[str, Any] = {"of": said.of, "verdict": said.verdict}
    if said.of_version is not None:
        use["version"] = said.of_version
    return {"@context": USE_CONTEXT, "gh:use": use}


def use_from_members(raw: dict[str, Any]) -> SaidUse | None:
    """What a Note says of a resource; None where it says nothing that is understood here."""
    use = raw.get("gh:use")
    if not isinstance(use, dict):
        return None
    of, verdict, version = url_id_of(use.get("of")), use.get("verdict"), use.get("version")
    if of is None or not isinstance(verdict, str) or verdict not in VERDICTS:
        return None
    known = None
    if isinstance(version, int) and not isinstance(version, bool):
        known = version if 1 <= version <= MOST_VERSIONS else None
    return SaidUse(of, known, verdict)
