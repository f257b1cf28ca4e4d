# SPDX-License-Identifier: Apache-2.0
"""Practices as members of an Article, both ways (`gh:practice`)."""

from dataclasses import dataclass, replace
from html import escape
from typing import Any

from federation.editions import refused_at, version_of
from federation.members import moment
from federation.vocabulary.terms import GH, OBJECT_CONTEXT
from federation.vocabulary.values import moment_of, url_id_of
from server.errors import Invalid
from server.practices import notices
from server.practices.notices import Notice
from server.practices.record import Record, dump, parse
from server.practices.withdrawals import Said
from server.text import clean_line

# The record is JSON as it stands: a processor of JSON-LD leaves it alone (JSON-LD 1.1 §4.2.2).
_TERMS = {"gh": GH, "gh:practice": {"@id": "gh:practice", "@type": "@json"}}
PRACTICE_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, _TERMS]
WITHDRAWAL_CONTEXT: list[str | dict[str, Any]] = [
    *OBJECT_CONTEXT,
    {"gh": GH, "gh:withdraws": {"@id": "gh:withdraws", "@type": "@json"}},
]


@dataclass(frozen=True)
class SharedPractice:
    """What an Article says beyond a thread's: the record, its version, what changed in it,

    what its author warns of, and that the forum elsewhere, where it stands, withdrew it.
    """

    record: Record
    version: int = 1
    note: str = ""
    notice: Notice | None = None
    by_forum: Notice | None = None


def to_members(practice: SharedPractice, url: str) -> dict[str, Any]:
    """The members of the Article that only a practice has.

    `summary` is its one sentence: it is what Mastodon shows beside the title and the link.
    """
    record = practice.record
    found: dict[str, Any] = {
        "@context": PRACTICE_CONTEXT,
        "summary": _summary(practice),
        "attachment": [{"type": "Link", "href": url, "mediaType": "text/html"}],
        "gh:practice": dump(record),
        "gh:version": {"number": practice.version, "note": practice.note},
    }
    if record.based_on:
        found["gh:basedOn"] = [source.uri for source in record.based_on]
    if practice.notice is not None:
        found["gh:advisory"] = {
            "kind": practice.notice.kind,
            "content": practice.notice.words,
            "published": moment(practice.notice.given),
        }
    if practice.by_forum is not None:
        found["gh:withdrawn"] = {
            "name": practice.by_forum.forum,
            "content": practice.by_forum.words,
            "published": moment(practice.by_forum.given),
        }
    return found


def past_of(practice: SharedPractice, uri: str) -> dict[str, Any]:
    """Where the versions before the present one are listed, if there are any."""
    return {"gh:versions": f"{uri}/versions"} if practice.version > 1 else {}


def _summary(practice: SharedPractice) -> str:
    """Its sentence, and before it what it is warned of."""
    told = [one.sentence for one in (practice.by_forum, practice.notice) if one is not None]
    return "".join(f"<p>{escape(one, quote=False)}</p>" for one in (*told, practice.record.summary))


def from_members(raw: dict[str, Any]) -> SharedPractice | None:
    """The practice of a received Article; None for one that is none.

    Invalid says which member of `gh:practice` is wrong and why: nothing of it is taken then.
    """
    if "gh:practice" not in raw:
        return None
    try:
        record = parse(raw["gh:practice"])
    except Invalid as error:
        raise refused_at("gh:practice", error) from error
    number, note = version_of(raw.get("gh:version"))
    by_forum = _withdrawn(raw.get("gh:withdrawn"))
    return SharedPractice(record, number, note, _notice(raw.get("gh:advisory")), by_forum)


def _notice(value: object) -> Notice | None:
    """What its author warns of; Invalid where that cannot be told."""
    if value is None:
        return None
    members = value if isinstance(value, dict) else {}
    kind, words = members.get("kind"), members.get("content")
    given = moment_of(members.get("published"))
    if not isinstance(kind, str) or not isinstance(words, str) or given is None:
        raise Invalid(message="gh:advisory has to give its kind, content and published.")
    try:
        return notices.check(kind, words, given)
    except Invalid as error:
        raise refused_at("gh:advisory", error) from error


def withdrawal_members(said: Said) -> dict[str, Any]:
    """The members of a Note by which the home of a forum withdraws a practice of it."""
    about = {
        "of": said.of,
        "content": said.notice.words,
        "published": moment(said.notice.given),
    }
    return {"@context": WITHDRAWAL_CONTEXT, "gh:withdraws": about}


def withdrawal_of(raw: dict[str, Any]) -> Said | None:
    """What a reply withdraws; None where it withdraws nothing that can be read."""
    value = raw.get("gh:withdraws")
    of = url_id_of(value.get("of")) if isinstance(value, dict) else None
    try:
        notice = _withdrawn(value)
    except Invalid:
        return None
    return Said(of, notice) if of is not None and notice is not None else None


def _withdrawn(value: object) -> Notice | None:
    """A withdrawal by a forum; Invalid where it cannot be told."""
    if value is None:
        return None
    members = value if isinstance(value, dict) else {}
    words, name = members.get("content"), members.get("name", "")
    given = moment_of(members.get("published"))
    if not isinstance(words, str) or not isinstance(name, str) or given is None:
        raise Invalid(message="gh:withdrawn has to give its name, content and published.")
    try:
        return replace(
            notices.check("withdrawn", words, given), forum=clean_line(name, 500) or "its forum"
        )
    except Invalid as error:
        raise refused_at("gh:withdrawn", error) from error
