# SPDX-License-Identifier: Apache-2.0
"""Which part of a timeline is asked for, and the ids of what stands in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select

MOST = 40
USUAL = 20
T = TypeVar("T")
Q = TypeVar("Q", bound=Select[*tuple[Any, ...]])


def boost_of(post: int) -> int:
    """The id under which a forum passes a thread on: beside the thread's own, and never it."""
    return post ^ 1


@dataclass(frozen=True)
class Span:
    """A page of a timeline in Mastodon's terms, by the ids of statuses.

    `max_id` and `since_id` bound it; `min_id` asks for what follows it directly. A thread and a
    forum's boost of it count as one place.
    """

    limit: int = USUAL
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None

    def conditions(self, key: Any) -> list[ColumnElement[bool]]:
        """What has to hold of the id of a post."""
        found = []
        if self.max_id is not None:
            found.append(key < (self.max_id & ~1))
        after = [one for one in (self.since_id, self.min_id) if one is not None]
        if after:
            found.append(key > (max(after) | 1))
        return found

    def exactly(self, key: Any) -> list[ColumnElement[bool]]:
        """The same of ids that no boost stands beside."""
        found = []
        if self.max_id is not None:
            found.append(key < self.max_id)
        after = [one for one in (self.since_id, self.min_id) if one is not None]
        if after:
            found.append(key > max(after))
        return found

    def ordered(self, question: Q, key: Any) -> Q:
        """The question with the order and the limit of this page."""
        order = key.asc() if self.min_id is not None else key.desc()
        return question.order_by(order).limit(self.limit)

    def newest_first(self, found: Sequence[T]) -> list[T]:
        """What was found, in the order in which it is shown."""
        return list(found)[::-1] if self.min_id is not None else list(found)
