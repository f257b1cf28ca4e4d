# SPDX-License-Identifier: Apache-2.0
"""What one lane has to send, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from storage.log import LogRow


@dataclass(frozen=True, slots=True)
class Item:
    """A log row on its way; the body is read at the moment of sending."""

    seq: int
    form: str
    activity_id: str
    signer: str
    order_key: str
    audience: str
    subject: str
    subject_seq: int | None
    closed: bool
    body_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A parked entry whose time has come."""

    item: Item
    attempts: int


@dataclass(slots=True)
class Work:
    """What one claimed lane has to send: its next rows in order, and what was parked.

    `behind` are the order keys of which something is parked, `more` whether rows follow that
    were not read, `until` the seq up to which these are all.
    """

    lane: int
    inbox: str
    host: str
    cursor: int
    items: list[Item] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    behind: set[str] = field(default_factory=set)
    until: int = 0
    more: bool = False


class Settled(NamedTuple):
    """What became of a lane's work, to be written down."""

    lane: int
    host: str
    cursor: int
    delivered: int = 0
    refused: int = 0
    last_refusal: str = ""
    release: bool = False


COLUMNS = (
    LogRow.seq,
    LogRow.form,
    LogRow.activity_id,
    LogRow.signer,
    LogRow.order_key,
    LogRow.audience,
    LogRow.subject,
    LogRow.subject_seq,
    LogRow.closed,
    LogRow.body_id,
    LogRow.at,
)


def covers(from_seq: int, until_seq: int | None, item: Item) -> bool:
    """`in_interval` for rows that are held already."""
    first = item.subject_seq
    if from_seq <= item.seq and (until_seq is None or item.seq < until_seq):
        return True
    return first is not None and from_seq <= first and (until_seq is None or first < until_seq)
