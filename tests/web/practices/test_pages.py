# SPDX-License-Identifier: Apache-2.0
"""The library's pages, as members and visitors read them."""

import json
import re
from typing import Any

import httpx
from starlette.applications import Starlette

from server import notifications
from server.instance import Instance
from server.library import publishing
from server.library.restating import body_of
from server.posts import writing
from server.posts.drafts import ThreadDraft
from server.practices.typed import record_of
from server.records.editions import Edition
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post
from tests import makers
from tests.server.library.bench import PERMITS, published
from tests.web.page import Page, words
from tests.web.practices.forms import send


async def test_a_practice_s_page_tells_its_numbers_its_standing_and_how_to_cite_it(
    app: Starlette, permits: Post
) -> None:
    async with makers.browser(app) as visitor:
        response = await visitor.get(f"/p/{permits.id}")
    page = Page(response)
    table = words(page.one("table", class_="outcomes"))
    for told in ("21 days", "14 days", "12.6 days", "−40 %", "better", "Target met", "n = 1,204"):
        assert told in table
    svg = next(one for one in page.root.iter() if str(one.tag).endswith("svg"))
    assert "before 21 days" in svg.get("aria-label", "")
    labels = [one.text for one in svg.iter() if str(one.tag).endswith("text")]
    assert labels == ["Before", "21", "Target", "14", "After", "12.6"]
    side = words(page.one("aside"))
    assert "Measured" in side
    assert "Have it accepted by 2 reviewers of 2 agencies" in side
    assert "City of Riverton (2026). Digital permits. Version 1." in page.main
    found = re.search(
        r'<script type="application/ld\+json">(.*?)</script>', response.text, re.DOTALL
    )
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    assert (data["@type"], data["name"], len(data["step"])) == ("HowTo", "Digital permits", 3)
    assert "style=" not in response.text


async def test_versions_are_told_apart_section_by_section(
    client: httpx.AsyncClient, permits: Post
) -> None:
    started = await makers.submit(client, f"/p/{permits.id}/revise")
    draft = started.headers["location"]
    again = await makers.submit(client, f"/p/{permits.id}/revise")
    assert again.headers["location"] == draft
    await send(client, f"{draft}/costs", stage="scaled")
    refused = Page(await makers.submit(client, f"{draft}/publish", note=""))
    assert "Say in a line what changed" in refused.main
    done = await makers.submit(client, f"{draft}/publish", note="In use everywhere.")
    assert done.status_code == 303
    page = Page(await client.get(f"/p/{permits.id}/versions"))
    assert "In use everywhere." in page.main
    assert "everywhere it can be" in "".join(words(ins) for ins in page.all("ins"))
    assert [words(h) for h in page.all("h3")] == ["Costs, staff and time"]
    assert (await client.get(f"/p/{permits.id}/versions?old=1&new=9")).status_code == 404
    assert (await client.get(f"/p/{permits.id}/history")).headers["location"].endswith("/versions")
    assert (await client.get(f"/p/{permits.id}/edit")).status_code == 403


async def test_an_adaptation_remembers_where_it_came_from_and_hears_of_news(
    client: httpx.AsyncClient, app: Starlette, instance: Instance, ana: Member, permits: Post,
    counters: Forum,
) -> None:  # fmt: skip
    assert ana.is_local
    dee = await makers.member(instance, "dee")
    async with makers.browser(app) as other:
        await makers.sign_in(other, instance, dee)
        begun_ = await makers.submit(other, f"/p/{permits.id}/adapt")
        draft = begun_.headers["location"]
        outcome = Page(await other.get(f"{draft}/outcomes/1"))
        assert outcome.value("outcomes.1.indicator") == "Days from filing to permit"
        assert outcome.value("outcomes.1.actual.value") == ""
        await send(other, f"{draft}/about", name="Two-clock permits")
        done = await makers.submit(other, f"{draft}/publish", forum=str(counters.id))
        page = Page(await other.get(done.headers["location"]))
        assert "Adapted from Digital permits by City of Riverton, version 1." in page.main
    original = Page(await client.get(f"/p/{permits.id}"))
    assert "Two-clock permits" in words(original.one("aside"))
    instance.clock.turn(minutes=2)  # type: ignore[attr-defined]
    draft = (await makers.submit(client, f"/p/{permits.id}/revise")).headers["location"]
    await send(client, f"{draft}/lessons", notWorked="Scanned drawings, and faxes.")
    await makers.submit(client, f"{draft}/publish", note="Faxes as well.")
    news = Page(await client.get(done.headers["location"]))
    assert "The original has changed since, in What did not work" in news.main
    link = next(a.get("href", "") for a in news.all("a") if "versions?old" in a.get("href", ""))
    assert "faxes" in Page(await client.get(link)).main


async def test_a_discussion_becomes_a_practice_with_credit(
    client: httpx.AsyncClient, instance: Instance, ana: Member, counters: Forum
) -> None:
    dee = await makers.member(instance, "dee")
    thread = await makers.thread(instance, dee, counters)
    answer = await makers.reply(instance, dee, thread, "From **completeness**.")
    other = await makers.reply(instance, ana, thread, "Thank you!")
    page = Page(await client.get(f"/p/{thread.id}/distil"))
    assert {box.get("name") for box in page.all("input", type="checkbox")} == {
        f"r{answer.id}",
        f"r{other.id}",
    }
    done = await makers.submit(client, f"/p/{thread.id}/distil", **{f"r{answer.id}": "yes"})
    draft = done.headers["location"]
    solution = Page(await client.get(f"{draft}/solution")).value("solution")
    assert "**Dee Okafor** wrote" in solution
    assert "From **completeness**." in solution
    assert "Thank you" not in solution
    await send(client, f"{draft}/about", summary="Count from completeness.")
    made = await makers.submit(client, f"{draft}/publish", forum=str(counters.id))
    practice = Page(await client.get(made.headers["location"]))
    assert "Dee Okafor (City of Riverton)" in practice.main
    assert "How do you measure permit time?" in words(practice.one("aside"))
    discussion = Page(await client.get(f"/p/{thread.id}"))
    assert "This discussion became a practice" in discussion.main
    async with instance.reading() as session:
        assert await notifications.unread_count(session, dee) >= 1


async def test_practices_are_found_by_what_they_are_and_set_side_by_side(
    client: httpx.AsyncClient, instance: Instance, ana: Member, permits: Post, counters: Forum
) -> None:
    parks = await published(
        instance, ana, counters, name="Quiet parks", topics__0="parks", functions__0="08.1",
        setting__level="county", outcomes="", license="", costBand="1",
    )  # fmt: skip
    for query, found in (
        ("", [parks, permits]), ("topic=parks", [parks]), ("function=04", [permits]),
        ("level=city", [permits]), ("cost=1", [parks]), ("evidence=2", [permits]),
        ("agency=City+of+Riverton&topic=parks", [parks]), ("topic=water", []),
        ("tag=forms", [parks, permits]),
        ("topic=%00&nonsense=1", []), ("like=us", [parks, permits]),
    ):  # fmt: skip
        page = Page(await client.get(f"/practices?{query}"))
        told = [item.get("data-practice") for item in page.all("li") if item.get("data-practice")]
        assert told == [post.uri for post in found], query
    beside = Page(await client.get(f"/practices/compare?p={permits.id}&p={parks.id}&p=7"))
    assert len(beside.one("table", class_="beside").findall(".//thead//th")) == 3
    assert "−40 %" in beside.main
    assert (
        "Choose one or two more"
        in Page(await client.get(f"/practices/compare?p={permits.id}")).main
    )
    assert "Choose two or three" in Page(await client.get("/practices/compare")).main
    printed = Page(await client.get(f"/p/{permits.id}/print"))
    assert "Sort returned applications" in printed.main


async def test_the_library_is_paged_without_gaps(
    client: httpx.AsyncClient, instance: Instance, ana: Member, counters: Forum
) -> None:
    posts = [await published(instance, ana, counters, name=f"Practice {n}") for n in range(23)]
    first = await client.get("/practices")
    link = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert link is not None
    second = await client.get(link[1].replace("&amp;", "&"))
    told = [
        item.get("data-practice")
        for page in (Page(first), Page(second))
        for item in page.all("li")
        if item.get("data-practice")
    ]
    assert told == [post.uri for post in posts[::-1]]


async def test_admins_keep_the_library(
    client: httpx.AsyncClient, instance: Instance, admin: Member, permits: Post
) -> None:
    assert (await client.get("/practices/keeping")).status_code == 403
    await makers.sign_in(client, instance, admin)
    bad = Page(
        await makers.submit(client, "/practices/keeping", months="0", country="USA", action="keep")
    )
    assert bad.status == 422
    assert {link.get("href") for link in bad.one(id="faults").iter("a")} == {
        "#f-months",
        "#f-country",
    }
    done = await makers.submit(
        client, "/practices/keeping", months="12", country="us", level="county",
        population_band="50k-499k", urban_rural="", has="Electronic payment", action="keep",
    )  # fmt: skip
    assert done.status_code == 303
    await makers.submit(client, "/practices/keeping", label="Night economy", action="list")
    await makers.submit(client, "/practices/keeping", topic="parks", action="unlist")
    topics = words(Page(await client.get("/practices/keeping")).one("ul", class_="topics"))
    assert "Night economy" in topics
    assert "Parks" not in topics
    side = words(Page(await client.get(f"/p/{permits.id}")).one("aside"))
    for told in (
        "Country: US",
        "Population: 50,000–499,999",
        "theirs City or town, ours County",
        "We have:Electronic payment",
    ):
        assert told in side
    instance.clock.turn(days=400)  # type: ignore[attr-defined]
    await makers.sign_in(client, instance, admin)
    assert "more than 12 months" in Page(await client.get(f"/p/{permits.id}")).main
    await makers.submit(client, f"/p/{permits.id}/confirm")
    assert "more than 12 months" not in Page(await client.get(f"/p/{permits.id}")).main


async def test_another_agency_reports_what_came_of_it_field_by_field(
    app: Starlette, instance: Instance, counters: Forum, client: httpx.AsyncClient, ana: Member
) -> None:
    author = await makers.person_elsewhere(instance, "marek")
    record = record_of(PERMITS)
    async with instance.transaction() as tx:
        draft = ThreadDraft(record.name, body_of(record), kind=Kind.PRACTICE)
        practice = await writing.apply_thread(tx, author, counters, draft)
        await publishing.apply(tx, practice, Edition(record, 1, "", author.id))
    own = await published(instance, ana, counters, name="Our own")
    page = Page(await client.get(f"/p/{own.id}"))
    assert "report what happened" not in page.main
    assert "report what happened" in Page(await client.get(f"/p/{practice.id}")).main
    path = f"/p/{practice.id}/replicate"
    assert "Theirs: Days from filing to permit" in Page(await client.get(path)).main
    numbers = {
        "o0.baseline.value": "21", "o0.baseline.date": "2025-11", "o0.baseline.n": "300",
        "o0.actual.value": "12.6", "o0.actual.date": "2026-09", "o0.actual.n": "22",
    }  # fmt: skip
    wrong: list[tuple[dict[str, str], str, str]] = [
        ({}, "o0.baseline.value", "one outcome with its value before and after"),
        ({**numbers, "o0.unit": "hours"}, "o0.unit", "counts this in days"),
        ({**numbers, "o0.unit": "days", "o0.actual.n": "0"}, "o0.actual.n", "at least 1"),
        ({**numbers, "o0.unit": "days", "o0.actual.value": "1e400"}, "o0.actual.value", "number"),
        ({**numbers, "o0.unit": "days", "costs.startup": "9"}, "costs.currency", "currency"),
    ]
    for typed, name, told in wrong:
        refused = Page(await makers.submit(client, path, changed="Scans, too.", **typed))
        assert told in words(refused.one("p", id=f"f-{name}-fault")), name
        assert "Scans, too." in refused.main
    for action, status in (("draft", 303), ("autosave", 200)):
        kept = await makers.submit(
            client, path, action=action, changed="Ha", **{"o0.actual.n": "x"}
        )
        assert kept.status_code == status
    assert (await makers.submit(client, path, action="autosave", changed="h" * 50_001)).is_error
    begun = Page(await client.get(path))
    assert (begun.value("changed"), begun.value("o0.actual.n")) == ("Ha", "x")
    assert "Report on Digital permits" in Page(await client.get("/me/drafts")).main
    place = {"setting.level": "county", "setting.country": "us"}
    made = await makers.submit(
        client, path, **{**numbers, **place, "o0.unit": "days", "changed": "Scans, too."}
    )
    assert made.status_code == 303
    assert "Report on Digital permits" not in Page(await client.get("/me/drafts")).main
    page = Page(await client.get(f"/p/{practice.id}"))
    told = words(page.one("section", id="adopters"))
    picture = next(one for one in page.root.iter() if "forest" in (one.get("class") or ""))
    assert "Of 2 agencies it went better at 2." in words(picture)
    for expected in ("City of Riverton", "12.6 days", "−40 %", "Scans, too.", "small sample"):
        assert expected in told.replace("Small", "small")
    assert "We did this at City of Riverton" in words(page.one("details", class_="folded"))
