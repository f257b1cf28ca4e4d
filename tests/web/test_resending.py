# SPDX-License-Identifier: Apache-2.0
"""What was typed survives: lost sessions, old forms, long texts, two clicks."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from server import text
from server.forums import pages as forum_pages
from server.instance import Instance
from server.posts import pages as post_pages
from server.viewers import Viewer
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.web.page import Page, words
from web.repeats import REMEMBERED, Turns

TYPED = {
    "title": "Queues: what <works>?",
    "source": "We tried **numbers**.\n\nThey & we waited.",
    "tags": "queues",
    "language": "en",
    "action": "post",
}


@pytest.fixture
async def forum(instance: Instance, admin: Member) -> Forum:
    """A forum of ours that visitors cannot see."""
    return await makers.forum(instance, admin, visibility="instance")


@pytest.fixture
async def thread(instance: Instance, admin: Member, forum: Forum) -> Post:
    """A thread to answer."""
    return await makers.thread(instance, admin, forum)


@pytest.fixture
async def ana(client: httpx.AsyncClient, instance: Instance, thread: Post) -> Member:
    """Ana, signed in; the thread is there before her."""
    assert thread.is_thread
    member = await makers.member(instance)
    await makers.sign_in(client, instance, member)
    return member


def once(response: httpx.Response) -> str:
    """The value by which a form is known when it comes again."""
    found = re.findall(r'name="once" value="([^"]+)"', response.text)
    assert len(found) == 1
    return str(found[0])


async def titles(instance: Instance, ana: Member, forum: Forum) -> list[str]:
    """The threads of the forum, the first first."""
    async with instance.reading() as session:
        page = await forum_pages.page(session, Viewer(ana), forum)
    return [line.post.title for line in page.threads][::-1]


async def reply_count(instance: Instance, ana: Member, thread: Post) -> int:
    async with instance.reading() as session:
        post, _ = await post_pages.locate(session, Viewer(ana), thread.id)
    return post.reply_count


async def test_who_was_signed_out_meanwhile_keeps_every_word(
    client: httpx.AsyncClient, instance: Instance, forum: Forum, thread: Post, ana: Member
) -> None:
    own = await makers.reply(instance, ana, thread)
    form = await client.get("/f/counters/new")
    token = re.findall(r'name="csrf" value="([^"]+)"', form.text)[-1]
    sent = TYPED | {"csrf": token, "once": once(form)}
    client.cookies.delete("guildhall_session")
    before = await titles(instance, ana, forum)
    for path in ("/f/counters/new", f"/p/{thread.id}/reply", f"/p/{own.id}/edit"):
        page = Page(await client.post(path, data=sent))
        assert page.status == 403, path
        assert "You were signed out meanwhile" in words(page.one(id="faults"))
        assert page.value("source") == TYPED["source"]
        assert page.value("title") == TYPED["title"]
        assert page.value("tags") == TYPED["tags"]
        assert page.one("main").find(".//form").get("action") == path  # type: ignore[union-attr]
        assert forum.title not in page.main

    # Pressing once more without signing in loses nothing either; signed in, it is two clicks.
    again = await makers.submit(client, "/f/counters/new", **TYPED, once=sent["once"])
    assert again.status_code == 403
    assert Page(again).value("source") == TYPED["source"]
    token = re.findall(r'name="csrf" value="([^"]+)"', again.text)[-1]
    await makers.sign_in(client, instance, ana)
    old = await client.post("/f/counters/new", data=TYPED | {"csrf": token})
    assert old.status_code == 403
    assert "press the button once more" in words(Page(old).one(id="faults"))
    assert Page(old).value("source") == TYPED["source"]
    assert await titles(instance, ana, forum) == before
    token = re.findall(r'name="csrf" value="([^"]+)"', old.text)[-1]
    fresh = TYPED | {"csrf": token, "once": once(old)}
    assert (await client.post("/f/counters/new", data=fresh)).status_code == 303
    assert await titles(instance, ana, forum) == [*before, TYPED["title"]]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ],
)
async def test_what_another_site_typed_is_not_shown_again(
    client: httpx.AsyncClient, thread: Post, ana: Member, headers: dict[str, str]
) -> None:
    assert ana.is_local
    sent = {"csrf": "guessed", "source": "Buy this", "action": "post"}
    for cookie in ("guildhall_session", "none"):
        answer = await client.post(f"/p/{thread.id}/reply", data=sent, headers=headers)
        assert answer.status_code == 403
        assert "Buy this" not in answer.text
        client.cookies.pop(cookie, None)


@pytest.mark.usefixtures("ana")
@pytest.mark.parametrize("action", ["post", "preview", "draft"])
async def test_a_text_that_is_too_long_is_kept_beside_the_reason(
    client: httpx.AsyncClient, thread: Post, action: str
) -> None:
    long = "ä" * 150_000
    for path in ("/f/counters/new", f"/p/{thread.id}/reply"):
        sent = TYPED | {"source": long, "action": action}
        page = Page(await makers.submit(client, path, **sent))
        assert page.status == 422
        assert page.value("source") == long
        said = f"Keep it under {text.MAX_SOURCE} characters: this has 150000."
        assert said in words(page.one(id="f-source-fault"))
    saved = await makers.submit(client, "/drafts", place=f"reply:{thread.id}", source=long)
    assert saved.status_code == 422


@pytest.mark.usefixtures("ana")
async def test_beyond_a_megabyte_nothing_can_be_kept(
    client: httpx.AsyncClient, thread: Post
) -> None:
    page = await makers.submit(client, f"/p/{thread.id}/reply", source="x" * (1 << 20))
    assert page.status_code == 413


async def test_two_clicks_post_once(
    client: httpx.AsyncClient,
    instance: Instance,
    clock: TurnableClock,
    forum: Forum,
    thread: Post,
    ana: Member,
) -> None:
    sent = TYPED | {"once": once(await client.get("/f/counters/new"))}
    answers = await asyncio.gather(
        *(makers.submit(client, "/f/counters/new", **sent) for _ in range(3))
    )
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert (await titles(instance, ana, forum)).count(TYPED["title"]) == 1

    path = f"/p/{thread.id}/reply"
    shown = [once(await client.get(p)) for p in (path, f"/p/{thread.id}")]
    assert len({*shown, sent["once"]}) == 3
    for value in (shown[0], shown[0], shown[1]):
        await makers.submit(client, path, source="Both.", action="post", once=value)
    assert await reply_count(instance, ana, thread) == 2
    clock.turn(hours=24)
    await makers.submit(client, path, source="Both.", action="post", once=shown[0])
    assert await reply_count(instance, ana, thread) == 3


async def test_another_text_from_the_same_form_is_neither_posted_nor_lost(
    client: httpx.AsyncClient, instance: Instance, forum: Forum, ana: Member
) -> None:
    sent = TYPED | {"once": once(await client.get("/f/counters/new"))}
    await makers.submit(client, "/f/counters/new", **sent)
    other = sent | {"title": "And queues on Mondays?"}
    answer = await makers.submit(client, "/f/counters/new", **other)
    assert answer.status_code == 422
    assert Page(answer).value("title") == other["title"]
    assert other["title"] not in await titles(instance, ana, forum)
    await makers.submit(client, "/f/counters/new", **other | {"once": once(answer)})
    assert other["title"] in await titles(instance, ana, forum)


@pytest.mark.usefixtures("ana")
async def test_a_late_autosave_brings_back_no_draft_of_what_was_posted(
    client: httpx.AsyncClient, thread: Post
) -> None:
    path = f"/p/{thread.id}/reply"
    place = f"reply:{thread.id}"
    await makers.submit(client, path, source="Both.", action="post")
    late = await makers.submit(client, "/drafts", place=place, source="Both.")
    assert late.status_code == 204
    assert Page(await client.get(path)).value("source") == ""
    await makers.submit(client, "/drafts", place=place, source="Both, and more.")
    assert Page(await client.get(path)).value("source") == "Both, and more."


def test_what_is_remembered_is_bounded_and_runs_out(clock: TurnableClock) -> None:
    turns, now = Turns(most=3), clock.now()
    first = turns.take(1, "a", now)
    assert turns.take(1, "a", now + REMEMBERED - timedelta(seconds=1)) is first
    assert turns.take(2, "a", now) is not first
    assert turns.find(1, "a", now + REMEMBERED) is None
    for number in range(3):
        turns.take(1, f"b{number}", now)
    assert turns.find(1, "a", now) is None
    assert turns.take(1, "", now) is not turns.take(1, "", now)
    assert turns.take(1, "x" * 65, now) is not turns.take(1, "x" * 65, now)
