# SPDX-License-Identifier: Apache-2.0
"""Lanes and their work: found, claimed and settled in bulk."""

from storage.lanes.claiming import bodies, claim, fill, free, holds, owners, renew
from storage.lanes.finding import interested, next_return, paused, returning, rows_after, waiting
from storage.lanes.settling import (
    due_by,
    give_up,
    move_along,
    rest,
    resting,
    settle,
    unpark,
)
from storage.lanes.work import Held, Item, Settled, Work

__all__ = [
    "Held",
    "Item",
    "Settled",
    "Work",
    "bodies",
    "claim",
    "due_by",
    "fill",
    "free",
    "give_up",
    "holds",
    "interested",
    "move_along",
    "next_return",
    "owners",
    "paused",
    "renew",
    "rest",
    "resting",
    "returning",
    "rows_after",
    "settle",
    "unpark",
    "waiting",
]
