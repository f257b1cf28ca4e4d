# SPDX-License-Identifier: Apache-2.0
"""Reading a thread: its tree, its marks, what stands beside a post."""

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from server.posts import receipts, writing
from server.posts.writing import Missing
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.statements import counted
from tests.web.page import Page, words


async def test_replies_stand_under_what_they_answer(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    first = await makers.reply(instance, admin, thread, "First")
    second = await makers.reply(instance, admin, thread, "Second")
    under = await makers.reply(instance, admin, first, "Under the first")
    deeper = await makers.reply(instance, admin, under, "Deeper")
    page = Page(await client.get(f"/p/{thread.id}/{thread.slug}"))
    assert words(page.one("h1")) == "How do you measure permit time?"
    assert page.answers(first.id) == [under.id, deeper.id]
    assert page.answers(second.id) == []
    article = page.article(deeper.id)
    assert article.get("data-post") == deeper.uri
    assert article.get("data-state") == "live"
    assert article.get("data-author") == "sam"
    assert page.one("h2", id="replies-title").text == "4 replies"


async def test_what_is_too_deep_goes_on_at_a_page_of_its_own(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    chain = [thread]
    for level in range(11):
        chain.append(await makers.reply(instance, admin, chain[-1], f"Level {level + 1}"))
    page = Page(await client.get(f"/p/{thread.id}"))
    assert page.answers(chain[1].id) == [post.id for post in chain[2:9]]
    onward = page.one("a", class_="go-on")
    assert words(onward) == "Continue this branch (3 more replies)"
    branch = Page(await client.get(onward.get("href") or ""))
    assert branch.answers(chain[8].id) == [post.id for post in chain[9:]]
    assert branch.all("article", id=f"p-{chain[1].id}") == []


async def test_a_thread_takes_as_many_questions_however_many_replies_it_has(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    people = [await makers.member(instance, name) for name in ("ana", "dee", "kim")]
    parent = await makers.reply(instance, people[0], thread)
    await makers.sign_in(client, instance, admin)
    await client.get(f"/p/{thread.id}")
    plain = instance.database.plain
    before = plain.asked
    with counted() as few:
        await client.get(f"/p/{thread.id}")
    few_plain = plain.asked - before
    for person in people * 5:
        parent = await makers.reply(instance, person, parent)
        await makers.reply(instance, person, thread)
    await client.get(f"/p/{thread.id}")
    before = plain.asked
    with counted() as many:
        await client.get(f"/p/{thread.id}")
    assert len(few) == len(many)
    assert 0 < few_plain == plain.asked - before


async def test_what_came_since_the_last_visit_is_marked_once(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    await makers.reply(instance, admin, thread, "Old")
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, ana)
    assert Page(await client.get(f"/p/{thread.id}")).all("article", class_="unread") == []

    fresh = [await makers.reply(instance, admin, thread, f"New {n}") for n in range(3)]
    own = await makers.reply(instance, ana, thread, "My own")
    ahead = Page(await client.get(f"/p/{thread.id}", headers={"Sec-Purpose": "prefetch"}))
    assert len(ahead.all("article", class_="unread")) == 3

    page = Page(await client.get(f"/p/{thread.id}"))
    unread = [article.get("id") for article in page.all("article", class_="unread")]
    assert unread == [f"p-{post.id}" for post in fresh]
    assert "3 new since your last visit" in page.main
    onward = [link.get("href") for link in page.article(fresh[0].id).iter("a")]
    assert f"#p-{fresh[1].id}" in onward
    assert "unread" not in (page.article(own.id).get("class") or "")

    assert Page(await client.get(f"/p/{thread.id}")).all("article", class_="unread") == []
    async with makers.browser(app) as visitors:
        anyone = Page(await visitors.get(f"/p/{thread.id}"))
        assert anyone.all("article", class_="unread") == []


async def test_a_thread_with_many_branches_goes_on_and_is_read_at_its_end_only(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, ana)
    await client.get(f"/p/{thread.id}")
    replies = [await makers.reply(instance, admin, thread, f"Tip {n}") for n in range(42)]
    first = Page(await client.get(f"/p/{thread.id}"))
    assert len(first.all("article", class_="unread")) == 40
    second = Page(await client.get(first.one("a", rel="next").get("href") or ""))
    assert [a.get("id") for a in second.all("article", class_="unread")] == [
        f"p-{post.id}" for post in replies[40:]
    ]
    assert Page(await client.get(f"/p/{thread.id}")).all("article", class_="unread") == []


async def test_endorsing_shows_and_leads_back_to_the_post(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    answer = await makers.reply(instance, admin, thread)
    await makers.sign_in(client, instance, await makers.member(instance))
    for _ in range(2):
        done = await makers.submit(client, f"/p/{answer.id}/endorse", on=str(thread.id))
        assert done.headers["location"] == f"/p/{thread.id}#p-{answer.id}"
    page = Page(await client.get(f"/p/{thread.id}"))
    article = page.article(answer.id)
    assert [count.get("value") for count in article.iter("data")] == ["1"]
    button = next(b for b in article.iter("button") if b.get("aria-pressed"))
    assert button.get("aria-pressed") == "true"

    strange = await makers.submit(client, f"/p/{answer.id}/withdraw", on="//other.example")
    assert strange.headers["location"] == f"/p/{answer.id}#p-{answer.id}"
    article = Page(await client.get(f"/p/{thread.id}")).article(answer.id)
    assert [count.get("value") for count in article.iter("data")] == ["0"]


async def test_a_post_sent_elsewhere_says_how_far_it_came(
    client: httpx.AsyncClient, instance: Instance, admin: Member, clock: TurnableClock
) -> None:
    permits = await makers.forum_elsewhere(instance)
    marek = await makers.person_elsewhere(instance)
    thread = await makers.thread(instance, marek, permits)
    mine = await makers.reply(instance, admin, thread, "From here")
    await makers.sign_in(client, instance, admin)

    async def status() -> tuple[str | None, str]:
        article = Page(await client.get(f"/p/{thread.id}")).article(mine.id)
        shown = [e for e in article.iter() if e.get("data-status")]
        return (shown[0].get("data-status"), words(shown[0])) if shown else (None, "")

    kind, said = await status()
    assert (kind, "City of Lakeside" in said) == ("sent", True)
    clock.turn(hours=25)
    assert (await status())[0] == "unconfirmed"
    async with instance.transaction() as tx:
        await receipts.refuse(tx, await tx.session.get_one(Post, mine.id), "We are closed today.")
    kind, said = await status()
    assert (kind, "We are closed today." in said) == ("refused", True)
    async with instance.transaction() as tx:
        await receipts.confirm(tx, await tx.session.get_one(Post, mine.id))
    assert await status() == (None, "")


async def test_a_copy_says_where_it_lives_and_what_is_missing(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    permits = await makers.forum_elsewhere(instance)
    thread = await makers.thread(instance, await makers.person_elsewhere(instance), permits)
    for number in range(2):
        async with instance.transaction() as tx:
            uri = f"http://other.example/{number}"
            await writing.withhold(tx, Missing(uri, "other.example", permits.id, thread.id))
    assert admin.is_admin
    page = Page(await client.get(f"/p/{thread.id}"))
    assert "This thread lives at City of Lakeside" in page.main
    assert "2 replies from agencies not on our list" in page.main
    assert "Marek Nowak, permit manager · City of Lakeside" in words(page.article(thread.id))
    assert page.article(thread.id).get("data-author") == f"marek@{makers.LAKESIDE}"


async def test_stewards_close_and_pin_and_others_do_not(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    await makers.sign_in(client, instance, admin)
    async with makers.browser(app) as hers:
        await makers.sign_in(hers, instance, await makers.member(instance))
        for verb in ("lock", "pin"):
            assert (await makers.submit(hers, f"/p/{thread.id}/{verb}")).status_code == 403
            assert f"/{verb}" not in (await hers.get(f"/p/{thread.id}")).text
            assert (await makers.submit(client, f"/p/{thread.id}/{verb}")).status_code == 303
        page = Page(await hers.get(f"/p/{thread.id}"))
        tags = [words(tag) for tag in page.article(thread.id).iter("span") if tag.get("class")]
        assert {"Pinned", "Closed to new replies"} <= set(tags)
        assert page.all("textarea") == []
        for verb in ("unlock", "unpin"):
            await makers.submit(client, f"/p/{thread.id}/{verb}")
        assert Page(await hers.get(f"/p/{thread.id}")).one("textarea") is not None


async def test_a_deleted_post_leaves_a_note_and_no_words(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    ana = await makers.member(instance)
    answer = await makers.reply(instance, ana, thread, "Something regrettable")
    under = await makers.reply(instance, admin, answer, "An answer to it")
    await makers.sign_in(client, instance, admin)
    assert "Something regrettable" in Page(await client.get(f"/p/{answer.id}/delete")).main
    await makers.submit(client, f"/p/{answer.id}/delete", reason="Names a resident")
    page = Page(await client.get(f"/p/{thread.id}"))
    assert page.article(answer.id).get("data-state") == "deleted"
    assert "Names a resident" in words(page.article(answer.id))
    assert "regrettable" not in page.main
    assert page.answers(answer.id) == [under.id]
    assert (await client.get(f"/p/{answer.id}/history")).status_code == 404


async def test_a_deleted_thread_is_gone_from_its_forum_but_keeps_its_place(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    await makers.sign_in(client, instance, admin)
    done = await makers.submit(client, f"/p/{thread.id}/delete")
    assert done.headers["location"] == "/f/counters"
    assert thread.uri not in (await client.get("/f/counters")).text
    page = Page(await client.get(f"/p/{thread.id}"))
    assert page.article(thread.id).get("data-state") == "deleted"
    assert words(page.one("h1")) == "Deleted thread"
    assert page.one("meta", name="robots").get("content") == "noindex"


async def test_a_closed_room_is_not_found_by_visitors(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    staff = await makers.forum(instance, admin, "staff", title="Staff", visibility="instance")
    thread = await makers.thread(instance, admin, staff)
    await makers.sign_in(client, instance, admin)
    assert (await client.get(f"/p/{thread.id}")).status_code == 200
    async with makers.browser(app) as visitors:
        for page in ("", "/history", "/reply", "/edit", "/delete"):
            answer = await visitors.get(f"/p/{thread.id}{page}")
            assert answer.status_code == 404, page


@pytest.mark.parametrize("name", ["0", "1", "x", "-1", "9" * 19, "9" * 5000, "²", "1e3", "0x10"])
async def test_an_id_that_is_none_is_not_found(
    client: httpx.AsyncClient, admin: Member, name: str
) -> None:
    assert admin.is_admin
    assert (await client.get(f"/p/{name}")).status_code == 404


async def test_visitors_are_not_told_of_replies_that_wait_for_the_forums_home(
    instance: Instance, client: httpx.AsyncClient, admin: Member
) -> None:
    permits = await makers.forum_elsewhere(instance)
    await makers.follow(instance, admin, permits)
    marek = await makers.person_elsewhere(instance)
    opener = await makers.thread(instance, marek, permits)
    await makers.reply(instance, admin, opener, "On its way")
    seen = await client.get(f"/p/{opener.id}")
    assert "On its way" not in seen.text
    assert ">0 replies<" in seen.text
    assert 'data-replies="0"' in seen.text
    await makers.sign_in(client, instance, admin)
    seen = await client.get(f"/p/{opener.id}")
    assert "On its way" in seen.text
    assert ">1 reply<" in seen.text


async def test_a_thread_that_is_called_like_a_part_of_a_page_has_its_own_address(
    instance: Instance, client: httpx.AsyncClient, admin: Member
) -> None:
    forum = await makers.forum(instance, admin)
    for title in [
        "History",
        "Delete",
        "Edit",
        "Reply",
        "Context",
        "Likes",
        "Replies",
        "Events",
        "Check",
    ]:
        opener = await makers.thread(instance, admin, forum, title)
        seen = await client.get(f"/p/{opener.id}/{opener.slug}", headers={"Accept": "*/*"})
        assert seen.status_code == 200, title
        assert f'<article class="post opener" id="p-{opener.id}"' in seen.text, title
