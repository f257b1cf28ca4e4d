# SPDX-License-Identifier: Apache-2.0
"""A condition on several values that are given as one parameter."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeEngine

from storage.base import Identifier


class Several(TypeDecorator[Sequence[Any]]):
    """A list as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(ARRAY(self.of))

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return as_json(value) if value is not None and dialect.name == "sqlite" else value


def as_json(values: Sequence[Any]) -> str:
    """The list as SQLite is given it."""
    return orjson.dumps(values).decode()


class _Among(FunctionElement[Any]):
    # Said to be a Boolean, it would become `… IN (…) = 1` on SQLite, which no index answers.
    type = NullType()
    inherit_cache = True
    name = "among"


def among(column: Any, name: str, kind: TypeEngine[Any] = Identifier) -> ColumnElement[bool]:
    """Whether a column holds one of the values of the parameter `name`, a list.

    Unlike an IN of as many parameters as there are values, it is one SQL text for any number.
    """
    return _Among(column, bindparam(name, None, type_=Several(kind)))


@compiles(_Among, "sqlite")
def _sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 (both compiled)


@compiles(_Among, "postgresql")
def _postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({values})"
