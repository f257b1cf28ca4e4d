# SPDX-License-Identifier: Apache-2.0
"""The numbers that rows have been given."""

from functools import cache

from sqlalchemy import Select, Table, bindparam, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from storage.base import Base, Identifier


def _is_numbered(table: Table) -> bool:
    """Whether the rows of a table have an id of their own, from the clock."""
    return [column.name for column in table.primary_key] == ["id"] and (
        table.primary_key.columns["id"].type.python_type is int
    )


async def highest(session: AsyncSession, below: int) -> int:
    """The highest id of any row that is less than `below`; 0 where there is none.

    It asks each table for the end of its primary key, which is one step each.
    """
    question = _question(len(Base.metadata.tables))
    return (await session.execute(question, {"below": below})).scalar_one() or 0


@cache
def _question(_tables: int) -> Select[int | None]:
    """Put together once for so many tables."""
    below = bindparam("below", type_=Identifier)
    ids = [table.c.id for table in Base.metadata.tables.values() if _is_numbered(table)]
    ends = union_all(*(select(func.max(one).label("id")).where(one < below) for one in ids))
    return select(func.max(ends.subquery().c.id))
