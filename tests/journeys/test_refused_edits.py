# SPDX-License-Identifier: Apache-2.0
"""What becomes of an edit that the home of a forum does not take."""

from sqlalchemy import select

from server import traffic
from server.posts import editing, steering
from server.posts.drafts import EditDraft
from storage.inbox import InboxRow, InboxState
from storage.posts import Post, PostRevision, PostState
from tests import makers
from tests.journeys.agency import Agency, until


async def settled(agency: Agency, activity: str) -> str:
    """How what was sent to an agency under this id ended there."""

    async def ended() -> str | None:
        question = select(InboxRow).where(InboxRow.activity_id == activity)
        async with agency.instance.reading() as session:
            row = (await session.execute(question)).scalars().one_or_none()
        return row.state if row is not None and row.state != InboxState.WAITING else None

    return await until(activity, ended)


async def hold(agency: Agency, other: Agency, *, held: bool) -> None:
    """An agency sends the other nothing, or again."""
    async with agency.instance.transaction() as tx:
        await (traffic.pause if held else traffic.resume)(tx, None, other.host)
    agency.instance.wake()


async def test_an_edit_that_the_home_refuses_is_put_back_and_kept_for_its_author(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")
    opener = await makers.thread(lakeside.instance, lakeside.admin, forum, "How long?")
    ana = await makers.member(riverton.instance, "ana")
    await riverton.follow(ana, forum.uri)
    here = await riverton.sees(opener.uri)
    said = await makers.reply(riverton.instance, ana, here, "We measure in days.")
    await riverton.sees(said.uri, state=PostState.LIVE)

    async def edit(words: str) -> Post:
        riverton.clock.turn(minutes=2)
        lakeside.clock.turn(minutes=2)
        async with riverton.instance.transaction() as tx:
            return await editing.edit(tx, ana, said, EditDraft("", words))

    await edit("We measure in working days.")
    taken = await lakeside.sees(said.uri, source="We measure in working days.")
    # Riverton hears late that the thread is closed, so that its people go on changing things.
    await hold(lakeside, riverton, held=True)
    async with lakeside.instance.transaction() as tx:
        await steering.lock(tx, lakeside.admin, opener, locked=True)
    for revision, words in ((2, "In calendar days."), (3, "In hours.")):
        await edit(words)
        ended = await settled(lakeside, f"{ana.uri}#update-{said.id}-{revision}")
        assert ended == InboxState.REFUSED
    assert (await riverton.sees(said.uri)).source == "In hours."
    await hold(lakeside, riverton, held=False)
    back = await riverton.sees(said.uri, source=taken.source, html=taken.html)
    assert (back.updated, back.revision) == (taken.updated, 3)
    async with riverton.instance.reading() as session:
        earlier = select(PostRevision.source).where(PostRevision.post_id == said.id)
        assert (await session.execute(earlier)).scalars().all() == ["We measure in days."]
    page = (await riverton.page(f"/p/{here.id}/{here.slug}", ana)).text
    assert 'data-status="edit-refused"' in page
    assert "its posts can no longer be changed." in page
    assert "In hours." in (await riverton.page("/me/drafts", ana)).text
    # Nobody else is told of it.
    assert "edit-refused" not in (await riverton.page(f"/p/{here.id}/{here.slug}")).text
    async with lakeside.instance.transaction() as tx:
        await steering.lock(tx, lakeside.admin, opener, locked=False)
    await riverton.sees(opener.uri, locked=False)
    await edit("In working hours.")
    await lakeside.sees(said.uri, source="In working hours.")
    assert (await riverton.sees(said.uri, source="In working hours.")).reason == ""
