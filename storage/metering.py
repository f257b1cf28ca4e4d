# SPDX-License-Identifier: Apache-2.0
"""Counts the bytes that one piece of work stores, whatever they are for."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

_PENDING = "guildhall_pending_bytes"
_WRITES = ("INSERT", "UPDATE")


class Meter(Protocol):
    """Is told what is stored, in bytes of text and of binary values; numbers count nothing."""

    def must_have_room(self, size: int) -> None:
        """Raises whatever is to end the deed, where `size` is more than it may store."""

    def kept(self, size: int) -> None:
        """A deed that stored `size` was committed."""


_current: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Have everything that is stored inside count; tasks begun inside count too."""
    token = _current.set(meter)
    try:
        yield
    finally:
        _current.reset(token)


def listen(engine: AsyncEngine) -> None:
    """Count the deeds of an engine; appended rows, which are no deeds, are not counted."""
    event.listen(engine.sync_engine, "before_cursor_execute", _before)
    event.listen(engine.sync_engine, "commit", _committed)
    event.listen(engine.sync_engine, "rollback", _forgotten)


def _before(
    connection: Connection, _cursor: object, statement: str, parameters: Any, *_: object
) -> None:
    meter = _current.get()
    if meter is None or not statement.startswith(_WRITES):
        return
    size = connection.info.get(_PENDING, 0) + _size(parameters)
    connection.info[_PENDING] = size
    meter.must_have_room(size)


def _committed(connection: Connection) -> None:
    size = connection.info.pop(_PENDING, 0)
    meter = _current.get()
    if size and meter is not None:
        meter.kept(size)


def _forgotten(connection: Connection) -> None:
    # What was cut off in the middle of a statement has no connection of the driver's any more.
    if not connection.invalidated:
        connection.info.pop(_PENDING, None)


def _size(value: Any) -> int:
    """The bytes of a parameter, or of all that are in it: one row's, or many rows'."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes | bytearray | memoryview):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return 0
