# SPDX-License-Identifier: Apache-2.0
"""Real payloads with one thing wrong in each."""

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import orjson

from federation.vocabulary.activities import is_activity
from federation.vocabulary.terms import POST_TYPES
from federation.vocabulary.values import type_of, url_id_of
from tests.federation.payloads import Json

DEEP: Any = "at the bottom"
for _ in range(40):
    DEEP = [DEEP]
VALUES: list[Any] = [
    None, True, False, 0, -1, 2**62, 1.5e14, "", " ", "\n", "é\u202e\u0301", "x" * 3_000, "#", "/",
    "http://", "https://[::1", "http://a b.example/", "urn:x:y", "acct:a@b", "as:Public", "-1",
    "9999-12-31T23:59:59+00:00", "0000-00-00T00:00:00Z", "1969-12-31T23:59:60Z", "<p><b>", [], {},
    [[]], [None], [{}], {"id": None}, {"type": []}, {"id": "http://x.example/", "type": "Link"},
    DEEP, ["Note", "Article"], "Tombstone", "Group", "Undo", "Announce", "Question", "Delete",
]  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """What is done to which value; both are numbers taken modulo what there is."""

    where: int
    how: int
    value: Any

    def of(self, document: Json) -> Json:
        """The document with this one thing wrong."""
        found: Json = orjson.loads(orjson.dumps(document))
        places = list(_places(found))
        holder, key = places[self.where % len(places)]
        ways = ("drop", "put", "put", "put", "wrap", "name", "many", "swap")
        way = ways[self.how % len(ways)]
        if way == "drop":
            del holder[key]
        elif way == "put":
            holder[key] = self.value
        elif way == "wrap":
            holder[key] = [holder[key]]
        elif way == "name":
            holder[key] = {"id": holder[key]}
        elif way == "many":
            holder[key] = [holder[key]] * 60
        else:
            other, name = places[(self.where // len(places)) % len(places)]
            holder[key] = orjson.loads(orjson.dumps(other.get(name) if _is(other) else None))
        return found


def _is(holder: Any) -> bool:
    return isinstance(holder, dict)


def _places(document: Any, depth: int = 0) -> Any:
    """Every (holder, key) of a document but of its contexts, the outermost first."""
    items = document.items() if _is(document) else enumerate(document)
    for key, value in list(items):
        if key == "@context":
            continue
        yield document, key
        if isinstance(value, dict | list) and depth < 6:
            yield from _places(value, depth + 1)


def mutations(seed: str, count: int) -> list[Mutation]:
    """Several of them, the same for the same seed."""
    chance = Random(seed)
    bits = partial(chance.getrandbits, 20)
    return [Mutation(bits(), bits(), chance.choice(VALUES)) for _ in range(count)]


def afresh(document: Json, number: int) -> Json:
    """The same under ids that were never seen: its own, and those of the posts it brings."""
    text = orjson.dumps(document).decode()
    for uri in _brought(document):
        if "#" not in uri:
            text = text.replace(f'"{uri}"', f'"{uri}-{number}"')
    found: Json = orjson.loads(text)
    return found | {"id": f"{document['id']}-{number}"}


def _brought(document: object) -> list[str]:
    if not isinstance(document, dict):
        return []
    uri = url_id_of(document)
    if type_of(document) in POST_TYPES and uri is not None:
        return [uri]
    return _brought(document.get("object")) if is_activity(document) else []
