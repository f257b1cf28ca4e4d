# SPDX-License-Identifier: Apache-2.0
"""Replication reports as members of an Article, both ways (`gh:replication`)."""

from html import escape
from typing import Any

from federation.editions import refused_at
from federation.vocabulary.terms import GH, OBJECT_CONTEXT
from federation.vocabulary.values import url_id_of
from server.errors import Invalid
from server.practices import reporting
from server.practices.reporting import Report

_TERMS = {"gh": GH, "gh:replication": {"@id": "gh:replication", "@type": "@json"}}
REPLICATION_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, _TERMS]
NOTE_CONTEXT: list[str | dict[str, Any]] = [*OBJECT_CONTEXT, {"gh": GH}]


def to_members(report: Report, url: str) -> dict[str, Any]:
    """The members of the Article that only a report has."""
    return {
        "@context": REPLICATION_CONTEXT,
        "summary": f"<p>{escape(reporting.sentence(report), quote=False)}</p>",
        "attachment": [{"type": "Link", "href": url, "mediaType": "text/html"}],
        "gh:replication": reporting.dump(report),
    }


def from_members(raw: dict[str, Any]) -> Report | None:
    """The report of a received Article; None for one that is none.

    Invalid says which member of `gh:replication` is wrong and why.
    """
    if "gh:replication" not in raw:
        return None
    try:
        return reporting.parse(raw["gh:replication"])
    except Invalid as error:
        raise refused_at("gh:replication", error) from error


def announces_of(raw: dict[str, Any]) -> str | None:
    """The id of the post that a short reply announces."""
    return url_id_of(raw.get("gh:announces"))
