# SPDX-License-Identifier: Apache-2.0
"""Forms that were posted already, so that none posts twice."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.posts.drafts import ThreadForm
from web.visits import Visit

MOST = 10_000
REMEMBERED = timedelta(hours=24)


@dataclass
class Turn:
    """One form: the digest of its text and where it led (path, what to say) once posted."""

    began: datetime
    text: str = ""
    answer: tuple[str, str] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Turns:
    """The forms of the last day, by member and `once` or digest; the longest unused make room.

    In this process's memory only: a restart forgets them, and then a form that is sent once
    more posts once more, as it would anywhere.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[tuple[int, str], Turn] = OrderedDict()

    def find(self, member: int, once: str, now: datetime) -> Turn | None:
        """The turn of a form that came within the last day."""
        turn = self._held.get((member, once))
        return turn if turn is not None and now - turn.began < REMEMBERED else None

    def take(self, member: int, once: str, now: datetime) -> Turn:
        """The turn of a form, begun where it is the first time that it comes."""
        turn = self.find(member, once, now) or Turn(now)
        if 0 < len(once) <= 64:
            self.keep(member, once, turn)
        return turn

    def keep(self, member: int, key: str, turn: Turn) -> None:
        """Find this turn by one more key from now on."""
        self._held[member, key] = turn
        self._held.move_to_end((member, key))
        if len(self._held) > self._most:
            self._held.popitem(last=False)


def new(visit: Visit) -> str:
    """The `once` of a form that is shown now."""
    return visit.instance.randomness.token()


@asynccontextmanager
async def turn(visit: Visit, once: str) -> AsyncIterator[Turn]:
    """The turn of a sent form, which the same form sent again has to wait for."""
    taken = _turns(visit).take(visit.member.id, once, visit.instance.clock.now())
    async with taken.lock:
        yield taken


def done(visit: Visit, turn: Turn, text: str) -> None:
    """The form was posted with the text of this digest."""
    turn.text = text
    _turns(visit).keep(visit.member.id, text, turn)


def was_posted(visit: Visit, place: str, form: ThreadForm) -> bool:
    """Whether just this text was posted at this place within the last day."""
    now = visit.instance.clock.now()
    return _turns(visit).find(visit.member.id, digest(place, form), now) is not None


def digest(place: str, form: ThreadForm) -> str:
    """What stands for the text of a form at the place of its draft."""
    typed = (place, form.title, form.source, form.tags)
    return hashlib.sha256(repr(typed).encode()).hexdigest()


def _turns(visit: Visit) -> Turns:
    state = visit.request.app.state
    if not hasattr(state, "turns"):
        state.turns = Turns()
    turns: Turns = state.turns
    return turns
