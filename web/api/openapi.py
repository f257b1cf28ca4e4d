# SPDX-License-Identifier: Apache-2.0
"""The calls as an OpenAPI document and as a page, made from their routes."""

import inspect
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from web.api import absent
from web.api.entities.instance import version
from web.api.routes import ANY_TOKEN, EVERYBODY, ApiRoute, Door
from web.api.schemas import components, schema

Json = dict[str, Any]
_IN_PATH = re.compile(r"\{(\w+)\}")
_NUMBERS = frozenset({"limit", "offset"})
_FILES = frozenset({"file", "avatar"})
_IN_BODY = frozenset({"POST", "PUT", "PATCH"})
_REFUSALS = {
    "400": "The request cannot be read.",
    "401": "The token is missing or not valid any more.",
    "403": "The token, or its member, may not do this.",
    "409": "It is closed, and cannot be answered or changed any more.",
    "410": "It was deleted.",
    "411": "The form does not say how long it is.",
    "413": "It is more than can be sent at once.",
    "404": "There is nothing, or nothing that the member may see.",
    "422": "Something in it needs another look, or this is not offered here.",
    "429": "Too often: try again after `Retry-After` seconds.",
}


def document(calls: Iterable[ApiRoute], origin: str) -> Json:
    """The OpenAPI 3.1 document of these calls at an instance."""
    paths: dict[str, Json] = {}
    for route in calls:
        for method in _methods(route):
            paths.setdefault(route.path, {})[method.lower()] = _operation(method, route)
    error = {
        "type": "object",
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
        "required": ["error"],
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Guildhall client API",
            "version": version(),
            "description": "The client API of Mastodon, as a practice commons answers it.",
        },
        "servers": [{"url": origin}],
        "paths": paths,
        "components": {
            "schemas": {**components(), "Error": error},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _methods(route: ApiRoute) -> list[str]:
    return sorted((route.methods or set()) - {"HEAD"})


def _operation(method: str, route: ApiRoute) -> Json:
    door = route.door
    inside = _IN_PATH.findall(route.path)
    words = re.sub(r"[^a-z0-9]+", "_", f"{method} {route.path}".lower()).strip("_")
    found: Json = {
        "operationId": words,
        "summary": summary(door),
        "parameters": [_parameter("path", name, True) for name in inside],
        "responses": {
            "200": {
                "description": "What was asked for.",
                "content": {"application/json": {"schema": schema(door.answers)}},
            },
            **{status: _refusal(sentence) for status, sentence in _REFUSALS.items()},
        },
    }
    if door.scope != EVERYBODY:
        scopes = [] if door.scope == ANY_TOKEN else [door.scope]
        found["security"] = [*([{}] if door.public else []), {"token": scopes}]
    takes = [(name.rstrip("!"), name.endswith("!")) for name in door.takes]
    if method not in _IN_BODY:
        found["parameters"] += [_parameter("query", *one) for one in takes]
    elif takes:
        found["requestBody"] = {"content": _body(takes)}
    return found


def _refusal(sentence: str) -> Json:
    error = {"$ref": "#/components/schemas/Error"}
    return {"description": sentence, "content": {"application/json": {"schema": error}}}


def _parameter(where: str, name: str, needed: bool) -> Json:
    kind: Json = {"type": "integer"} if name in _NUMBERS else {"type": "string"}
    if name.endswith("[]"):
        kind = {"type": "array", "items": {"type": "string"}, "maxItems": 20}
    return {"in": where, "name": name, "required": needed, "schema": kind}


def _body(takes: Sequence[tuple[str, bool]]) -> Json:
    """A form or JSON; a picture only comes in a form."""
    fields = {name.removesuffix("[]"): _field(name) for name, _ in takes}
    body = {"type": "object", "properties": fields}
    needed = [name for name, is_needed in takes if is_needed]
    if needed:
        body["required"] = needed
    found: Json = {}
    if sent := _FILES & fields.keys():
        found["multipart/form-data"] = {"schema": body}
        plain = {name: kind for name, kind in fields.items() if name not in sent}
        body = {**body, "properties": plain}
    if not sent & set(needed):
        found["application/json"] = {"schema": body}
    return found


def _field(name: str) -> Json:
    if name in _FILES:
        return {"type": "string", "format": "binary"}
    if name.endswith("[]"):
        return {"type": "array", "items": {"type": "string"}, "maxItems": 20}
    return {"type": "string"}


def summary(door: Door) -> str:
    """The first sentence of what a call's handler says of itself."""
    handler = door.handler
    if isinstance(handler, partial):
        handler = handler.func
    return (inspect.getdoc(handler) or "").partition("\n")[0]


def as_markdown(calls: Sequence[ApiRoute]) -> str:
    """The tables of docs/api.md: what is offered, and what is not."""
    offered = [route for route in calls if not _is_absent(route)]
    absences = [route for route in calls if _is_absent(route)]
    lines = ["| call | scope | answers | what it does |", "|---|---|---|---|"]
    for route in offered:
        scope = {EVERYBODY: "none", ANY_TOKEN: "any token"}.get(route.door.scope, route.door.scope)
        scope = f"{scope}, or none" if route.door.public else scope
        called = " ".join([*_methods(route), route.path])
        lines.append(f"| `{called}` | {scope} | {route.door.answers} | {summary(route.door)} |")
    lines += ["", "Not offered: a read answers the empty shape, a write 422.", ""]
    lines += ["| call | answers |", "|---|---|"]
    for route in absences:
        handler = route.door.handler
        said = "`[]`" if handler is absent.empty else "422"
        lines.append(f"| `{' '.join([*_methods(route), route.path])}` | {said} |")
    return "\n".join(lines) + "\n"


def _is_absent(route: ApiRoute) -> bool:
    handler = route.door.handler
    if isinstance(handler, partial):
        return handler.func.__name__ == "not_offered"
    return handler in {absent.empty, absent.refused}
