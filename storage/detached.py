# SPDX-License-Identifier: Apache-2.0
"""Rows of tables, made of what a plain driver answers."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Select, inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.attributes import instance_state

Cells = Sequence[Any]


def layout(statement: Select[*tuple[Any, ...]]) -> Callable[[Cells], Iterator[Any]] | None:
    """What puts the columns of an answer together to what was selected; None for columns alone.

    A table that was selected whole is a row of it, detached as from a session that is closed.
    """
    columns = list(statement.selected_columns)
    parts: list[tuple[slice, Callable[[Cells], Any] | None]] = []
    at, tables = 0, 0
    for asked in statement.column_descriptions:
        is_table = asked.get("entity") is not None and asked["expr"] is asked["entity"]
        if is_table:
            mapper: Mapper[Any] = inspect(asked["entity"]).mapper
            size, tables = len(mapper.columns), tables + 1
            names = [column.key for column in columns[at : at + size]]
            parts.append((slice(at, at + size), _maker(mapper, names)))
            at += size
        else:
            parts.append((slice(at, at + 1), None))
            at += 1
    if not tables:
        return None
    if at != len(columns) or len(set(columns)) != len(columns):
        raise TypeError("a column is selected twice")

    def put_together(cells: Cells) -> Iterator[Any]:
        return chain.from_iterable(
            cells[place] if make is None else (make(cells[place]),) for place, make in parts
        )

    return put_together


def _maker(mapper: Mapper[Any], names: Sequence[Any]) -> Callable[[Cells], Any]:
    """Makes a row of its cells; None where an outer join found none."""
    if set(names) != set(mapper.columns.keys()):
        raise TypeError(f"not all of {mapper} is selected")
    new = mapper.class_manager.new_instance
    keys = [names.index(column.key) for column in mapper.primary_key]
    identity = mapper.identity_key_from_primary_key

    def make(cells: Cells) -> Any:
        key = tuple(cells[place] for place in keys)
        if key[0] is None:
            return None
        row = new()
        row.__dict__.update(zip(names, cells, strict=True))
        instance_state(row).key = identity(key)
        return row

    return make
