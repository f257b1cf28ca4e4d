# SPDX-License-Identifier: Apache-2.0
"""Days that have changed are computed anew, alike on both engines."""

from datetime import UTC, datetime

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from storage import digests
from storage.database import MIGRATIONS, Database
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


async def fill(database: Database) -> None:
    """A forum with a post at noon and one at the midnight after it."""
    async with database.writer.transaction() as session:
        person = Member(
            id=1, uri="u", handle="ana", url="u", name="Ana", inbox="i", created=NOON, updated=NOON
        )
        forum = Forum(
            id=1, uri="f", handle="f", url="f", title="F", inbox="i", created=NOON, updated=NOON
        )
        session.add_all([person, forum])
        await session.flush()
        for number, when in ((1, NOON), (2, MIDNIGHT)):
            session.add(
                Post(
                    id=number, uri=f"p{number}", url="p", kind="thread", forum_id=1, author_id=1,
                    thread_id=number, published=when, arrived=when, bumped=when,
                )
            )  # fmt: skip


async def test_a_day_ends_at_midnight_utc(database: Database) -> None:
    await fill(database)
    async with database.reading() as session:
        days = [await digests.of_day(session, 1, day) for day in ("2026-11-23", "2026-11-24")]
    assert [[one.uri for one in day] for day in days] == [["p1"], ["p2"]]


async def test_what_changed_while_it_was_summed_up_is_not_kept(database: Database) -> None:
    await fill(database)
    async with database.writer.transaction() as session:
        await digests.mark(session, 1, {"2026-11-23", "2026-11-24"})
    async with database.reading() as session:
        first = await digests.stale(session, 1, 10)
    assert first == [("2026-11-24", 1), ("2026-11-23", 1)]
    async with database.writer.transaction() as session:
        await digests.mark(session, 1, {"2026-11-23"})
    async with database.writer.transaction() as session:
        for day, changes in first:
            await digests.keep(session, 1, day, changes, 1, "a" * 64)
    async with database.reading() as session:
        assert await digests.stale(session, 1, 10) == [("2026-11-23", 2)]
        assert await digests.computed(session, 1) == [("2026-11-24", 1, "a" * 64)]


async def test_the_posts_there_were_are_marked_by_the_migration(database: Database) -> None:
    await fill(database)

    def down_and_up(connection: Connection) -> list[tuple[str, int]]:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        command.upgrade(config, "0003")
        found = connection.execute(text("SELECT day, posts FROM digest_buckets ORDER BY day"))
        return [(row.day, row.posts) for row in found]

    assert await database.run_sync(down_and_up) == [("2026-11-23", 0), ("2026-11-24", 0)]
    # Not by the model, which names columns that came later.
    async with database.reading() as session:
        tries = await session.execute(text("SELECT compare_tries FROM forums WHERE id = 1"))
        assert tries.scalar_one() == 0
