# SPDX-License-Identifier: Apache-2.0
"""Tells a database that cannot serve now from a fault of ours."""

import errno
import sqlite3

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Whatever a database or its driver raises, and the network between us and it.
FAULTS: tuple[type[Exception], ...] = (
    SQLAlchemyError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
_SQLITE_PASSES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
    }
)
# Its SQLSTATE classes: connection gone, deadlock, no room, stopped by an operator, its own disk.
_POSTGRES_PASSES = ("08", "40", "53", "57P", "58")
_DISK_PASSES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def passes(error: BaseException) -> bool:
    """Whether a fault is of the database's surroundings: full, locked, read-only, gone.

    The same request may well succeed a little later. A fault of ours, such as a wrong
    statement, is none of them. Of several at once, each must be.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(passes(one) for one in error.exceptions)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    chain: list[BaseException] = [error]
    for one in chain:
        chain += [
            cause
            for cause in (getattr(one, "orig", None), one.__cause__)
            if isinstance(cause, BaseException) and cause not in chain
        ]
    return any(_passes(one) for one in chain)


def _passes(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        # The low byte; the others say more precisely which.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_PASSES
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_POSTGRES_PASSES)
    if isinstance(error, FileNotFoundError):
        # A socket that is not there names no file.
        return error.filename is None
    # Raised for a connection that is closed, or that was closed in the middle.
    gone = isinstance(error, (asyncpg.InterfaceError, ConnectionError, PoolTimeout))
    return gone or (isinstance(error, OSError) and error.errno in _DISK_PASSES)
