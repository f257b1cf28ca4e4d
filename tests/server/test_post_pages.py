# SPDX-License-Identifier: Apache-2.0
"""What a thread's page shows, and what it costs."""

import pytest
from sqlalchemy.engine import Engine

from server.forums.pages import page as forum_page
from server.instance import Instance
from server.posts import pages, reading
from server.viewers import VISITOR, Viewer
from storage.members import Member
from storage.posts import Post
from tests import databases, makers
from tests.server.town import Town, settle
from tests.statements import counted

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def test_what_is_deeper_than_a_page_shows_is_counted(town: Town) -> None:
    parent = opener = await makers.thread(town.instance, town.ana, town.forum)
    for number in range(pages.DEEPEST + 3):
        parent = await makers.reply(town.instance, town.dee, parent, f"level {number + 1}")
    nodes = list(pages.walk((await town.page(opener)).branches))
    assert [node.depth for node in nodes] == list(range(1, pages.DEEPEST + 1))
    assert nodes[-1].more == 3


async def test_unread_replies_are_chained_until_the_page_was_seen(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    first = await makers.reply(town.instance, town.dee, opener, "first")
    seen = (await town.page(opener, town.ana)).newest
    assert (await town.page(opener, town.ana)).seen is None
    async with town.instance.transaction() as tx:
        await reading.mark_read(tx, town.ana, opener.id, seen)
    shown = await town.page(opener, town.ana)
    assert (shown.first_unread, shown.unread_count) == (None, 0)
    second = await makers.reply(town.instance, town.dee, first, "second")
    await makers.reply(town.instance, town.ana, opener, "my own is never unread")
    third = await makers.reply(town.instance, town.dee, opener, "third")
    shown = await town.page(opener, town.ana)
    assert (shown.first_unread, shown.unread_count) == (second.id, 2)
    chain = {node.entry.post.id: node.next_unread for node in pages.walk(shown.branches)}
    assert chain[second.id] == third.id
    assert chain[third.id] is None
    async with town.instance.reading() as session:
        line = (await forum_page(session, Viewer(town.ana), town.forum)).threads[0]
        assert line.unread
    async with town.instance.transaction() as tx:
        await reading.mark_read(tx, town.ana, opener.id, shown.newest)
        await reading.mark_read(tx, town.ana, opener.id, seen)
        await reading.mark_read(tx, town.ana, 1, seen)
    assert (await town.page(opener, town.ana)).unread_count == 0
    async with town.instance.reading() as session:
        line = (await forum_page(session, Viewer(town.ana), town.forum)).threads[0]
        assert not line.unread


async def test_drafts_are_their_writers_own(town: Town) -> None:
    place = f"forum:{town.forum.id}"

    async def save(member: Member, source: str) -> None:
        async with town.instance.transaction() as tx:
            await reading.save_draft(tx, member, place, title="", source=source, tags="")

    await save(town.ana, "half a")
    await save(town.ana, "half a thought")
    await save(town.dee, "another")
    async with town.instance.reading() as session:
        held = await reading.draft(session, town.ana, place)
        assert held is not None
        assert held.source == "half a thought"
        assert [draft.source for draft in await reading.drafts(session, town.dee)] == ["another"]
    await save(town.ana, "  ")
    async with town.instance.reading() as session:
        assert await reading.draft(session, town.ana, place) is None
        assert len(await reading.drafts(session, town.dee)) == 1


async def test_the_page_of_a_thread_costs_as_many_questions_with_3_replies_as_with_300(
    town: Town,
) -> None:
    async def grown(replies: int) -> Post:
        opener = await makers.thread(town.instance, town.ana, town.forum)
        await _answer(town, opener, replies, 10)
        return opener

    async def cost(opener: Post, viewer: Viewer) -> tuple[int, int]:
        async with town.instance.reading() as session:
            engine = session.get_bind()
            assert isinstance(engine, Engine)
            with counted(engine) as sent:
                before = town.instance.database.plain.asked
                now = town.instance.clock.now()
                shown = await pages.thread_page(session, viewer, opener.id, now)
        asked = town.instance.database.plain.asked - before
        return len(sent) + asked, len(list(pages.walk(shown.branches)))

    few, many = await grown(3), await grown(300)
    for viewer in (VISITOR, Viewer(town.dee)):
        (small, three), (large, hundreds) = await cost(few, viewer), await cost(many, viewer)
        assert (three, hundreds) == (3, 300)
        assert 0 < small == large <= 6


async def _answer(town: Town, opener: Post, count: int, branches: int) -> None:
    """Rows like those that `reply` leaves; each `branches`th answers the opener."""
    head = 0
    async with town.instance.transaction() as tx:
        for number in range(count):
            identifier = tx.ids.next()
            is_head = number % branches == 0
            head = identifier if is_head else head
            tx.session.add(
                Post(
                    id=identifier, uri=f"urn:{identifier}", url="", kind="reply",
                    forum_id=opener.forum_id, author_id=(town.ana, town.dee)[number % 2].id,
                    thread_id=opener.id, branch_id=head,
                    parent_id=opener.id if is_head else head, source="x",
                    html=f"{number}", published=opener.published, arrived=opener.published,
                    bumped=opener.published,
                )
            )  # fmt: skip


@pytest.mark.parametrize("branches", [1, 7, 500])
async def test_the_pages_of_a_long_thread_lose_and_repeat_nothing(
    town: Town, branches: int
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    total = pages.REPLIES_A_PAGE + 150
    await _answer(town, opener, total, branches)
    seen: list[str] = []
    after: int | None = None
    for _ in range(40):
        shown = await town.page(opener, after=after)
        seen += [node.entry.post.html for node in pages.walk(shown.branches)]
        after = shown.next_after
        if after is None:
            break
    assert seen == [f"{number}" for number in range(total)]
