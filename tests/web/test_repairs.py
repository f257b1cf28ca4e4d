# SPDX-License-Identifier: Apache-2.0
"""The pages of a copy say how the last check went, and have it checked now."""

import httpx
import pytest
from starlette.applications import Starlette

from server.errors import Unavailable
from server.forums import comparing
from server.forums.comparing import Outcome
from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from tests import makers
from tests.web.lookups import WrittenLookup
from tests.web.page import Page, words

PERMITS = f"/f/permits@{makers.LAKESIDE}"


class Checked(WrittenLookup):
    """A worker that compares at once, or not within three seconds (`outcome` None)."""

    def __init__(self, instance: Instance, outcome: Outcome | None) -> None:
        super().__init__()
        self._instance, self._outcome = instance, outcome

    async def compared(self, forum: Forum) -> Forum:
        if self._outcome is None:
            raise Unavailable
        async with self._instance.transaction() as tx:
            await comparing.ended(tx, forum.id, forum.compare_next, "", self._outcome)
            return await tx.session.get_one(Forum, forum.id)


@pytest.fixture
async def ana(client: httpx.AsyncClient, instance: Instance, admin: Member) -> Member:
    """Ana, signed in, who follows the permits forum of Lakeside."""
    assert admin.is_admin
    ana = await makers.member(instance)
    await makers.follow(instance, ana, await makers.forum_elsewhere(instance))
    await makers.sign_in(client, instance, ana)
    return ana


@pytest.mark.parametrize(
    ("outcome", "said", "noted"),
    [
        (Outcome(through=True), "Checked with the forum’s agency.", "Last checked with them just"),
        (None, "Looking… The forum’s agency is being asked", ""),
        (
            Outcome("Their site did not answer.", through=True),
            "The check did not succeed: the reason stands below.",
            "did not succeed: Their site did not answer. We try again by ourselves.",
        ),
    ],
)
async def test_a_member_has_a_copy_checked_from_either_page(
    client: httpx.AsyncClient, app: Starlette, instance: Instance, ana: Member,
    outcome: Outcome | None, said: str, noted: str,
) -> None:  # fmt: skip
    app.state.lookup = Checked(instance, outcome)
    async with instance.reading() as session:
        permits = await comparing.due(session, instance.clock.now(), "", 1)
    marek = await makers.person_elsewhere(instance)
    opener = await makers.thread(instance, marek, permits[0])
    for path, button in ((PERMITS, f"{PERMITS}/check"), (f"/p/{opener.id}", None)):
        action = button or f"/p/{opener.id}/check"
        form = Page(await client.get(path, follow_redirects=True)).one("form", action=action)
        assert "Check now" in words(form)
        answer = await makers.submit(client, action)
        assert answer.status_code == 303
        page = Page(await client.get(answer.headers["location"], follow_redirects=True))
        assert said in words(page.one("body"))
        assert noted in page.main


async def test_only_members_may_ask_and_not_without_end(
    client: httpx.AsyncClient, app: Starlette, instance: Instance, ana: Member
) -> None:
    app.state.lookup = Checked(instance, Outcome(through=True))
    statuses = [(await makers.submit(client, f"{PERMITS}/check")).status_code for _ in range(7)]
    assert statuses == [303] * 6 + [429]
    client.cookies.clear()
    assert (await makers.submit(client, f"{PERMITS}/check")).status_code == 403
    page = await client.get(PERMITS)
    assert "Check now" not in page.text
    assert "Last checked with them" in page.text


async def test_how_many_posts_are_kept_out_is_said(
    client: httpx.AsyncClient, instance: Instance, ana: Member
) -> None:
    async with instance.transaction() as tx:
        [permits] = await comparing.due(tx.session, tx.now, "", 1)
        await comparing.ended(tx, permits.id, None, "", Outcome(through=True))
        permits.compare_missing = 2
    page = Page(await client.get(PERMITS))
    assert "2 posts are not shown, from agencies not on our list" in page.main
