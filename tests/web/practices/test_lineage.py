# SPDX-License-Identifier: Apache-2.0
"""Warning of a practice, and offering changes back, through the pages."""

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from server.instance import Instance
from storage.audit import AuditEntry
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.web.page import Page, words
from tests.web.practices.forms import send


async def test_an_author_warns_of_a_practice_and_takes_it_back(
    client: httpx.AsyncClient, app: Starlette, permits: Post
) -> None:
    path = f"/p/{permits.id}/notice"
    for typed, field in (
        ({"kind": "recall", "words": "Stop."}, "kind"),
        ({"kind": "advisory", "words": " "}, "words"),
        ({"kind": "advisory", "words": "long " * 250}, "words"),
    ):
        refused = Page(await makers.submit(client, path, action="warn", **typed))
        assert refused.status == 422
        assert refused.one(id=f"f-{field}-fault") is not None
    done = await makers.submit(
        client, path, action="warn", kind="withdrawn", words="Step 2 is <b>unlawful</b>."
    )
    assert done.status_code == 303
    async with makers.browser(app) as visitor:
        for address in ("", "/print", "/practice.md", "/practice.json"):
            response = await visitor.get(f"/p/{permits.id}{address}")
            assert "Step 2 is" in response.text, address
            assert "<b>unlawful" not in response.text or address.startswith("/practice.")
        page = Page(await visitor.get(f"/p/{permits.id}"))
        assert "It was withdrawn: Step 2 is" in words(page.one("aside"))
        assert "Withdrawn: Step 2 is" in page.main
        assert "Withdrawn" in Page(await visitor.get("/practices?evidence=0")).main
        assert (await visitor.get(path)).headers["location"].startswith("/sign-in")
    assert "Change the notice" in Page(await client.get(f"/p/{permits.id}")).main
    assert (await makers.submit(client, path, action="lift")).status_code == 303
    assert "Measured" in words(Page(await client.get(f"/p/{permits.id}")).one("aside"))
    again = Page(await makers.submit(client, path, action="lift"))
    assert "Nothing is said against this practice" in again.main


async def test_a_steward_withdraws_a_practice_and_its_author_is_told_why(
    client: httpx.AsyncClient, app: Starlette, instance: Instance, admin: Member, permits: Post
) -> None:
    path = f"/p/{permits.id}/notice"
    dee = await makers.member(instance, "dee")
    async with makers.browser(app) as theirs, makers.browser(app) as others:
        await makers.sign_in(theirs, instance, admin)
        await makers.sign_in(others, instance, dee)
        assert (await others.get(path)).status_code == 403
        assert (await makers.submit(others, path, action="warn", words="Mine.")).status_code == 403
        assert "Withdraw it" in Page(await theirs.get(f"/p/{permits.id}")).main
        unsaid = Page(await makers.submit(theirs, path, action="warn", words=" "))
        assert unsaid.one(id="f-words-fault") is not None
        done = await makers.submit(theirs, path, action="warn", words="Step 2 is unlawful.")
        assert done.status_code == 303
        page = Page(await others.get(f"/p/{permits.id}"))
        assert "It was withdrawn: Step 2 is unlawful." in words(page.one("aside"))
        assert "Withdrawn by the stewards of" in page.main
        told = Page(await client.get("/notifications"))
        assert "withdrew, as a steward, your practice" in told.main
        async with instance.reading() as session:
            lines = (await session.execute(select(AuditEntry))).scalars().all()
        [line] = [line for line in lines if line.verb == "practice.withdrawn"]
        assert (line.actor, line.detail) == (admin.uri, "Step 2 is unlawful.")

        # Its author can neither take it back, nor get round it by a new version.
        assert "Ask them to take that back" in Page(await client.get(path)).main
        for action in ("lift", "warn"):
            sent = {"action": action, "kind": "advisory", "words": "Never mind."}
            refused = await makers.submit(client, path, **sent)
            assert refused.status_code == 403
            assert "The stewards withdrew it" in Page(refused).main
        begun = await makers.submit(client, f"/p/{permits.id}/revise")
        draft = begun.headers["location"]
        await send(client, f"{draft}/lessons", lessons="Ask a lawyer.")
        published = await makers.submit(client, f"{draft}/publish", note="As the law has it.")
        assert published.status_code == 303
        page = Page(await others.get(f"/p/{permits.id}"))
        assert "It was withdrawn: Step 2 is unlawful." in words(page.one("aside"))
        assert (await makers.submit(theirs, path, action="lift")).status_code == 303
        assert "Measured" in words(Page(await others.get(f"/p/{permits.id}")).one("aside"))


async def test_a_change_is_offered_answered_and_read_by_nobody_else(
    client: httpx.AsyncClient, app: Starlette, instance: Instance, permits: Post, counters: Forum
) -> None:
    dee, lou = await makers.member(instance, "dee"), await makers.member(instance, "lou")
    async with makers.browser(app) as hers, makers.browser(app) as others:
        await makers.sign_in(hers, instance, dee)
        await makers.sign_in(others, instance, lou)
        draft = (await makers.submit(hers, f"/p/{permits.id}/adapt")).headers["location"]
        await send(hers, f"{draft}/lessons", lessons="Begin with the ten reasons.")
        made = await makers.submit(hers, f"{draft}/publish", forum=str(counters.id))
        adaptation = made.headers["location"]
        assert (
            "City of Riverton adapted this practice"
            in Page(await client.get(f"/p/{permits.id}")).main
        )
        path = f"/p/{adaptation.split('/')[2]}/offer"
        assert (await client.get(path)).status_code == 403
        assert "What we learned" in Page(await hers.get(path)).main
        empty = Page(await makers.submit(hers, path, note="Please."))
        assert "Choose at least one section" in words(empty.one(id="f-sections-fault"))
        sent = await makers.submit(hers, path, note="Ten reasons.", **{"s.lessons": "yes"})
        offer = sent.headers["location"]
        assert (await others.get(offer)).status_code == 404
        assert (await makers.submit(others, offer, action="take")).status_code == 404
        assert "Take the offer back" in Page(await hers.get(offer)).main
        page = Page(await client.get(offer))
        assert "Begin with the ten reasons." in "".join(words(ins) for ins in page.all("ins"))
        unsaid = Page(await makers.submit(client, offer, action="decline", reason=""))
        assert "Say in a sentence why not" in words(unsaid.one(id="f-reason-fault"))
        taken = await makers.submit(client, offer, action="take")
        lessons = Page(await client.get(f"{taken.headers['location']}/lessons"))
        assert lessons.value("lessons") == "Begin with the ten reasons."
        assert "Taken over" in Page(await hers.get(offer)).main
        late = await makers.submit(client, offer, action="decline", reason="Late.")
        assert late.status_code == 403
