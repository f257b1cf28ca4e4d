# SPDX-License-Identifier: Apache-2.0
"""Whoever changes the record in the database is found out, by outsiders too."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from server import audit
from server.chain import checking, ends, exporting
from server.chain.ends import Noted
from server.errors import Refusal
from server.instance import Instance
from storage.audit import AuditSeal, digest, genesis, seal
from tests import databases
from tests.clock import TurnableClock

database_url = databases.database_url
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "record.md"
TRIGGERS = [
    f"{table}_not_{kind}"
    for table in ("audit", "audit_seals", "audit_checks")
    for kind in ("changed", "dropped")
]
MOVED_UP = "UPDATE audit_seals SET place = place - 1 WHERE place ="
# Statements with the entries of the eight lines put in, and what is then said of which line.
TAMPERED: list[tuple[Sequence[str], int, str]] = [
    (["UPDATE audit SET detail = '' WHERE id = {3}"], 3, "Line 3 was changed"),
    (["UPDATE audit SET actor = 'kim' WHERE id = {3}"], 3, "Line 3 was changed"),
    (["UPDATE audit SET subject = 'b' WHERE id = {8}"], 8, "Line 8 was changed"),
    (["UPDATE audit SET verb = 'b' WHERE id = {3}"], 3, "Line 3 does not follow"),
    (
        ["UPDATE audit SET at = (SELECT at FROM audit WHERE id = {2}) WHERE id = {3}"],
        3,
        "Line 3 does not follow",
    ),
    (["DELETE FROM audit WHERE id = {3}"], 3, "only its seal is there"),
    (
        ["DELETE FROM audit_seals WHERE place = 3", "DELETE FROM audit WHERE id = {3}"],
        3,
        "Line 3 is missing.",
    ),
    (["DELETE FROM audit_seals WHERE place = 1"], 1, "Line 1 is missing."),
    (
        # As above, and those behind it have moved up.
        [
            "DELETE FROM audit_seals WHERE place = 3",
            "DELETE FROM audit WHERE id = {3}",
            *(f"{MOVED_UP} {place}" for place in range(4, 9)),
        ],
        3,
        "Line 3 does not follow",
    ),
    (["DELETE FROM audit_seals WHERE place > 5"], 6, "line 6 was there when it was checked on"),
    (["DELETE FROM audit_seals", "DELETE FROM audit"], 1, "line 6 was there when"),
    (["DELETE FROM audit_seals WHERE place = 8"], 8, "was slipped in"),
    (
        [
            "INSERT INTO audit (id, at, actor, verb, subject, detail, salt)"
            " SELECT id - 1, at, actor, verb, subject, detail, salt FROM audit WHERE id = {5}"
        ],
        9,
        "was slipped in",
    ),
    (
        [
            "INSERT INTO audit (id, at, actor, verb, subject, detail, salt)"
            " SELECT id + 1, at, actor, verb, subject, detail, salt FROM audit WHERE id = {8}",
            "INSERT INTO audit_seals (place, entry_id, digest, hash)"
            " SELECT 9, entry_id + 1, digest, hash FROM audit_seals WHERE place = 8",
        ],
        9,
        "Line 9 does not follow",
    ),
    (
        [
            "UPDATE audit_seals SET place = -3 WHERE place = 3",
            "UPDATE audit_seals SET place = 3 WHERE place = 4",
            "UPDATE audit_seals SET place = 4 WHERE place = -3",
        ],
        3,
        "Line 3 does not follow",
    ),
    (
        [
            "UPDATE audit SET actor = '', subject = '', detail = '', salt = '', erased = at"
            " WHERE id = {3}"
        ],
        3,
        "Line 3 was erased, and no later line says so.",
    ),
]


@pytest.fixture
async def written(instance: Instance, clock: TurnableClock) -> Instance:
    """An instance with eight lines in its record, which was looked over after the sixth."""
    for number in range(8):
        clock.turn(days=1)
        if number == 6:
            assert (await checking.check(instance)).broken is None
        async with instance.transaction() as tx:
            audit.note(tx, "system", "test", f"{tx.settings.origin}/f/{number}", "Kim, at noon")
    return instance


@asynccontextmanager
async def owned(instance: Instance) -> AsyncIterator[AsyncSession]:
    """The database in the hands of its owner, whom nothing stops; then it is put back."""
    async with AsyncSession(instance.database._write) as session:
        if instance.database.is_sqlite:
            await session.execute(text("PRAGMA defer_foreign_keys = ON"))
            for name in TRIGGERS:
                await session.execute(text(f"DROP TRIGGER {name}"))
        else:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
        yield session
        await session.rollback()


async def entries(session: AsyncSession) -> list[int]:
    """The entries by their places, with nothing for place 0."""
    question = select(AuditSeal.entry_id).order_by(AuditSeal.place)
    return [0, *(await session.execute(question)).scalars()]


async def forge(session: AsyncSession, origin: str) -> None:
    """Seal everything anew, as somebody does who knows how."""
    found = [link async for link in checking.links(session)]
    last = genesis(origin)
    await session.execute(text("DELETE FROM audit_seals"))
    for place, link in enumerate(found, 1):
        words = digest(actor=link.actor, subject=link.subject, detail=link.detail, salt=link.salt)
        last = seal(place, link.id, link.at, link.verb, words, last)
        session.add(AuditSeal(place=place, entry_id=link.id, digest=words, hash=last))
    await session.flush()


async def test_whatever_is_done_to_the_record_is_found(written: Instance) -> None:
    origin = written.settings.origin
    async with written.reading() as session:
        whole = await checking.verify(session, origin)
        assert (whole.place, whole.is_whole) == (8, True)
        assert not (await checking.verify(session, "https://lakeside.example")).is_whole
    for statements, line, sentence in TAMPERED:
        async with owned(written) as session:
            numbers = await entries(session)
            for statement in statements:
                await session.execute(text(statement.format(*numbers)))
            verdict = await checking.verify(session, origin)
        assert verdict.broken == line, statements
        assert sentence in verdict.fault, statements
    async with written.reading() as session:
        assert await checking.verify(session, origin) == whole


async def test_a_record_that_was_sealed_anew_is_not_the_one_that_was_seen(
    written: Instance,
) -> None:
    origin, state = written.settings.origin, written.settings.state
    noted = ends.noted(state)
    assert [one.place for one in noted] == [6]
    for end in (5, 8):
        for checks, by in (("", "when it was checked on"), ("DELETE FROM audit_checks", "as")):
            async with owned(written) as session:
                numbers = await entries(session)
                for statement in (
                    *("DELETE FROM audit_seals WHERE place > {end}", checks or "SELECT 1"),
                    "DELETE FROM audit WHERE id > {last}",
                    "UPDATE audit SET detail = 'Lee' WHERE id = {second}",
                ):
                    given = {"end": end, "last": numbers[end], "second": numbers[2]}
                    await session.execute(text(statement.format(**given)))
                await forge(session, origin)
                verdict = await checking.verify(session, origin, noted)
                assert verdict.broken == 6
                assert by in verdict.fault
                seen = Noted(verdict.place, verdict.hash, "now")
                if checks:
                    assert (await checking.verify(session, origin)).is_whole, "nobody can tell"
                    assert (await checking.verify(session, origin, [seen])).is_whole


async def test_what_was_found_is_kept(written: Instance, clock: TurnableClock) -> None:
    clock.turn(hours=1)
    made = await checking.check(written)
    assert (made.place, made.broken, made.fault) == (8, None, "")
    last = ends.noted(written.settings.state)[-1]
    assert (last.place, last.hash) == (made.place, made.hash)
    assert last.when == "on 1 December 2026, as record-ends.txt says"
    await checking.check_daily(written)
    assert len(ends.noted(written.settings.state)) == 2, "once a day is enough"
    clock.turn(days=1)
    await checking.check_daily(written)
    assert len(ends.noted(written.settings.state)) == 3
    with (written.settings.state / ends.NAME).open("a") as file:
        file.write(f"2026-11-30T12:00:00Z 9 {'0' * 64}\nnot a line\n2026-11-30T12:00")
    made = await checking.check(written)
    assert made.broken == 9
    assert "ends with line 8, and line 9 was there on 30 November 2026" in made.fault
    assert len(ends.noted(written.settings.state)) == 4, "what is broken is no end to go by"
    async with written.reading() as session:
        page = await audit.page(session)
    assert page.check is not None
    assert page.end is not None
    assert (page.check.id, page.end.place) == (made.id, 8)
    assert [line.place for line in page.lines] == [*range(8, 0, -1)]


async def test_words_are_erased_and_the_chain_stays_whole(written: Instance) -> None:
    async with written.transaction() as tx:
        await audit.erase(tx, "command line", [3, 5], "Article 17 GDPR, asked for by Kim")
    for places, reason, sentence in (
        ([3], "again", "Line 3 is erased already."),
        ([9], "why", "Line 9 says that another was erased, and has to stay."),
        ([70], "why", "The record has no line 70."),
        ([1], "  ", "Say by which rule it must be erased."),
    ):
        with pytest.raises(Refusal, match=re.escape(sentence)):
            async with written.transaction() as tx:
                await audit.erase(tx, "command line", places, reason)
    made = await checking.check(written)
    assert (made.place, made.broken) == (10, None)
    async with written.reading() as session:
        lines = {line.place: line.entry for line in (await audit.page(session)).lines}
    assert (lines[3].actor, lines[3].subject, lines[3].detail, lines[3].salt) == ("",) * 4
    assert lines[3].verb == "test"
    assert lines[3].erased is not None
    assert [(lines[n].verb, lines[n].subject) for n in (9, 10)] == [
        ("record.erased", "3"),
        ("record.erased", "5"),
    ]


async def test_an_outsider_can_check_an_export(written: Instance, tmp_path: Path) -> None:
    async with written.transaction() as tx:
        await audit.erase(tx, "command line", [3], "Article 17 GDPR")
    exported = [line async for line in exporting.lines(written)]
    assert b"Kim, at noon" not in exported[2]
    recipe = tmp_path / "check.py"
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    recipe.write_text(found[1], encoding="utf-8")

    def check(lines: Sequence[bytes]) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", recipe, written.settings.origin],
            input=b"".join(lines),
            capture_output=True,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).decode().strip()

    async with written.reading() as session:
        end = (await audit.page(session)).end
    assert end is not None
    assert check(exported) == (0, f"9 lines, the last one's hash is {end.hash}")
    changed = orjson.loads(exported[4]) | {"detail": "Lee, at noon"}
    assert check([*exported[:4], orjson.dumps(changed) + b"\n", *exported[5:]]) == (
        1,
        "Line 5 does not fit.",
    )
    assert check([*exported[:4], *exported[5:]]) == (1, "Line 5 does not fit.")
    assert check([*exported[:2], exported[3], exported[2]]) == (1, "Line 3 does not fit.")
