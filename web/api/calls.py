# SPDX-License-Identifier: Apache-2.0
"""One call of an app: who it speaks for, and what it asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from server.apps import scopes
from server.apps.tokens import Holder
from server.errors import Invalid
from server.instance import Instance
from server.rows import Member
from server.timelines.spans import MOST, USUAL, Span
from server.viewers import Viewer
from web.visits import Visit

Json = Any
LARGEST_BODY = 1024 * 1024
LARGEST_FORM = 8 * 1024 * 1024
LARGEST_FILE = 5 * 1024 * 1024
MOST_VALUES = 200
_YES = frozenset({"true", "1", "on", "yes", "t"})


class Unauthorized(Exception):
    """The access token is missing, or is not valid any more."""


class Forbidden(Exception):
    """The token does not reach that far."""


def is_yes(value: str) -> bool:
    """Whether a word means yes."""
    return value.lower() in _YES


@dataclass(frozen=True)
class Given:
    """The parameters of a call, from its query and its body alike; each may have several values."""

    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """The last value as text, with line ends as `\\n` and without NUL."""
        found = self.values.get(name)
        if not found or isinstance(found[-1], dict | list) or found[-1] is None:
            return default
        value = found[-1]
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value).replace("\r\n", "\n").replace("\0", "")

    def given(self, name: str) -> bool:
        return name in self.values

    def texts(self, name: str) -> list[str]:
        """All values: `name[]=a&name[]=b`, `name=a`, or a list in JSON."""
        found = [*self.values.get(f"{name}[]", ()), *self.values.get(name, ())]
        flat: list[Any] = []
        for value in found:
            flat.extend(value if isinstance(value, list) else [value])
        return [str(one) for one in flat if isinstance(one, str | int)][:MOST_VALUES]

    def yes(self, name: str, default: bool = False) -> bool:
        """Whether a yes was given: `true`, `1` or `on`."""
        return is_yes(self.text(name)) if self.given(name) else default

    def number(self, name: str) -> int | None:
        """An id; None where there is none, or anything but an id."""
        return as_id(self.text(name))

    def numbers(self, name: str) -> list[int]:
        """All values as ids, each once; 0, the id of nothing, for what is none."""
        return list(dict.fromkeys(as_id(one) or 0 for one in self.texts(name)))

    def several(self, name: str) -> list[dict[str, Any]]:
        """The objects of `name[number][key]=…`, or of a list or an object by number in JSON."""
        found: dict[str, dict[str, Any]] = {}
        begin = f"{name}["
        for key, values in self.values.items():
            if key.startswith(begin) and key.endswith("]"):
                number, _, inner = key[len(begin) : -1].partition("][")
                for place, value in enumerate(values if number == "" else values[-1:]):
                    found.setdefault(f"{number} {place}", {})[inner] = value
        for value in self.values.get(name, ()):
            listed = list(value.values()) if isinstance(value, dict) else value
            for place, one in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(one, dict):
                    found[f"json {place}"] = one
        return list(found.values())

    def inner(self, name: str) -> dict[str, Any]:
        """The members of `name[key]=…`, or of an object in JSON."""
        found: dict[str, Any] = {}
        for value in self.values.get(name, ()):
            if isinstance(value, dict):
                found |= value
        begin = f"{name}["
        for key, values in self.values.items():
            if key.startswith(begin) and key.endswith("]") and "[" not in key[len(begin) :]:
                found[key[len(begin) : -1]] = values[-1]
        return found


def as_id(value: str) -> int | None:
    """An id in decimal; None for anything else."""
    if not value.isascii() or not value.isdecimal() or len(value) > 19:
        return None
    number = int(value)
    return number if number < 1 << 63 else None


@dataclass
class Call:
    """A call: its request, whom it speaks for, and its parameters."""

    request: Request
    instance: Instance
    holder: Holder | None
    given: Given

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.holder.member if self.holder else None)

    @property
    def member(self) -> Member:
        """The member the token speaks for; Unauthorized where it speaks for nobody."""
        if self.holder is None or self.holder.member is None:
            raise Unauthorized
        return self.holder.member

    @property
    def visit(self) -> Visit:
        """The call as what pages know, for what they share."""
        return Visit(self.request, self.instance, self.viewer, csrf="")

    def may(self, scope: str) -> bool:
        """Whether the token reaches that far."""
        return self.holder is not None and scopes.covers(self.holder.scopes, scope)

    def number(self, name: str = "id") -> int:
        """The id in the path; an id of nothing for anything else."""
        return as_id(self.request.path_params[name]) or 0

    def limit(self, usual: int = USUAL, most: int = MOST) -> int:
        """How many are asked for: at least one, and at most `most`."""
        asked = self.given.text("limit")
        if not asked.isascii() or not asked.isdecimal() or len(asked) > 9:
            return usual
        return max(1, min(int(asked), most))

    def span(self, usual: int = USUAL, most: int = MOST) -> Span:
        """The page of a timeline that is asked for."""
        given = self.given
        return Span(
            self.limit(usual, most),
            given.number("max_id"),
            given.number("since_id"),
            given.number("min_id"),
        )


@dataclass(frozen=True)
class Answer:
    """What is answered, where it is more than a body with status 200."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        return ApiJson(self.body, self.status, dict(self.headers))


class ApiJson(JSONResponse):
    """JSON as apps expect it."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


async def read(request: Request) -> Given:
    """The parameters of a request: the query's, then those of its body, whatever form it has."""
    values: dict[str, list[Any]] = {}
    for name, value in request.query_params.multi_items()[:MOST_VALUES]:
        values.setdefault(name, []).append(value)
    files: dict[str, bytes] = {}
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind.endswith("json"):
            _from_json(await _body(request), values)
        elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            await _from_form(request, values, files)
    return Given(values, files)


async def _body(request: Request) -> bytes:
    """The whole body, unless it is too large; then no more of it is read."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > LARGEST_BODY:
            raise HTTPException(413, "This is more than can be sent at once: at most 1 MB.")
    return bytes(parts)


def _from_json(body: bytes, values: dict[str, list[Any]]) -> None:
    if not body.strip():
        return
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, "This is not JSON.") from error
    if not isinstance(found, dict):
        raise Invalid(message="Send a JSON object.")
    for name, value in found.items():
        values.setdefault(name, []).append(value)


async def _from_form(
    request: Request, values: dict[str, list[Any]], files: dict[str, bytes]
) -> None:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 12 or int(length) > LARGEST_FORM):
        raise HTTPException(413, "This is more than can be sent at once: at most 8 MB.")
    if not length.isdecimal():
        raise HTTPException(411, "A form has to say how long it is.")
    most = {"max_files": 2, "max_fields": MOST_VALUES, "max_part_size": LARGEST_BODY}
    async with request.form(**most) as data:
        for name, value in data.multi_items():
            if isinstance(value, str):
                values.setdefault(name, []).append(value)
            else:
                # Read now: the temporary file goes when the form is closed.
                files.setdefault(name, await value.read(LARGEST_FILE + 1))
