# SPDX-License-Identifier: Apache-2.0
"""Durable rows a second, a hundred to a transaction, by the bare drivers."""

import asyncio
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

BODY = "x" * 2_400
BATCH = 100
TABLE = "CREATE TABLE rows (id BIGINT PRIMARY KEY, signer TEXT, activity TEXT UNIQUE, body TEXT)"


@dataclass(frozen=True)
class InsertSpeed:
    """Rows a second by the clock, and processor microseconds of this process a row."""

    rows: float
    cpu_us: float


def _row(number: int) -> tuple[int, str, str, str]:
    return number, "https://peer.example/u/ana", f"https://peer.example/a/{number}", BODY


def sqlite(folder: Path, batches: int) -> InsertSpeed:
    """SQLite as the product opens it: WAL, `synchronous=FULL`."""
    connection = sqlite3.connect(folder / "limit.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(TABLE)
    begun, cpu = time.perf_counter(), time.process_time()
    for batch in range(batches):
        connection.execute("BEGIN IMMEDIATE")
        rows = [_row(batch * BATCH + number) for number in range(BATCH)]
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    done = _speed(batches, begun, cpu)
    connection.close()
    return done


def postgresql(url: str, batches: int) -> InsertSpeed:
    """PostgreSQL as installed, through asyncpg."""
    return asyncio.run(_postgresql(url, batches))


async def _postgresql(url: str, batches: int) -> InsertSpeed:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"DROP TABLE IF EXISTS rows; {TABLE}")
        begun, cpu = time.perf_counter(), time.process_time()
        for batch in range(batches):
            rows = [_row(batch * BATCH + number) for number in range(BATCH)]
            async with connection.transaction():
                await connection.executemany("INSERT INTO rows VALUES ($1, $2, $3, $4)", rows)
        return _speed(batches, begun, cpu)
    finally:
        await connection.execute("DROP TABLE IF EXISTS rows")
        await connection.close()


def _speed(batches: int, begun: float, cpu: float) -> InsertSpeed:
    rows = batches * BATCH
    return InsertSpeed(
        rows / (time.perf_counter() - begun), (time.process_time() - cpu) / rows * 1e6
    )
