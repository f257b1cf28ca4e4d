# SPDX-License-Identifier: Apache-2.0
"""Writing a practice: section by section, by two, from a file."""

import json

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.server.library.bench import PERMITS, begun
from tests.web.page import Page, words
from tests.web.practices.forms import send, within


@pytest.mark.usefixtures("ana")
async def test_a_practice_is_written_section_by_section_without_scripts(
    client: httpx.AsyncClient, counters: Forum
) -> None:
    empty = Page(await client.get("/practices"))
    assert "Nothing has been written up yet" in empty.main
    begun = await makers.submit(
        client, "/practices/new", kind="practice", name="Digital permits", action="begin"
    )
    about = begun.headers["location"]
    draft = about.removesuffix("/about")
    done = await send(client, about, summary="Cut permit time by 40 %.")
    assert done.headers["location"] == f"{draft}/problem"
    for section, fields in (
        ("problem", {"problem": "They came back."}),
        ("setting", {"setting__level": "city", "setting__populationBand": "50k-499k"}),
        ("solution", {"solution": "A form with a **check**."}),
    ):
        assert (await send(client, f"{draft}/{section}", **fields)).status_code == 303
    for title in ("Sort", "Write", "Switch on"):
        step = await makers.submit(client, f"{draft}/steps", action="add")
        done = await send(client, step.headers["location"], **within(step, title=title))
        assert done.headers["location"] == f"{draft}/steps"
    outcome = await makers.submit(client, f"{draft}/outcomes", action="add")
    measured = {
        "indicator": "Days", "unit": "days", "direction": "down", "baseline.value": "21",
        "baseline.date": "2025-01", "baseline.n": "412", "actual.value": "12.6",
        "actual.date": "2025-09", "actual.n": "398",
    }  # fmt: skip
    done = await send(client, outcome.headers["location"], **within(outcome, **measured))
    assert done.status_code == 303
    await send(client, f"{draft}/use", license="CC-BY-4.0", topics__0="permits-and-licensing")
    overview = Page(await client.get(draft))
    assert "Measured" in words(overview.one("aside"))
    preview = Page(await client.get(f"{draft}/preview"))
    assert "−40 %" in preview.main
    assert preview.one("strong").text == "check"

    done = await makers.submit(client, f"{draft}/publish", forum=str(counters.id))
    page = Page(await client.get(done.headers["location"]))
    assert words(page.one(class_="said")) == "Your practice is published."
    assert words(page.one("h1")) == "Digital permits"
    assert "−40 %" in page.main
    assert (await client.get(draft)).status_code == 404
    assert "Digital permits" in Page(await client.get("/practices")).main


async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, instance: Instance, ana: Member, counters: Forum
) -> None:
    number = await begun(instance, ana, counters)
    path = f"/practices/drafts/{number}/outcomes/1"
    typed = {
        "outcomes.1.baseline.value": "",
        "outcomes.1.actual.n": "0",
        "outcomes.1.actual.value": "1e400",
    }
    page = Page(await send(client, path, **typed))
    assert page.status == 422
    assert "Saved, and not ready yet" in page.main
    for name, fault in (
        ("outcomes.1.baseline.value", "Give the value as well"),
        ("outcomes.1.actual.n", "at least 1"),
        ("outcomes.1.actual.value", "not a number that can be computed with"),
    ):
        assert fault in words(page.one("p", id=f"f-{name}-fault"))
    assert page.value("outcomes.1.actual.value") == "1e400"
    again = Page(await client.get(path))
    assert again.value("outcomes.1.actual.n") == "0"
    overview = Page(await client.get(f"/practices/drafts/{number}"))
    links = {link.get("href") for link in overview.all("a")}
    assert f"{path}#f-outcomes.1.actual.n" in links
    refused = Page(
        await makers.submit(client, f"/practices/drafts/{number}/publish", forum=str(counters.id))
    )
    assert refused.status == 422
    assert "Some sections need another look" in refused.main


async def test_the_second_of_two_who_write_the_same_is_told_and_can_merge(
    client: httpx.AsyncClient, app: Starlette, instance: Instance, ana: Member, counters: Forum
) -> None:
    number = await begun(instance, ana, counters, problem="Before.")
    path = f"/practices/drafts/{number}/problem"
    dee = await makers.member(instance, "dee")
    assert (
        await makers.submit(
            client, f"/practices/drafts/{number}/people", handle="dee", action="add"
        )
    ).status_code == 303
    async with makers.browser(app) as other:
        await makers.sign_in(other, instance, dee)
        told = Page(await other.get("/notifications"))
        assert "Ana Ruiz invites you to write Digital permits" in told.main
        assert "Notifications1 not read" in words(told.one("header"))
        await other.get(f"/practices/drafts/{number}")
        assert "invites you" not in Page(await other.get("/notifications")).main
        shown = Page(await other.get(path))
        base = shown.one("input", name="base").get("value", "")
        await send(client, path, problem="By Ana.")
        mine = {
            "problem": "By Dee.",
            "audience": "Contractors",
            "reach.count": "",
            "reach.share": "",
        }
        saved = await makers.submit(other, path, base=base, action="autosave", **mine)
        assert (saved.status_code, saved.json()) == (409, {"by": "Ana Ruiz"})
        clash = Page(await makers.submit(other, path, base=base, action="continue", **mine))
        assert clash.status == 409
        assert "Ana Ruiz changed this meanwhile" in clash.main
        later = Page(await other.get(path))
        assert later.value("problem") == "By Ana."
        assert "By Dee." in words(later.one(class_="clash"))
        assert later.value("audience") == "Contractors"
        assert "By Ana." in words(clash.one(class_="clash"))
        assert clash.value("problem") == "By Dee."
        assert clash.value("audience") == "Contractors"
        base = clash.one("input", name="base").get("value", "")
        done = await makers.submit(
            other, path, base=base, action="continue", **{**mine, "problem": "By both."}
        )
        assert done.status_code == 303
    now = Page(await client.get(path))
    assert (now.value("problem"), now.value("audience")) == ("By both.", "Contractors")


async def test_autosave_keeps_a_section_and_answers_what_it_holds(
    client: httpx.AsyncClient, instance: Instance, ana: Member
) -> None:
    number = await begun(instance, ana)
    path = f"/practices/drafts/{number}/solution"
    base = Page(await client.get(path)).one("input", name="base").get("value", "")
    saved = await makers.submit(
        client, path, base=base, action="autosave", solution="Typed", novelty=""
    )
    assert saved.json() == {"base": {"novelty": "", "solution": "Typed"}}
    again = await makers.submit(
        client, path, base=json.dumps(saved.json()["base"]), action="autosave",
        solution="Typed on", novelty="",
    )  # fmt: skip
    assert again.status_code == 200
    assert Page(await client.get(path)).value("solution") == "Typed on"
    assert (
        await makers.submit(client, path, base="[]", action="save", solution="x")
    ).status_code == 422


async def test_a_practice_leaves_as_a_file_and_comes_in_as_one(
    client: httpx.AsyncClient, permits: Post
) -> None:
    for kind in ("json", "md"):
        file = await client.get(f"/p/{permits.id}/practice.{kind}")
        assert file.headers["content-disposition"].startswith("attachment")
        done = await makers.submit(client, "/practices/new", file=file.text, action="import")
        assert done.status_code == 303
        solution = Page(await client.get(f"{done.headers['location']}/solution"))
        assert solution.value("solution") == PERMITS["solution"]
        outcomes = Page(await client.get(f"{done.headers['location']}/outcomes/1"))
        assert outcomes.value("outcomes.1.actual.value") == "12.6"
    prose = (
        "# Quiet hour\n\nNo tannoy from nine.\n\n## The problem\n\nNoise.\n\n### 1. Ask\n\nWho?\n"
    )
    done = await makers.submit(client, "/practices/new", file=prose, action="import")
    about = Page(await client.get(f"{done.headers['location']}/about"))
    assert (about.value("name"), about.value("summary")) == ("Quiet hour", "No tannoy from nine.")
    infinite = '{"v":1,"name":"a","summary":"b","costs":{"startup":1e400,"currency":"USD"}}'
    for bad in ("", "{", '{"v":1}', infinite, '{"a":' * 9_000):
        page = Page(await makers.submit(client, "/practices/new", file=bad, action="import"))
        assert page.status == 422, bad[:20]
        assert words(page.one("p", id="f-file-fault"))


async def test_somebody_signed_out_keeps_what_they_typed(
    client: httpx.AsyncClient, app: Starlette, instance: Instance, ana: Member
) -> None:
    number = await begun(instance, ana)
    async with makers.browser(app) as visitor:
        path = f"/practices/drafts/{number}/solution"
        page = Page(await makers.submit(visitor, path, base="{}", solution="Typed", action="save"))
        assert page.status == 403
        assert page.value("solution") == "Typed"
        assert "permit" not in page.main
    assert "Digital permits" in Page(await client.get("/me/drafts")).main
