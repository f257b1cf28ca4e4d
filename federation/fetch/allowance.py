# SPDX-License-Identifier: Apache-2.0
"""How much one activity may have us fetch from others."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from federation.errors import WireError
from server.errors import Refusal
from storage.metering import metered

# Twenty together: some for whose key signed it, the others for what it is about.
MOST_TO_VERIFY = 4
MOST_DOCUMENTS = 16
MOST_BYTES = 1_000_000
# Bytes in the database, a million together: for whose key signed it, and for what it brings,
# as it came, as it is read and found, and what follows from it.
MOST_KEPT_TO_VERIFY = 50_000
MOST_KEPT = 950_000


class TooMuchAsked(WireError):
    """This would have us ask other servers for more than we do for one activity."""

    permanent = True


class TooMuchKept(Refusal):
    """This is larger, all told, than what is taken here at once."""


@dataclass
class Allowance:
    """What may still be had for one activity, over all the times it is tried.

    `requests` is what is left of this try: every hop counts, answered or not. `documents` and
    `size` (bytes) count what was answered, `room` (bytes) what is stored; none is given anew.
    """

    documents: int = MOST_DOCUMENTS
    size: int = MOST_BYTES
    room: int = MOST_KEPT
    requests: int = MOST_DOCUMENTS

    def renew(self) -> None:
        """Another try begins: what did not answer may be asked again."""
        self.requests = max(self.documents, 0)

    @property
    def left(self) -> int:
        """How many documents can still be had now."""
        return min(self.requests, self.documents)

    def must_have_room(self, size: int) -> None:
        """Raises TooMuchKept where a deed stores more than may still be kept."""
        if size > self.room:
            raise TooMuchKept

    def kept(self, size: int) -> None:
        """Count what a deed stored."""
        self.room -= size


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def limited(allowance: Allowance) -> Iterator[Allowance]:
    """Have all that is fetched and stored inside count; tasks begun inside count too."""
    token = _current.set(allowance)
    try:
        with metered(allowance):
            yield allowance
    finally:
        _current.reset(token)


def documents_left() -> int:
    """How many documents may still be fetched for what is being worked on."""
    allowance = _current.get()
    return allowance.left if allowance is not None else MOST_DOCUMENTS


def about_to_ask() -> None:
    """Count one request; raises TooMuchAsked where none is left."""
    allowance = _current.get()
    if allowance is None:
        return
    if allowance.left <= 0 or allowance.size <= 0:
        raise TooMuchAsked
    allowance.requests -= 1


def answered(size: int) -> None:
    """Count one answer of `size` bytes; raises TooMuchAsked where it is more than is left."""
    allowance = _current.get()
    if allowance is None:
        return
    allowance.documents -= 1
    allowance.size -= size
    if allowance.size < 0:
        raise TooMuchAsked
