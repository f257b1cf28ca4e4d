# SPDX-License-Identifier: Apache-2.0
"""The last failures of the worker, kept for a day for administrators."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.transaction import Transaction
from storage.base import insert
from storage.crashes import LONGEST, WorkerCrash

__all__ = ["LONGEST", "Crash", "keep", "last"]
SHOWN_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Crash:
    """One failure of a loop; `process` is what the process calls itself, `host/number/chance`."""

    loop: str
    at: datetime
    error: str
    process: str


async def keep(tx: Transaction, crash: Crash) -> None:
    """Write down the last failure of a loop."""
    values = {"at": crash.at, "error": crash.error, "process": crash.process}
    await tx.session.execute(
        insert(tx.session, WorkerCrash)
        .values(loop=crash.loop, **values)
        .on_conflict_do_update(index_elements=["loop"], set_=values)
    )


async def last(session: AsyncSession, now: datetime) -> Crash | None:
    """The last failure of all, if it was within a day."""
    question = (
        select(WorkerCrash)
        .where(WorkerCrash.at > now - SHOWN_FOR)
        .order_by(WorkerCrash.at.desc())
        .limit(1)
    )
    row = (await session.execute(question)).scalar_one_or_none()
    return None if row is None else Crash(row.loop, row.at, row.error, row.process)
