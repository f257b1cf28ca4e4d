# SPDX-License-Identifier: Apache-2.0
"""What a thread's page is about to ask, known from its address."""

from collections.abc import Iterable

from server import filters, mutes
from server.posts import questions
from server.viewers import Viewer
from storage.plain import Put


def of_thread(viewer: Viewer, thread: int, *, after: int | None = None) -> Iterable[Put]:
    """What the page of a thread asks; of one reply some is asked in vain."""
    sight, who = viewer.sight, viewer.values
    around = {"thread": thread, **who}
    from_there = {"after": after or 0, **around}
    yield questions.opening(sight), {"id": thread, **who}
    yield questions.replies_if_short(sight), {"first": (after or 0) + 1, **around}
    yield questions.heads_if_long(sight), from_there
    yield questions.replies_if_long(sight), from_there
    if viewer.member is None:
        yield questions.waiting(), {"thread": thread}
    else:
        me = viewer.member.id
        yield questions.own(), {"me": me, "thread": thread}
        yield mutes.PEOPLE, {"me": me}
        yield filters.ANY, {"me": me}
