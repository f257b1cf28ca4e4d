# SPDX-License-Identifier: Apache-2.0
"""Which of its two faces an address shows: the page, or ActivityPub."""

from collections.abc import MutableMapping
from typing import Any

_ASKED_FOR = ("application/activity+json", "application/ld+json")
_KNOWN = "guildhall.wants_activity"


def wants_activity(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request asks for the machines' face of an address rather than for the page."""
    known: bool | None = scope.get(_KNOWN)
    if known is None:
        known = scope[_KNOWN] = _asks(scope["headers"])
    return known


def _asks(headers: list[tuple[bytes, bytes]]) -> bool:
    accept = b",".join(value for name, value in headers if name == b"accept").lower()
    if b"json" not in accept:
        return False
    offered = [part.strip() for part in accept.decode("latin-1").split(",")]
    machine = [part for part in offered if part.startswith(_ASKED_FOR)]
    if not machine:
        return False
    return not any(part.startswith("text/html") for part in offered) or offered[0] in machine
