# SPDX-License-Identifier: Apache-2.0
"""What two processes bring at once: nobody waits for a second try."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from server.ids import Ids
from server.members import elsewhere
from server.members.elsewhere import PersonCard
from server.posts import writing
from server.posts.drafts import Origin, ThreadDraft
from server.randomness import SeededRandomness
from storage import members, posts
from storage.members import Member
from tests.hostile.commons import Commons, doing, note
from tests.hostile.peer import ScriptedPeer, mallory, vera

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
Opener = Callable[..., Awaitable[Commons]]


@pytest.fixture
async def shared(postgres_url: str, open_commons: Opener) -> Commons:
    """A server whose database others write to as well."""
    return await open_commons(listed=("evil.localhost",), database=postgres_url)


async def somebody_waits(gh: Commons) -> None:
    """Until a transaction waits for what another one holds."""
    async with asyncio.timeout(60):
        while True:
            async with gh.instance.reading() as session:
                if (await session.execute(text(WAITING))).scalar_one():
                    return
            await asyncio.sleep(0.01)


@pytest.mark.postgres
async def test_a_post_that_somebody_else_brings_is_looked_at_again_at_once(
    shared: Commons, evil: ScriptedPeer
) -> None:
    gh, actor = shared, mallory(evil)
    said = note(f"{evil.origin}/p/1", actor, gh.forum.uri, type="Article", name="Look")
    # So that the author is known, and only the post is new.
    await gh.sent(evil, doing("Create", actor, said | {"id": f"{evil.origin}/p/0"}, 0))
    gh.clock.turn(minutes=2)
    async with gh.instance.transaction() as tx:
        author = await members.by_uri(tx.session, actor)
        assert author is not None
        origin = Origin(said["id"], said["id"], "<p>Look</p>", gh.clock.now())
        await writing.apply_thread(tx, author, gh.forum, ThreadDraft("Look", "Look", origin=origin))
        await tx.session.flush()
        await gh.deliver(evil, doing("Create", actor, said))
        await somebody_waits(gh)
    await gh.settled()
    row = await gh.row(f"{actor}#create-1")
    assert (row.state, row.note, row.attempts) == ("ignored", "This post is here already.", 0)


@pytest.mark.postgres
async def test_a_person_whom_somebody_else_meets_as_well_is_met_once(
    shared: Commons, evil: ScriptedPeer
) -> None:
    gh, actor = shared, vera(evil)
    card = PersonCard(
        actor, "vera", "evil.localhost", actor, "Vera", "", "", "", None, f"{actor}/inbox", None
    )
    async with gh.instance.transaction() as tx:
        met = await elsewhere.remember(tx, card)
        finding = asyncio.create_task(gh.app.state.lookup.find(actor))
        await somebody_waits(gh)
    found = await finding
    assert isinstance(found, Member)
    assert found.id == met.id


async def test_posts_of_one_second_have_numbers_of_their_own(
    gh: Commons, evil: ScriptedPeer
) -> None:
    async with gh.instance.transaction() as tx:
        published = gh.clock.now()
        for number in range(3):
            # Chance has the same to say of each of them.
            tx.ids = Ids(gh.clock, SeededRandomness(1))
            uri = f"{evil.origin}/p/{number}"
            origin = Origin(uri, uri, "<p>Look</p>", published)
            draft = ThreadDraft("Look", "Look", origin=origin)
            await writing.apply_thread(tx, gh.admin, gh.forum, draft)
    for number in range(3):
        async with gh.instance.reading() as session:
            assert await posts.is_held(session, f"{evil.origin}/p/{number}")
