# SPDX-License-Identifier: Apache-2.0
"""Who is told of what, and how often."""

import pytest

from server import endorsements, notifications
from server.forums import deeds
from server.instance import Instance
from server.posts import editing, reading
from server.posts.drafts import EditDraft
from storage.forums import Visibility
from storage.members import Member
from tests import databases, makers
from tests.server.town import Town, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def told(town: Town, member: Member) -> list[tuple[str, str]]:
    """(kind, who did it), the latest first; the badge must agree while all is unread."""
    async with town.instance.reading() as session:
        lines = await notifications.page(session, member)
        unread = await notifications.unread_count(session, member)
    assert unread == sum(line.notice.read is None for line in lines)
    return [(line.notice.kind, line.actor.handle) for line in lines]


async def test_whoever_asked_or_was_answered_is_told_once(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    first = await makers.reply(town.instance, town.dee, opener)
    assert await told(town, town.ana) == [("reply", "dee")]
    await makers.reply(town.instance, town.sam, first)
    assert await told(town, town.ana) == [("thread_reply", "sam"), ("reply", "dee")]
    assert await told(town, town.dee) == [("reply", "sam")]
    await makers.reply(town.instance, town.ana, opener, "to myself")
    assert len(await told(town, town.ana)) == 2


async def test_whoever_is_named_is_told_and_answered_people_not_twice(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum, "T", "What says @dee?")
    assert await told(town, town.dee) == [("mention", "ana")]
    reply = await makers.reply(town.instance, town.dee, opener, "@ana and @sam: yes.")
    assert await told(town, town.ana) == [("reply", "dee")]
    assert await told(town, town.sam) == [("mention", "dee")]
    async with town.instance.transaction() as tx:
        await editing.edit(tx, town.dee, reply, EditDraft("", "@ana and @sam: no."))
    assert await told(town, town.ana) == [("reply", "dee")]
    assert await told(town, town.sam) == [("mention", "dee")]


async def test_a_name_added_later_is_told_then(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    async with town.instance.transaction() as tx:
        await editing.edit(tx, town.ana, opener, EditDraft("T", "Now @dee too"))
    assert await told(town, town.dee) == [("mention", "ana")]


async def test_an_endorsement_is_told_and_forgotten_with_it(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    for deed in (endorsements.endorse, endorsements.withdraw, endorsements.endorse):
        async with town.instance.transaction() as tx:
            await deed(tx, town.dee, opener)
    assert await told(town, town.ana) == [("endorsement", "dee")]
    async with town.instance.transaction() as tx:
        await endorsements.withdraw(tx, town.dee, opener)
    assert await told(town, town.ana) == []


async def test_a_deleted_post_is_told_of_no_more(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    reply = await makers.reply(town.instance, town.dee, opener)
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.dee, reply)
    assert await told(town, town.ana) == []


async def test_nobody_is_told_of_what_they_may_not_read(town: Town) -> None:
    inner = await makers.forum(town.instance, town.sam, "inner", visibility=Visibility.MEMBERS)
    async with town.instance.transaction() as tx:
        await deeds.list_member(tx, town.sam, inner, "ana", listed=True)
    opener = await makers.thread(town.instance, town.ana, inner, "T", "Hear this, @dee")
    await makers.reply(town.instance, town.sam, opener)
    assert await told(town, town.dee) == []
    assert await told(town, town.ana) == [("reply", "sam")]
    async with town.instance.transaction() as tx:
        await deeds.list_member(tx, town.sam, inner, "ana", listed=False)
    assert await told(town, town.ana) == []


async def test_notices_are_read_one_by_one_all_at_once_or_with_the_thread(town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    other = await makers.thread(town.instance, town.ana, town.forum)
    for parent in (opener, opener, other, other):
        await makers.reply(town.instance, town.dee, parent)

    async def unread() -> int:
        async with town.instance.reading() as session:
            return await notifications.unread_count(session, town.ana)

    async with town.instance.reading() as session:
        lines = await notifications.page(session, town.ana)
        older = await notifications.page(session, town.ana, before=lines[1].notice.id)
    assert [line.notice.id for line in older] == [line.notice.id for line in lines[2:]]
    async with town.instance.transaction() as tx:
        await notifications.mark_read(tx, town.dee)
        await notifications.mark_read(tx, town.dee, lines[0].notice.id)
    assert await unread() == 4
    async with town.instance.transaction() as tx:
        await notifications.mark_read(tx, town.ana, lines[0].notice.id)
    assert await unread() == 3
    async with town.instance.transaction() as tx:
        await reading.mark_read(tx, town.ana, opener.id, town.instance.clock.now())
    assert await unread() == 1
    async with town.instance.transaction() as tx:
        await notifications.mark_read(tx, town.ana)
    assert await unread() == 0
