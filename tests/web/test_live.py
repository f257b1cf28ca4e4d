# SPDX-License-Identifier: Apache-2.0
"""Open pages hear of replies, and of nothing they may not see."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request

from server.instance import Instance
from server.members import sign_in
from server.posts import editing, receipts
from storage.forums import Forum, Visibility
from storage.members import Member, MemberState
from storage.posts import Post
from tests import makers
from tests.web.listening import ADDRESS, Listener, names
from web.hub import MOST_EACH, Hub
from web.live import is_behind

Open = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def ana(instance: Instance, admin: Member) -> Member:
    """Ana Ruiz, who writes."""
    assert admin.is_admin
    return await makers.member(instance)


@pytest.fixture
async def thread(instance: Instance, admin: Member) -> Post:
    """A thread in a public forum."""
    return await makers.thread(instance, admin, await makers.forum(instance, admin))


@pytest.fixture
async def listen(app: Starlette) -> AsyncIterator[Open]:
    """Opens the stream of a post's page; with the token of a session, as that member."""
    opened: list[Listener] = []

    async def listening(
        post: Post | int,
        token: str = "",
        *,
        query: str = "",
        last: str = "",
        method: str = "GET",
        address: str = ADDRESS,
    ) -> Listener:
        headers = {"cookie": f"guildhall_session={token}"} if token else {}
        headers |= {"last-event-id": last} if last else {}
        number = post if isinstance(post, int) else post.id
        listener = Listener(app, f"/p/{number}/events{query}", headers, address, method)
        opened.append(listener)
        return await listener.open()

    yield listening
    for listener in opened:
        await listener.leave()
    await app.state.live.stop()
    assert len(app.state.live) == 0


async def session_of(instance: Instance, member: Member) -> str:
    async with instance.transaction() as tx:
        return await sign_in.open_session(tx, member)


async def test_every_open_page_of_a_thread_hears_of_a_reply_and_no_other(
    instance: Instance, ana: Member, thread: Post, admin: Member, listen: Open
) -> None:
    other = await makers.thread(instance, admin, await makers.forum(instance, admin, "desks"))
    token = await session_of(instance, admin)
    pages = [await listen(thread), await listen(thread), await listen(thread, token)]
    elsewhere = await listen(other)
    assert pages[0].status == 200
    assert pages[0].answered["content-type"] == "text/event-stream"
    assert pages[0].answered["cache-control"] == "no-store"
    assert pages[0].text.startswith("retry: ")
    first = await makers.reply(instance, ana, thread)
    for page in pages:
        assert await page.hears() == [{"replies": 1, "newest": str(first.id)}]
        assert names(page.text) == ["0-0", "1-0"]
    second = await makers.reply(instance, ana, first)
    for page in pages:
        assert (await page.hears(2))[1:] == [{"replies": 2, "newest": str(second.id)}]
    await makers.reply(instance, ana, other)
    assert len(await elsewhere.hears()) == 1
    assert [len(await page.hears(2)) for page in pages] == [2, 2, 2]


async def test_a_reply_from_another_agency_is_told_and_one_on_its_way_to_members_only(
    instance: Instance, ana: Member, listen: Open
) -> None:
    permits = await makers.forum_elsewhere(instance)
    marek = await makers.person_elsewhere(instance)
    thread = await makers.thread(instance, marek, permits)
    visitor = await listen(thread)
    member = await listen(thread, await session_of(instance, ana))
    mine = await makers.reply(instance, ana, thread)
    assert await member.hears() == [{"replies": 1, "newest": str(mine.id)}]
    theirs = await makers.reply(instance, marek, thread)
    assert (await member.hears(2))[1:] == [{"replies": 2, "newest": str(theirs.id)}]
    # The visitor was not even told that there is something they may not see.
    assert await visitor.hears() == [{"replies": 1, "newest": str(theirs.id)}]
    async with instance.transaction() as tx:
        await receipts.confirm(tx, await tx.session.get_one(Post, mine.id))
    instance.wake()
    assert (await visitor.hears(2))[1:] == [{"replies": 2, "newest": str(theirs.id)}]
    assert len(await member.hears(2)) == 2


async def test_a_closed_room_is_not_heard_by_visitors(
    instance: Instance, ana: Member, admin: Member, listen: Open
) -> None:
    staff = await makers.forum(instance, admin, "staff", visibility="instance")
    thread = await makers.thread(instance, admin, staff)
    hidden, missing = await listen(thread), await listen(thread.id + 1)
    assert (hidden.status, missing.status) == (404, 404)
    assert hidden.text.replace(str(thread.id), "") == missing.text.replace(str(thread.id + 1), "")
    page = await listen(thread, await session_of(instance, ana))
    await makers.reply(instance, admin, thread)
    assert len(await page.hears()) == 1


async def test_a_stream_ends_when_its_room_is_closed(
    instance: Instance, ana: Member, admin: Member, thread: Post, listen: Open
) -> None:
    visitor, member = await listen(thread), await listen(thread, await session_of(instance, ana))
    async with instance.transaction() as tx:
        forum = await tx.session.get_one(Forum, thread.forum_id)
        forum.visibility = Visibility.INSTANCE
    await makers.reply(instance, admin, thread)
    assert await visitor.is_ended() == []
    assert len(await member.hears()) == 1
    async with instance.transaction() as tx:
        forum = await tx.session.get_one(Forum, thread.forum_id)
        forum.visibility = Visibility.MEMBERS
    await makers.reply(instance, admin, thread)
    assert len(await member.is_ended()) == 1


@pytest.mark.parametrize("how", ["signed out", "suspended"])
@pytest.mark.parametrize("when", ["before a reply", "while all is quiet"])
async def test_a_stream_ends_with_its_session(
    app: Starlette,
    instance: Instance,
    ana: Member,
    thread: Post,
    admin: Member,
    how: str,
    when: str,
) -> None:
    quiet = when == "while all is quiet"
    app.state.live = Hub(instance, beat=0.1 if quiet else 1_000)
    token = await session_of(instance, ana)
    cookie = {"cookie": f"guildhall_session={token}"}
    page = await Listener(app, f"/p/{thread.id}/events", cookie).open()
    visitor = await Listener(app, f"/p/{thread.id}/events").open()
    async with instance.transaction() as tx:
        if how == "signed out":
            await sign_in.sign_out(tx, token)
        else:
            (await tx.session.get_one(Member, ana.id)).state = MemberState.SUSPENDED
    if not quiet:
        await makers.reply(instance, admin, thread)
        assert len(await visitor.hears()) == 1
    assert await page.is_ended() == []
    assert not visitor.ended
    if quiet:
        await visitor.until(lambda: ": still here" in visitor.text)
    await visitor.leave()
    await app.state.live.stop()


async def test_a_stream_ends_with_its_thread(
    instance: Instance, admin: Member, thread: Post, listen: Open
) -> None:
    page = await listen(thread)
    async with instance.transaction() as tx:
        await editing.remove(tx, admin, await tx.session.get_one(Post, thread.id), "")
    assert await page.is_ended() == []
    assert (await listen(thread)).status == 410


async def test_who_comes_back_is_told_at_once_what_they_missed(
    instance: Instance, ana: Member, thread: Post, admin: Member, listen: Open
) -> None:
    page = await listen(thread)
    await page.leave()
    reply = await makers.reply(instance, ana, thread)
    again = await listen(thread, last=names(page.text)[-1])
    assert await again.hears() == [{"replies": 1, "newest": str(reply.id)}]
    name = names(again.text)[-1]
    current = await listen(thread, last=name)
    shown = await listen(thread, query="?replies=1")
    stale = await listen(thread, query="?replies=0")
    assert len(await stale.hears()) == 1
    async with instance.transaction() as tx:
        await editing.remove(tx, ana, await tx.session.get_one(Post, reply.id), "")
    third = await makers.reply(instance, ana, thread)
    for page in (current, shown):
        await page.until(lambda p=page: names(p.text)[-1] == "1-1")
        assert (await page.hears())[-1] == {"replies": 1, "newest": str(third.id)}
    # As many as before, and yet not the same.
    assert len(await (await listen(thread, last=name)).hears()) == 1


@given(last=st.text(st.characters(max_codepoint=255)), shown=st.text())
def test_only_a_name_of_ours_says_what_a_page_shows(last: str, shown: str) -> None:
    query = str(httpx.QueryParams({"replies": shown})).encode()
    headers = [(b"last-event-id", last.encode("latin-1"))]
    request = Request({"type": "http", "headers": headers, "query_string": query})
    if is_behind(request, 3, "3-1"):
        assert all(c in "0123456789-" for c in last) or all(c in "0123456789" for c in shown)


async def test_nothing_is_lost_between_the_first_look_and_the_first_event(
    instance: Instance, ana: Member, admin: Member, thread: Post, listen: Open
) -> None:
    for number in range(1, 9):
        writer = ana if number % 2 else admin
        page, _ = await asyncio.gather(listen(thread), makers.reply(instance, writer, thread))
        await page.until(lambda n=number, p=page: names(p.text)[-1] == f"{n}-0")


async def test_one_reader_has_so_many_streams_and_the_process_too(
    app: Starlette, instance: Instance, thread: Post, ana: Member, listen: Open
) -> None:
    pages = [await listen(thread) for _ in range(MOST_EACH)]
    refused = await listen(thread)
    assert (refused.status, refused.answered["retry-after"]) == (429, "60")
    token = await session_of(instance, ana)
    assert (await listen(thread, token)).status == 200
    assert (await listen(thread, address="198.51.100.7")).status == 200
    await pages.pop().leave()
    assert (await listen(thread)).status == 200
    await app.state.live.stop()
    app.state.live = Hub(instance, most=2)
    for status in (200, 200, 503):
        page = await listen(thread)
        assert page.status == status
    assert page.answered["retry-after"] == "60"
    app.state.live.close()
    assert (await listen(thread)).status == 503


async def test_a_reader_who_takes_nothing_is_let_go(
    app: Starlette, instance: Instance, thread: Post
) -> None:
    class Stuck(Listener):
        async def _send(self, message: MutableMapping[str, Any]) -> None:
            if message.get("body") and self.text:
                await asyncio.Event().wait()
            await super()._send(message)

    app.state.live = Hub(instance, beat=0.1)
    stuck = await Stuck(app, f"/p/{thread.id}/events").open()
    await stuck.over()
    assert len(app.state.live) == 0
    assert "still here" not in stuck.text


async def test_a_stream_that_opens_while_the_server_stops_is_ended(
    app: Starlette, thread: Post
) -> None:
    class Late(Listener):
        async def _send(self, message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.app.state.live.close()
            await super()._send(message)

    late = await Late(app, f"/p/{thread.id}/events").open()
    assert await late.is_ended() == []
    assert (late.status, len(app.state.live)) == (200, 0)


async def test_a_thread_called_events_has_its_page(
    client: httpx.AsyncClient, instance: Instance, admin: Member, listen: Open
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin), "Events")
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = await client.get(f"/p/{thread.id}/events", headers=accept)
    assert page.headers["content-type"].startswith("text/html")
    assert f'data-events="/p/{thread.id}/events" data-replies="0"' in page.text
    answer = await listen(thread, method="HEAD")
    assert (answer.status, answer.ended) == (200, True)
    assert (await listen(1 << 70)).status == 404
