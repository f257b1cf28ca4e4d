# SPDX-License-Identifier: Apache-2.0
"""Pages of timelines, with the links to those before and after."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from web.api.calls import Answer, Call

_PLACES = {"max_id", "since_id", "min_id"}


def paged(call: Call, body: list[Any], places: Sequence[str]) -> Answer:
    """A page whose lines stand at these places, newest first (RFC 8288)."""
    if not places:
        return Answer(body)
    links = []
    for relation, name, place in (("next", "max_id", places[-1]), ("prev", "min_id", places[0])):
        kept = [
            (key, value)
            for key, value in call.request.query_params.multi_items()
            if key not in _PLACES
        ]
        address = f"{call.instance.settings.origin}{call.request.url.path}"
        links.append(f'<{address}?{urlencode([*kept, (name, place)])}>; rel="{relation}"')
    return Answer(body, headers={"Link": ", ".join(links)})


def by_id(call: Call, body: list[Any]) -> Answer:
    """The same where the places are the ids of the lines themselves."""
    return paged(call, body, [line["id"] for line in body])
