# SPDX-License-Identifier: Apache-2.0
"""Whether what a public page shows is still as it was."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from storage import versions
from storage.database import Database
from storage.plain import Put, ask
from storage.snapshots import Snapshot


@dataclass(slots=True)
class Mark:
    """What a page shows, as scopes, and which version of each it showed.

    `held` is the state of the whole database in which it was last found right, where that is known.
    """

    scopes: tuple[int, ...]
    versions: tuple[int, ...]
    held: int | None = field(default=None, compare=False)


def of_thread(thread: int, forum: int) -> tuple[int, ...]:
    """The scopes of a thread's page."""
    return (versions.EVERYTHING, versions.PEOPLE, versions.thread(thread), versions.forum(forum))


def of_forum(forum: int) -> tuple[int, ...]:
    """The scopes of a forum's page."""
    lines = versions.threads_of(forum)
    return (versions.EVERYTHING, versions.PEOPLE, versions.forum(forum), lines)


def of_home(forums: Iterable[int]) -> tuple[int, ...]:
    """The scopes of the home page, which shows the threads of these forums."""
    lines = {versions.threads_of(forum) for forum in forums}
    return (versions.EVERYTHING, versions.PEOPLE, versions.FORUMS, *sorted(lines))


def of_library(discussions: Iterable[int] = ()) -> tuple[int, ...]:
    """What the page of a practice or resource shows besides its thread, `discussions` named."""
    return (versions.LIBRARY, *sorted({versions.thread(one) for one in discussions}))


def of_event() -> tuple[int, ...]:
    """What the page of an event shows besides its thread: others of its series."""
    return (versions.CALENDAR,)


def ahead(post: int) -> Put:
    """What `mark` asks for the page of a post, where that shows nothing unusual."""
    alike = [versions.EVERYTHING, versions.PEOPLE, versions.LIBRARY, versions.CALENDAR]
    return versions.AROUND, {"scopes": alike, "post": post}


async def mark(
    session: AsyncSession, scopes: tuple[int, ...], *, post: int | None = None
) -> Mark | None:
    """The versions at the moment that `plain.ask` sees in this session; None beside a deed.

    What the session was asked in any other way must have been asked after `plain.ask` was first
    used: it is then never older than the versions. `post` is the one that is asked for.
    """
    snapshot: Snapshot | None = session.sync_session.info.get("snapshot")
    if snapshot is None:
        return None
    if post is not None and snapshot.held:
        question, asked = ahead(post)
        known = dict(await ask(session, question, **asked))
        if known.keys() >= set(scopes):
            return Mark(scopes, tuple(known[scope] for scope in scopes))
    return Mark(scopes, await versions.versions(snapshot, scopes))


class Freshness:
    """Asks the database whether marks still hold.

    An answer counts only if the question was put after it was wanted. Where asking takes a
    round trip, those that want one meanwhile share the next.
    """

    def __init__(self, database: Database) -> None:
        self._plain = database.plain
        self._glance = database.glance
        # Whether asking takes a round trip to a server of its own.
        self.is_far = not database.is_sqlite
        self._wanted: set[int] = set()
        self._next: asyncio.Future[dict[int, int]] | None = None
        self._asking: asyncio.Task[None] | None = None

    def is_known_to_hold(self, mark: Mark) -> bool:
        """Whether that is known without a question; False leaves it open."""
        return mark.held is not None and mark.held == self._glance.mark()

    async def holds(self, mark: Mark) -> bool:
        """Whether nothing of what the page shows was changed by anybody's commit so far."""
        # Put first: a commit in between makes it an older state, never a newer one.
        state = self._glance.mark()
        if state is not None:
            if mark.held == state:
                return True
            is_right = await versions.versions(self._plain, mark.scopes) == mark.versions
            mark.held = state if is_right else None
            return is_right
        self._wanted.update(mark.scopes)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        waited = self._next
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        found = await asyncio.shield(waited)
        return tuple(found[scope] for scope in mark.scopes) == mark.versions

    async def _ask(self) -> None:
        while self._next is not None:
            answer, self._next = self._next, None
            scopes, self._wanted = tuple(self._wanted), set()
            try:
                found = await versions.versions(self._plain, scopes)
            except Exception as error:
                answer.set_exception(error)
            else:
                answer.set_result(dict(zip(scopes, found, strict=True)))
