# SPDX-License-Identifier: Apache-2.0
"""A resource as the page on federation shows it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from federation import posts
from federation.posts import SharedPost
from federation.resources import SharedResource
from server import text
from server.hub.uses import SaidUse
from server.resources import prose
from server.resources.record import Record, parse

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
USING = "We use this at City of Riverton, after some changes."


def brief(shared: SharedPost, *names: str) -> dict[str, Any]:
    """The members of a post that are told apart on the page."""
    document = posts.to_wire(shared)
    return {name: document[name] for name in ("id", "type", "attributedTo", *names)}


def template(uri: str, source: str) -> Record:
    """The record of a template with one file, adapted from another."""
    return parse(
        {
            "v": 1,
            "kind": "template",
            "name": "Unified data platform",
            "summary": "A plan for one platform instead of nine registers.",
            "description": "Fill in the registers first.",
            "label": "2026-03",
            "license": "CC-BY-4.0",
            "topics": ["digital-services"],
            "files": [
                {
                    "name": "plan.docx",
                    "url": f"{uri}/files/2/0/plan.docx",
                    "mediaType": WORD,
                    "size": 48_213,
                    "sha256": hashlib.sha256(b"plan").hexdigest(),
                    "language": "en",
                    "access": "yes",
                    "checked": "2026-03",
                }
            ],
            "basedOn": [
                {
                    "uri": source,
                    "version": 1,
                    "digest": hashlib.sha256(b"record").hexdigest(),
                }
            ],
        }
    )


def examples(opener: SharedPost, answer: SharedPost) -> dict[str, Callable[[], dict[str, Any]]]:
    """The Article of a resource in place of `opener`, and the Note of one who uses it."""
    source = f"{answer.uri.rpartition('/')[0]}/117665002000000005"
    record = template(opener.uri, source)
    resource = replace(
        opener,
        url=f"{opener.uri}/unified-data-platform",
        title=record.name,
        source=prose.markdown(record),
        html=text.render(prose.markdown(record), links={}),
        tags=("digital-services",),
        resource=SharedResource(record, 2, "Notes on where to begin."),
    )
    use = SaidUse(opener.uri, 2, "changed")
    using = replace(answer, source=USING, html=text.render(USING, links={}), use=use)
    said = ("name", "summary", "attachment", "license", "gh:resource", "gh:version", "gh:basedOn")
    return {
        "resource": lambda: brief(resource, *said),
        "use": lambda: brief(using, "inReplyTo", "content", "gh:use"),
    }
