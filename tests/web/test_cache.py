# SPDX-License-Identifier: Apache-2.0
"""Kept pages are what a fresh one would be, whoever changed what they show."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette

from server import endorsements
from server.forums import deeds, follows
from server.forums.deeds import ForumDraft
from server.freshness import Mark
from server.members import profile
from server.members.profile import ProfileDraft
from server.posts import editing, steering
from server.posts.drafts import EditDraft
from server.transaction import Transaction
from storage.forums import Forum, Visibility
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.town import Town
from tests.web.kept import cache_of, fresh, other, town
from web.app import create_app
from web.kept import Page, Pages

__all__ = ["other", "town"]
database_url = databases.database_url


Deed = Callable[[Transaction], Awaitable[object]]


@asynccontextmanager
async def told_apart(town: Town, client: httpx.AsyncClient, *paths: str) -> AsyncIterator[None]:
    """Each page is kept and named before; after what happens it is another, and is right."""
    before = {}
    for path in paths:
        before[path] = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": before[path].headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    yield
    for path in paths:
        names = {"If-None-Match": before[path].headers["etag"]}
        after, right = await client.get(path, headers=names), await fresh(town.instance, path)
        assert after.status_code == 200, path
        assert after.content == right.content, path
        assert after.content != before[path].content, path


async def test_whatever_another_process_does_is_on_the_next_page(
    town: Town, other: Town, client: httpx.AsyncClient
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum, tags=("permits",))
    reply = await makers.reply(town.instance, town.dee, opener, "a word that is taken back")
    page, forum = f"/p/{opener.id}", "/f/counters"

    async def changes(deed: Deed, *paths: str) -> None:
        async with told_apart(town, client, *paths), other.instance.transaction() as tx:
            await deed(tx)

    async with told_apart(town, client, page, forum, "/"):
        await makers.reply(other.instance, town.dee, opener, "another answer")
    await changes(
        lambda tx: editing.edit(tx, town.ana, opener, EditDraft("New title", "new", ("fees",))),
        page, forum, "/",
    )  # fmt: skip
    await changes(
        lambda tx: editing.edit(tx, town.dee, reply, EditDraft("", "said otherwise")), page
    )
    await changes(lambda tx: endorsements.endorse(tx, town.ana, reply), page)
    await changes(lambda tx: endorsements.withdraw(tx, town.ana, reply), page)
    await changes(lambda tx: steering.lock(tx, town.sam, opener, locked=True), page, forum, "/")
    await changes(lambda tx: steering.pin(tx, town.sam, opener, pinned=True), page, forum)
    named = ProfileDraft("Dee Okafor-Lind", "deputy clerk", "")
    await changes(lambda tx: profile.change(tx, town.dee, named), page)
    await changes(lambda tx: follows.follow(tx, town.ana, town.forum), page, forum)
    await changes(
        lambda tx: deeds.name_steward(tx, town.sam, town.forum, town.dee, named=True), forum
    )
    draft = ForumDraft("counters", "Desks", "Other words.", Visibility.PUBLIC)
    await changes(lambda tx: deeds.change(tx, town.sam, town.forum, draft), page, forum, "/")
    await changes(lambda tx: editing.remove(tx, town.dee, reply), page)
    assert "said otherwise" not in (await client.get(page)).text
    async with told_apart(town, client, "/"):
        inner = await makers.forum(other.instance, town.sam, "second", title="Second forum")
        await makers.thread(other.instance, town.ana, inner, "A thread elsewhere")
    assert "New title" in (await client.get("/")).text


async def test_a_forum_that_closes_is_gone_from_the_next_page_on(
    town: Town, other: Town, client: httpx.AsyncClient
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum, "For anybody to read")
    paths = (f"/p/{opener.id}", "/f/counters", "/")
    etags = {path: (await client.get(path)).headers["etag"] for path in paths}
    async with other.instance.transaction() as tx:
        closed = await tx.session.get_one(Forum, town.forum.id)
        closed.visibility = Visibility.INSTANCE
    for path in paths:
        answer = await client.get(path, headers={"If-None-Match": etags[path]})
        assert "For anybody" not in answer.text, path
        assert answer.status_code == (200 if path == "/" else 404), path
    async with makers.browser(create_app(town.instance, worker=False)) as ana:
        await makers.sign_in(ana, town.instance, town.ana)
        seen = await ana.get(paths[0])
        assert "For anybody" in seen.text
        assert seen.headers["cache-control"] == "private, no-store"
        assert "etag" not in seen.headers
    assert (await client.get(paths[0])).status_code == 404


async def test_what_does_not_show_leaves_a_page_as_it_is(
    app: Starlette, town: Town, other: Town, client: httpx.AsyncClient, clock: TurnableClock
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    page = await client.get(f"/p/{opener.id}")
    rendered = cache_of(app).rendered
    elsewhere_written = await makers.thread(other.instance, town.ana, town.forum, "Another")
    await makers.reply(other.instance, town.dee, elsewhere_written)
    await makers.person_elsewhere(other.instance)
    await makers.sign_in(client, other.instance, town.dee)
    client.cookies.clear()
    clock.turn(minutes=-2)
    again = await client.get(f"/p/{opener.id}")
    assert again.headers["etag"] == page.headers["etag"]
    assert cache_of(app).rendered == rendered


async def test_two_hours_ago_is_never_said_too_long(
    town: Town, client: httpx.AsyncClient, clock: TurnableClock
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    path = f"/p/{opener.id}"
    assert "just now" in (await client.get(path)).text
    for minutes in (0.5, 0.499, 0.001, 0.99, 0.01, 57, 1, 60 * 22, 60, 1440 * 5, 1440, 1440 * 60):
        clock.turn(minutes=minutes)
        assert (await client.get(path)).content == (await fresh(town.instance, path)).content


async def test_what_is_one_visitors_is_neither_kept_nor_given_to_another(
    app: Starlette, town: Town, client: httpx.AsyncClient
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    path = f"/p/{opener.id}"
    first = await client.get(path)
    assert "set-cookie" not in first.headers
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["vary"] == "Accept, Accept-Encoding, Cookie"
    assert "content-security-policy" in first.headers
    head = await client.head(path)
    assert (head.content, head.headers["etag"]) == (b"", first.headers["etag"])
    as_json = await client.get(path, headers={"Accept": "application/activity+json"})
    assert "text/html" not in as_json.headers["content-type"]
    client.cookies.set("guildhall_said", "left", domain="riverton.localhost", path="/")
    told = await client.get(path)
    assert 'class="said"' in told.text
    assert "etag" not in told.headers
    client.cookies.clear()
    assert (await client.get(path)).content == first.content
    assert (await client.get(f"{path}?x=1")).headers.get("etag") is None
    form = await client.get("/sign-in")
    assert "guildhall_form" in form.headers["set-cookie"]
    assert len(cache_of(app).pages.held) == 1


async def test_fifty_who_ask_at_once_have_a_page_rendered_once(
    app: Starlette, town: Town, client: httpx.AsyncClient
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    await client.get("/")
    rendered = cache_of(app).rendered
    asked = [client.get(path) for path in (f"/p/{opener.id}", "/f/counters") for _ in range(50)]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 2
    assert cache_of(app).rendered == rendered + 2
    missing = await asyncio.gather(*(client.get("/p/1") for _ in range(10)))
    assert {answer.status_code for answer in missing} == {404}


async def test_the_note_on_a_copy_moves_with_its_last_check(
    town: Town, other: Town, client: httpx.AsyncClient
) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    await makers.follow(town.instance, town.ana, permits)
    marek = await makers.person_elsewhere(town.instance)
    opener = await makers.thread(town.instance, marek, permits)
    path = f"/p/{opener.id}"
    before = await client.get(path)
    async with other.instance.transaction() as tx:
        (await tx.session.get_one(Forum, permits.id)).compared = tx.now
    after = await client.get(path)
    assert after.content == (await fresh(town.instance, path)).content
    assert "Last checked" in after.text
    assert "Last checked" not in before.text


def test_pages_take_no_more_room_than_they_are_given() -> None:
    pages = Pages(most=4_000)
    for number in range(10):
        pages.keep(("page", f"/p/{number}", b""), _page(500))
    assert [key[1] for key in pages.held] == ["/p/8", "/p/9"]
    pages.keep(("page", "/p/8", b""), _page(5_000))
    assert (pages.held, pages.size) == ({}, 0)


def _page(size: int) -> Page:
    return Page(Mark((), ()), datetime(2026, 1, 1, tzinfo=UTC), b"", [], b"x" * size)


async def test_a_page_asked_for_again_is_sent_packed_to_who_takes_that(town: Town) -> None:
    """And stays right: a page that has changed is packed anew, and is never an older one's."""
    opener = await makers.thread(town.instance, town.ana, town.forum, "Read by many")
    path = f"/p/{opener.id}"
    async with makers.browser(create_app(town.instance, worker=False)) as client:
        packed = {"Accept-Encoding": "br, gzip"}
        answers = [await client.get(path, headers=packed) for _ in range(3)]
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        refused = await client.get(path, headers={"Accept-Encoding": "br, gzip;q=0"})
        head = await client.head(path, headers=packed)
    assert [answer.headers.get("content-encoding") for answer in answers] == [None, "gzip", "gzip"]
    assert {answer.text for answer in (*answers, plain, refused)} == {plain.text}
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert int(answers[1].headers["content-length"]) < len(plain.content) / 2
    assert head.headers["content-length"] == answers[1].headers["content-length"]
    assert {answer.headers["etag"] for answer in (*answers, plain)} == {plain.headers["etag"]}
    assert "Accept-Encoding" in plain.headers["vary"]
