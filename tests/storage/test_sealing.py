# SPDX-License-Identifier: Apache-2.0
"""The record is a chain, which its database only adds to."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from storage.audit import AuditEntry, AuditSeal, digest, genesis, seal
from storage.database import Database
from storage.sealing import ORIGIN
from tests.storage.test_database import NOON, _config, _entry

HERE = "https://riverton.example"
ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from itertools import count
from storage.audit import AuditEntry
from storage.database import Database
from storage.sealing import ORIGIN

async def write():
    database = Database(sys.argv[1])
    for number in count(int(sys.argv[3])):
        async with database.writer.transaction() as session:
            session.info[ORIGIN] = sys.argv[2]
            line = {"at": datetime.now(UTC), "actor": "a", "verb": "test", "subject": "b"}
            session.add(AuditEntry(id=number, **line))
        print(number, flush=True)

asyncio.run(write())
"""


async def _add(database: Database, *numbers: int) -> None:
    async with database.writer.transaction() as session:
        session.info[ORIGIN] = HERE
        session.add_all(_entry(number, NOON) for number in numbers)


async def _give_up(database: Database) -> None:
    async with database.writer.transaction() as session:
        session.add(_entry(90, NOON))
        await session.flush()
        raise RuntimeError("never mind")


async def _must_be_whole(database: Database) -> list[int]:
    """The entries in the order of the chain, computed anew."""
    async with database.reading() as session:
        question = select(AuditSeal, AuditEntry).join(AuditEntry).order_by(AuditSeal.place)
        found = (await session.execute(question)).all()
    last = genesis(HERE)
    for place, (sealed, line) in enumerate(found, 1):
        words = digest(actor=line.actor, subject=line.subject, detail=line.detail, salt=line.salt)
        last = seal(place, line.id, line.at, line.verb, words, last)
        assert (sealed.place, sealed.digest, sealed.hash) == (place, words, last)
    return [line.id for _, line in found]


async def test_lines_are_sealed_in_the_order_of_their_commits(database: Database) -> None:
    await _add(database, 5, 4)
    other = Database(
        database.url.set(drivername=database.url.get_backend_name()).render_as_string()
    )
    try:
        await asyncio.gather(
            *(_add(one, n) for n, one in enumerate([database, other] * 10, 10)), _add(other, 2)
        )
    finally:
        await other.close()
    with pytest.raises(RuntimeError, match="never mind"):
        await _give_up(database)
    await _add(database, 3)
    order = await _must_be_whole(database)
    assert order[:2] == [4, 5]
    assert order[-1] == 3
    assert sorted(order) == [2, 3, 4, 5, *range(10, 30)]


async def test_a_writer_that_is_killed_leaves_no_gap(database: Database) -> None:
    """Two processes write as fast as they can, and are killed in the middle."""
    url = database.url.set(drivername=database.url.get_backend_name()).render_as_string()
    begins = (1_000_000, 2_000_000)
    writers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, url, HERE, str(begin)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        for begin in begins
    ]
    said: list[int] = []
    for writer in writers:
        assert writer.stdout is not None
        said += [int(await writer.stdout.readline()) for _ in range(9)]
    for writer in writers:
        writer.kill()
        said += map(int, (await writer.communicate())[0].splitlines())
    order = await _must_be_whole(database)
    assert {*said} <= {*order}
    assert len(order) - len(said) <= 2, "what was not told was under way"
    for begin in begins:
        own = [entry for entry in order if begin <= entry < begin + 1_000_000]
        assert own == [*range(begin, begin + len(own))]


async def test_the_database_refuses_to_change_or_drop_a_line(database: Database) -> None:
    await _add(database, 1, 2)
    async with database.writer.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO audit_checks (id, at, place, hash, fault)"
                " VALUES (1, '2026-11-23 12:00:00', 2, 'x', '')"
            )
        )
    erase = "UPDATE audit SET actor = '', subject = '', detail = '', salt = ''"
    for statement in (
        *("DELETE FROM audit", "DELETE FROM audit_seals", "DELETE FROM audit_checks"),
        *("UPDATE audit SET detail = 'b'", "UPDATE audit SET id = 9 WHERE id = 1"),
        *("UPDATE audit_seals SET hash = 'b'", "UPDATE audit_checks SET place = 1"),
        *(erase, f"{erase}, erased = at, verb = 'other'"),
        "UPDATE audit SET actor = '', erased = at",
        *(["TRUNCATE audit, audit_seals", "TRUNCATE audit_checks"] * (not database.is_sqlite)),
    ):
        with pytest.raises(DBAPIError, match="only added to"):
            async with database.writer.transaction() as session:
                await session.execute(text(statement))
    erase += ", erased = at WHERE id = 1"
    async with database.writer.transaction() as session:
        await session.execute(text(erase))
    with pytest.raises(DBAPIError, match="only added to"):
        async with database.writer.transaction() as session:
            await session.execute(text(erase))


async def test_a_record_from_before_there_were_seals_is_chained(database: Database) -> None:
    await _add(database, *range(1, 2500))
    async with database.writer.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO actor_keys (key_id, owner, kind, public, sealed, created, checked,"
                " label, inbox) VALUES (:key, :owner, 'rsa', '', :sealed, :at, :at, '', '')"
            ),
            {"key": "k", "owner": f"{HERE}/u/ana", "sealed": b"x"}
            | {"at": NOON.replace(tzinfo=None) if database.is_sqlite else NOON},
        )

    def again(connection: Connection) -> None:
        command.downgrade(_config(connection), "0039")
        command.upgrade(_config(connection), "head")

    await database.run_sync(again)
    assert await _must_be_whole(database) == list(range(1, 2500))
    async with database.reading() as session:
        salts = (await session.execute(select(AuditEntry.salt))).scalars().all()
    assert len({*salts}) == 2499
    assert {len(salt) for salt in salts} == {32}
    await _add(database, 5000)
    assert await _must_be_whole(database) == [*range(1, 2500), 5000]


def test_the_form_of_a_seal_never_changes() -> None:
    words = digest(actor="system", subject="café", detail='"\n\x7f', salt="00")
    first = seal(1, 7, NOON, "forum.created", words, genesis(HERE))
    assert (genesis(HERE), words, first) == (
        "de929cbb1c0f43c4036dcd53a6912d6a48227b51bbe9e30c227168868b1f05b2",
        "baf6602b5a2009f14db841e107a1b3102382c0e4d7cf195b28cc9b2fa47523e0",
        "0e28dc811e275c18b82cd05223505de3d1b60521fbc4352b6e4cfefb741d04bb",
    )
