# SPDX-License-Identifier: Apache-2.0
"""Forums: finding, following, founding and keeping them."""

import httpx
import pytest
from starlette.applications import Starlette

from server.forums import comparing, elsewhere, follows
from server.forums.comparing import Outcome
from server.instance import Instance
from storage.members import Member
from tests import makers
from tests.web.page import Page, words

PERMITS = f"/f/permits@{makers.LAKESIDE}"


async def test_the_index_goes_by_agency_ours_first(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.forum_elsewhere(instance, agency="Abbotsford")
    await makers.forum(instance, admin)
    page = Page(await client.get("/forums"))
    headings = [words(heading) for heading in page.one("main").iter("h2")]
    assert headings[:2] == ["City of Riverton", "Abbotsford"]


async def test_an_admin_founds_a_forum_and_follows_it(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.sign_in(client, instance, admin)
    answer = await makers.submit(
        client,
        "/forums/new",
        handle="permits",
        title="Permits & licensing",
        description="Ask **anything**.",
        visibility="public",
        language="en",
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/f/permits"
    page = Page(await client.get("/f/permits"))
    assert words(page.one("h1")) == "Permits & licensing"
    assert page.one("strong", **{}).text == "anything"
    assert page.one(data_follow="accepted").tag == "section"
    assert page.one(data_copy="home").tag == "p"


async def test_what_was_typed_is_kept_beside_what_is_wrong(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.sign_in(client, instance, admin)
    page = Page(
        await makers.submit(
            client, "/forums/new", handle="Über uns", title="", description="For all of us."
        )
    )
    assert page.status == 422
    assert page.value("handle") == "Über uns"
    assert page.value("description") == "For all of us."
    field = page.one("input", name="title")
    assert field.get("aria-invalid") == "true"
    described = (field.get("aria-describedby") or "").split()
    assert "Give the forum a title" in words(page.one(id=described[-1]))
    links = [link.get("href") for link in page.one(id="faults").iter("a")]
    assert links[:2] == ["#f-handle", "#f-title"]
    assert all(page.all(id=(link or "").removeprefix("#")) for link in links)


async def test_only_an_admin_may_found_a_forum(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    assert admin.is_admin
    await makers.sign_in(client, instance, await makers.member(instance))
    assert (await client.get("/forums/new")).status_code == 403
    answer = await makers.submit(client, "/forums/new", handle="mine", title="Mine")
    assert answer.status_code == 403
    assert "Open a forum" not in (await client.get("/forums")).text


async def test_following_and_leaving_a_forum_of_ours(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.forum(instance, admin)
    await makers.sign_in(client, instance, await makers.member(instance))
    assert Page(await client.get("/f/counters")).one(data_follow="none") is not None
    answer = await makers.submit(client, "/f/counters/follow")
    assert answer.headers["location"] == "/f/counters"
    page = Page(await client.get("/f/counters"))
    assert page.one(data_follow="accepted") is not None
    assert words(page.one(class_="said")) == "You follow this forum."
    await makers.submit(client, "/f/counters/leave")
    assert Page(await client.get("/f/counters")).one(data_follow="none") is not None


async def test_a_forum_of_another_agency_is_asked_and_then_filled(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    permits = await makers.forum_elsewhere(instance)
    ana = await makers.member(instance)
    assert admin.is_admin
    await makers.sign_in(client, instance, ana)
    assert "Nobody here follows it yet" in words(
        Page(await client.get(PERMITS)).one(data_copy="known")
    )

    await makers.submit(client, f"{PERMITS}/follow")
    page = Page(await client.get(PERMITS))
    assert page.one(data_follow="pending") is not None
    assert page.one(data_copy="waiting") is not None

    async with instance.transaction() as tx:
        await follows.confirmed(tx, ana, permits)
        await elsewhere.progress(tx, permits.id, 12, 40)
    page = Page(await client.get(PERMITS))
    assert page.one(data_follow="accepted") is not None
    assert "Copying earlier threads: 12 of 40" in words(page.one(data_copy="filling"))

    async with instance.transaction() as tx:
        await comparing.ended(tx, permits.id, None, "", Outcome(through=True))
    current = Page(await client.get(PERMITS)).one(data_copy="current")
    assert "City of Lakeside" in words(current)
    assert "Last checked with them just now" in words(current)

    await makers.submit(client, f"{PERMITS}/leave")
    assert Page(await client.get(PERMITS)).one("p", data_copy="stale") is not None


async def test_a_refused_request_to_follow_says_why(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    permits = await makers.forum_elsewhere(instance)
    await makers.sign_in(client, instance, admin)
    await makers.submit(client, f"{PERMITS}/follow")
    async with instance.transaction() as tx:
        await follows.declined(tx, admin, permits, "For counties only.")
    page = Page(await client.get(PERMITS))
    assert page.one(data_follow="rejected") is not None
    assert "For counties only." in page.main


async def test_a_form_without_its_token_changes_nothing(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.forum(instance, admin)
    await makers.sign_in(client, instance, admin)
    assert (await client.post("/f/counters/follow", data={"csrf": "x"})).status_code == 403
    elsewhere_sent = await client.post(
        "/f/counters/follow", data={"csrf": "x"}, headers={"Origin": "http://other.example"}
    )
    assert elsewhere_sent.status_code == 403
    assert Page(await client.get("/f/counters")).one(data_follow="none") is not None


async def test_a_closed_forum_shows_to_those_on_its_list_only(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.forum(instance, admin, "budget", title="Budget group", visibility="members")
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, admin)
    async with makers.browser(app) as hers:
        await makers.sign_in(hers, instance, ana)
        assert (await hers.get("/f/budget")).status_code == 404
        assert (await hers.get("/f/nothing")).status_code == 404
        assert "Budget group" not in (await hers.get("/forums")).text

        answer = await makers.submit(client, "/f/budget/people", handle="ana", action="list")
        assert answer.headers["location"] == "/f/budget/people"
        assert "Ana Ruiz" in Page(await client.get("/f/budget/people")).main
        assert (await hers.get("/f/budget")).status_code == 200
        assert (await hers.get("/f/budget/people")).status_code == 403

        await makers.submit(client, "/f/budget/people", handle="ana", action="unlist")
        assert (await hers.get("/f/budget")).status_code == 404


async def test_an_admin_names_a_steward_who_may_then_change_the_forum(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.forum(instance, admin)
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, admin)
    unknown = Page(
        await makers.submit(client, "/f/counters/people", steward="nobody", action="name")
    )
    assert unknown.status == 422
    assert unknown.value("steward") == "nobody"

    async with makers.browser(app) as hers:
        await makers.sign_in(hers, instance, ana)
        change = {"title": "At the counter", "description": "New.", "language": "en"}
        assert (await makers.submit(hers, "/f/counters/edit", **change)).status_code == 403
        await makers.submit(client, "/f/counters/people", steward="@ana", action="name")
        assert (await makers.submit(hers, "/f/counters/edit", **change)).status_code == 303
        page = Page(await hers.get("/f/counters"))
        assert words(page.one("h1")) == "At the counter"
        assert "Ana Ruiz" in words(page.one("aside"))
        refused = Page(await makers.submit(hers, "/f/counters/edit", title="", description="Kept"))
        assert refused.status == 422
        assert refused.value("description") == "Kept"


async def test_a_long_list_of_threads_goes_on_page_by_page_with_the_pinned_first(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    counters = await makers.forum(instance, admin)
    threads = [await makers.thread(instance, admin, counters, f"Matter {n}") for n in range(33)]
    await makers.sign_in(client, instance, admin)
    answer = await makers.submit(client, f"/p/{threads[0].id}/pin")
    assert answer.status_code == 303

    seen: list[str] = []
    path: str | None = "/f/counters"
    while path:
        page = Page(await client.get(path))
        seen += [line.get("data-thread", "") for line in page.all("li") if line.get("data-thread")]
        path = next((link.get("href") for link in page.all("a", rel="next")), None)
    assert seen == [thread.uri for thread in (threads[0], *reversed(threads[1:]))]


@pytest.mark.parametrize("where", ["nobody", "permits@nowhere.example", "@", "%00", "a@b@c"])
async def test_a_forum_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, admin: Member, where: str
) -> None:
    assert admin.is_admin
    assert (await client.get(f"/f/{where}")).status_code == 404
