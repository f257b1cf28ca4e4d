# SPDX-License-Identifier: Apache-2.0
"""Which rows are for which lane, as conditions."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from storage.log import Form, Lane, LogRecipient, LogRow, Parked, Subscription


def in_interval() -> ColumnElement[bool]:
    """The condition on `Subscription` and `LogRow`: the interval rule.

    A row is the lane's if its seq lies in the interval, or the seq of the row that first
    carried its subject does (Update, Delete, Undo), whether the interval has ended or not.
    """
    until = Subscription.until_seq
    first = LogRow.subject_seq
    return or_(
        and_(Subscription.from_seq <= LogRow.seq, or_(until.is_(None), LogRow.seq < until)),
        and_(Subscription.from_seq <= first, or_(until.is_(None), first < until)),
    )


def has_rows(after: Any) -> ColumnElement[bool]:
    """Whether the log holds anything for `Lane` beyond a seq."""
    subscribed = exists().where(
        Subscription.lane_id == Lane.id,
        LogRow.audience == Subscription.audience,
        LogRow.seq > after,
        LogRow.form != Form.DIRECT,
        in_interval(),
    )
    named = exists().where(LogRecipient.lane_id == Lane.id, LogRecipient.seq > after)
    return or_(subscribed, named)


def is_behind() -> ColumnElement[bool]:
    """The condition on `Parked` for entries that wait for an earlier one of their thread."""
    earlier = aliased(Parked)
    return exists().where(
        earlier.lane_id == Parked.lane_id,
        earlier.order_key == Parked.order_key,
        earlier.seq < Parked.seq,
    )


def is_free(owner: Any, now: Any) -> ColumnElement[bool]:
    """The condition on `Lane`: nobody but `owner` works on it `now`; both may be parameters."""
    return or_(Lane.owner.is_(None), Lane.owner == owner, Lane.lease_until <= now)


def last_seq() -> Any:
    return select(func.coalesce(func.max(LogRow.seq), 0)).scalar_subquery()
