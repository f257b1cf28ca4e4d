# SPDX-License-Identifier: Apache-2.0
"""Writing: posting, previews, drafts, edits, and refusals."""

from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from server.instance import Instance
from server.posts import steering
from storage.members import Member
from storage.notifications import Notification
from storage.posts import Post
from tests import makers
from tests.web.page import Page, words

# As long as choices may be, in signs that take the most room.
CHOICES = "\n".join(str(n) + "\U0001f5f3" * 97 + '"\\' for n in range(8))


@pytest.fixture
async def thread(instance: Instance, admin: Member) -> Post:
    """A thread in a public forum of ours."""
    return await makers.thread(instance, admin, await makers.forum(instance, admin))


@pytest.fixture
async def ana(client: httpx.AsyncClient, instance: Instance, thread: Post) -> Member:
    """Ana, signed in, once there is something to answer."""
    member = await makers.member(instance)
    assert thread.is_thread
    await makers.sign_in(client, instance, member)
    return member


@pytest.mark.usefixtures("ana")
async def test_a_thread_is_posted_with_its_tags(client: httpx.AsyncClient) -> None:
    done = await makers.submit(
        client,
        "/f/counters/new",
        title="Queues: what works?",
        source="We tried **numbers**.",
        tags="queues, counters",
        language="en",
        action="post",
    )
    assert done.status_code == 303
    assert done.headers["location"].endswith("/queues-what-works")
    page = Page(await client.get(done.headers["location"]))
    assert words(page.one("h1")) == "Queues: what works?"
    assert page.one("strong").text == "numbers"
    assert "counters" in page.main
    assert words(page.one(class_="said")) == "Your thread is posted."


@pytest.mark.usefixtures("ana")
async def test_a_thread_that_needs_another_look_keeps_what_was_typed(
    client: httpx.AsyncClient,
) -> None:
    typed = {"tags": "a/b", "source": "Line one\n\n<b>Line two</b>", "title": ""}
    page = Page(await makers.submit(client, "/f/counters/new", **typed, action="post"))
    assert page.status == 422
    assert page.value("source") == typed["source"]
    assert page.value("tags") == "a/b"
    links = [link.get("href") for link in page.one(id="faults").iter("a")]
    assert links == ["#f-title", "#f-tags"]


async def test_a_preview_posts_nothing(
    client: httpx.AsyncClient, thread: Post, ana: Member
) -> None:
    assert ana.is_local
    path = f"/p/{thread.id}/reply"
    page = Page(await makers.submit(client, path, source="So **bold**", action="preview"))
    assert page.status == 200
    assert words(page.one(id="preview")).endswith("So bold")
    assert page.value("source") == "So **bold**"
    assert "No replies yet" in Page(await client.get(f"/p/{thread.id}")).main

    piece = await makers.submit(client, "/preview", source="<script>x</script> *yes*")
    assert piece.status_code == 200
    assert "<script" not in piece.text
    assert "<em>yes</em>" in piece.text
    assert (await makers.submit(client, "/preview", source=" ")).status_code == 422


async def test_a_draft_survives_and_goes_when_it_is_posted(
    client: httpx.AsyncClient, thread: Post, ana: Member
) -> None:
    assert ana.is_local
    place = f"reply:{thread.id}"
    saved = await makers.submit(client, "/drafts", place=place, source="Half a thou")
    assert saved.status_code == 204
    assert Page(await client.get(f"/p/{thread.id}/reply")).value("source") == "Half a thou"
    assert Page(await client.get(f"/p/{thread.id}")).value("source") == "Half a thou"
    listed = Page(await client.get("/me/drafts"))
    assert "Reply in How do you measure permit time?" in listed.main
    assert f"/p/{thread.id}/reply" in [link.get("href") for link in listed.all("a")]

    path = f"/p/{thread.id}/reply"
    await makers.submit(client, path, source="Half a thought more", action="draft")
    assert Page(await client.get(path)).value("source") == "Half a thought more"
    done = await makers.submit(client, path, source="A whole thought", action="post")
    assert done.status_code == 303
    assert Page(await client.get(path)).value("source") == ""
    assert "Nothing is waiting" in Page(await client.get("/me/drafts")).main


async def test_drafts_of_threads_and_edits_are_listed_and_thrown_away(
    client: httpx.AsyncClient, instance: Instance, thread: Post, ana: Member
) -> None:
    answer = await makers.reply(instance, ana, thread)
    path = "/f/counters/new"
    half = {"title": "Half a title", "tags": "a", "poll_options": CHOICES, "poll_hidden": "yes"}
    await makers.submit(client, path, **half, source="", action="draft")
    for _ in range(2):
        page = Page(await client.get(path))
        assert (page.value("title"), page.value("tags")) == ("Half a title", "a")
        assert page.value("poll_options") == CHOICES
        assert page.one(id="f-poll_hidden").get("checked") is not None
        await makers.submit(client, "/drafts", **half, place=f"forum:{thread.forum_id}")
    await makers.submit(client, f"/p/{answer.id}/edit", source="Better", action="draft")
    assert Page(await client.get(f"/p/{answer.id}/edit")).value("source") == "Better"

    listed = Page(await client.get("/me/drafts"))
    assert "Half a title (in Service counters)" in listed.main
    assert "Changes to How do you measure permit time?" in listed.main
    await makers.submit(client, "/me/drafts", place=f"edit:{answer.id}", action="drop")
    assert "Changes to" not in Page(await client.get("/me/drafts")).main
    odd = await makers.submit(client, "/drafts", place="elsewhere:1", source="x")
    assert odd.status_code == 422


async def test_a_reply_leads_back_to_where_its_author_came_from(
    client: httpx.AsyncClient, instance: Instance, thread: Post, ana: Member
) -> None:
    first = await makers.reply(instance, ana, thread)
    await makers.submit(client, f"/p/{first.id}/reply", source="Alone", action="post")
    done = await makers.submit(
        client, f"/p/{first.id}/reply", source="Here", on=str(thread.id), action="post"
    )
    path, _, anchor = done.headers["location"].partition("#")
    assert path == f"/p/{thread.id}"
    assert "Here" in words(Page(await client.get(path)).article(int(anchor.removeprefix("p-"))))
    alone = await makers.submit(client, f"/p/{first.id}/reply", source="Again", action="post")
    path, _, anchor = alone.headers["location"].partition("#")
    assert path == f"/p/{first.id}"
    assert "Again" in words(Page(await client.get(path)).article(int(anchor.removeprefix("p-"))))


async def test_a_reply_at_the_end_of_a_long_thread_shows_where_it_leads(
    client: httpx.AsyncClient, instance: Instance, thread: Post, ana: Member
) -> None:
    for number in range(41):
        await makers.reply(instance, ana, thread, f"Tip {number}")
    instance.clock.turn(minutes=2)  # type: ignore[attr-defined]
    done = await makers.submit(client, f"/p/{thread.id}/reply", source="The last", action="post")
    path, _, anchor = done.headers["location"].partition("#")
    article = Page(await client.get(path)).article(int(anchor.removeprefix("p-")))
    assert "The last" in words(article)


async def test_a_quotation_is_written_ahead(
    client: httpx.AsyncClient, thread: Post, ana: Member
) -> None:
    assert ana.is_local
    page = Page(await client.get(f"/p/{thread.id}/reply?quote=1"))
    assert page.value("source").startswith("> **Sam Hale** wrote:\n>\n> From filing")


async def test_what_a_closed_thread_refuses_is_kept(
    client: httpx.AsyncClient, instance: Instance, admin: Member, thread: Post, ana: Member
) -> None:
    answer = await makers.reply(instance, ana, thread)
    async with instance.transaction() as tx:
        await steering.lock(tx, admin, thread, locked=True)
    page = Page(
        await makers.submit(client, f"/p/{thread.id}/reply", source="Too late?", action="post")
    )
    assert page.status == 409
    assert page.value("source") == "Too late?"
    assert "closed to new replies" in words(page.one(id="faults"))
    assert (await client.get(f"/p/{thread.id}/reply")).status_code == 409
    assert (await client.get(f"/p/{answer.id}/edit")).status_code == 409
    refused = await makers.submit(client, f"/p/{answer.id}/edit", source="New", action="save")
    assert refused.status_code == 409


@pytest.mark.usefixtures("ana")
async def test_who_posts_too_fast_keeps_what_was_typed(
    client: httpx.AsyncClient, thread: Post
) -> None:
    answers = [
        await makers.submit(client, f"/p/{thread.id}/reply", source=f"No {n}", action="post")
        for n in range(11)
    ]
    assert [answer.status_code for answer in answers] == [303] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert Page(answers[-1]).value("source") == "No 10"


async def test_an_edit_keeps_what_the_post_said_before(
    client: httpx.AsyncClient, instance: Instance, admin: Member, thread: Post
) -> None:
    await makers.sign_in(client, instance, admin)
    form = Page(await client.get(f"/p/{thread.id}/edit"))
    assert form.value("title") == "How do you measure permit time?"
    same = {"title": form.value("title"), "source": form.value("source"), "tags": ""}
    await makers.submit(client, f"/p/{thread.id}/edit", **same, action="save")
    page = Page(await client.get(f"/p/{thread.id}"))
    assert words(page.one(class_="said")) == "Nothing was changed."
    assert "edited" not in words(page.article(thread.id))

    new = {"title": "How do you count?", "source": "From filing, or from **receipt**?"}
    done = await makers.submit(client, f"/p/{thread.id}/edit", **new, tags="x", action="save")
    assert done.status_code == 303
    page = Page(await client.get(f"/p/{thread.id}"))
    assert words(page.one("h1")) == "How do you count?"
    assert "edited" in words(page.article(thread.id))
    history = Page(await client.get(f"/p/{thread.id}/history"))
    assert [words(e) for e in history.all("del")] == [
        "removed: How do you measure permit time?",
        "completeness",
    ]
    assert [words(e) for e in history.all("ins")] == ["added: How do you count?", "receipt"]


async def test_ACL_08_nobody_edits_or_deletes_the_post_of_another(
    client: httpx.AsyncClient, thread: Post, ana: Member
) -> None:
    assert ana.is_local
    for page in ("edit", "delete"):
        assert (await client.get(f"/p/{thread.id}/{page}")).status_code == 403
        sent = await makers.submit(client, f"/p/{thread.id}/{page}", title="x", source="x")
        assert sent.status_code == 403
    assert "completeness" in Page(await client.get(f"/p/{thread.id}")).main


async def test_ACL_08_drafts_and_notices_of_another_are_out_of_reach(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, thread: Post, ana: Member
) -> None:
    """Whatever number or place is named: it is looked for among one's own."""
    place = f"reply:{thread.id}"
    await makers.submit(client, "/drafts", place=place, title="", source="half a thought", tags="")
    dee = await makers.member(instance, "dee")
    await makers.reply(instance, dee, thread, "A word for @ana")
    async with instance.reading() as session:
        notices = list((await session.execute(select(Notification))).scalars())
    assert {notice.member_id for notice in notices} >= {ana.id}
    async with makers.browser(app) as other:
        await makers.sign_in(other, instance, dee)
        for path in (f"/p/{thread.id}/reply", "/me/drafts", f"/p/{thread.id}", "/notifications"):
            assert "half a thought" not in (await other.get(path)).text
        await makers.submit(other, "/me/drafts", place=place)
        await makers.submit(other, "/drafts", place=place, title="", source="mine", tags="")
        for notice in notices:
            await makers.submit(other, "/notifications", notice=str(notice.id))
    assert "half a thought" in (await client.get("/me/drafts")).text
    async with instance.reading() as session:
        mine = select(Notification.read).where(Notification.member_id == ana.id)
        assert not any((await session.execute(mine)).scalars())


async def test_a_visitor_is_asked_to_sign_in_first(
    app: Starlette, client: httpx.AsyncClient, thread: Post
) -> None:
    for path in ("/f/counters/new", f"/p/{thread.id}/reply", f"/p/{thread.id}/edit", "/me/drafts"):
        answer = await client.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"] == f"/sign-in?next={quote(path, safe='')}"
    async with makers.browser(app) as visitor:
        await visitor.get("/sign-in")
        for path in (f"/p/{thread.id}/reply", f"/p/{thread.id}/endorse", "/drafts", "/preview"):
            answer = await makers.submit(visitor, path, source="x", place="forum:1", action="post")
            assert answer.status_code == 403, path
        page = Page(await visitor.get(f"/p/{thread.id}"))
        assert page.all("textarea") == []
        assert "Sign in to reply or endorse" in page.main


async def test_a_reply_to_another_agency_says_that_it_is_sent(
    client: httpx.AsyncClient, instance: Instance, ana: Member
) -> None:
    permits = await makers.forum_elsewhere(instance)
    asked = await makers.thread(instance, await makers.person_elsewhere(instance), permits)
    assert ana.is_local
    done = await makers.submit(client, f"/p/{asked.id}/reply", source="Both.", action="post")
    page = Page(await client.get(done.headers["location"].partition("#")[0]))
    assert "Sent to the forum’s agency" in words(page.one(class_="said"))
    assert page.one(data_status="sent") is not None
