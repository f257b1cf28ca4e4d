# SPDX-License-Identifier: Apache-2.0
"""Every route for deeds over others, and everybody who may try it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from server import peers
from server.forums import deeds
from server.instance import Instance
from storage.apps import App
from storage.audit import AuditEntry
from storage.facts import FactRow
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.web.walked import routes
from web.activitypub.arriving import InboxDoor

RANKS = ("visitor", "member", "steward elsewhere", "steward", "admin")
STEWARDS = frozenset({"steward", "admin"})
ADMINS = frozenset({"admin"})
NOBODY: frozenset[str] = frozenset()

# Each deed over others: its form, and who may do it.
MODERATION: dict[str, tuple[dict[str, str], frozenset[str]]] = {
    "/p/{id}/lock": ({}, STEWARDS),
    "/p/{id}/unlock": ({}, STEWARDS),
    "/p/{id}/pin": ({}, STEWARDS),
    "/p/{id}/unpin": ({}, STEWARDS),
    "/p/{id}/edit": ({"title": "Mine", "source": "Mine.", "tags": "", "revision": "0"}, NOBODY),
    "/f/{where}/edit": ({"title": "Renamed", "description": "", "language": "en"}, STEWARDS),
    "/f/{where}/people": ({"action": "name", "steward": "dee", "handle": "dee"}, ADMINS),
    "/forums/new": (
        {"handle": "fresh", "title": "Fresh", "visibility": "public", "language": "en"},
        ADMINS,
    ),
    "/admin/federation": ({"action": "add", "pattern": "x.example", "verdict": "allow"}, ADMINS),
    "/admin/federation/peer/{host}": ({"action": "pause"}, ADMINS),
    "/admin/apps": ({"app": "7", "state": "blocked"}, ADMINS),
    "/admin/keys": ({"name": "ana"}, ADMINS),
    "/admin/record/check": ({}, ADMINS),
    "/admin/people": ({"note": "For Dee"}, ADMINS),
    "/practices/keeping": ({"action": "list", "label": "Permits"}, ADMINS),
    "/mentoring/programmes/new": (
        {"title": "Mentors", "format": "one-to-one", "months": "3", "meetings": "2"},
        ADMINS,
    ),
    "/p/{id}/shut-out": ({"action": "shut_out", "reason": "Noise."}, STEWARDS),
    "/p/{id}/delete": ({"reason": "Off topic."}, STEWARDS),
}
# What everybody does for themselves; who may see the thing at all is walked elsewhere.
OWN = {
    "/sign-in", "/sign-out", "/first-run", "/sign-up", "/sign-up/confirm/{token}",
    "/invitation/{token}", "/f/{where}/new", "/p/{id}/reply", "/me", "/me/password",
    "/p/{id}/endorse", "/p/{id}/withdraw", "/f/{where}/follow", "/f/{where}/leave",
    "/me/drafts", "/drafts", "/preview", "/notifications", "/f/{where}/check", "/p/{id}/check",
    "/notifications/letters",
    "/f/{where}/events/new", "/f/{where}/events/file", "/f/{where}/events/import",
    "/p/{id}/join", "/p/{id}/leave",
    "/events/zone", "/events/renew", "/p/{id}/by-mail", "/p/{id}/place/{token}",
    "/p/{id}/replicate", "/p/{id}/quotes", "/p/{id}/report", "/f/{where}/reports",
    "/oauth/authorize", "/me/apps", "/p/{id}/keep",
    "/p/{id}/drop", "/p/{id}/mute", "/p/{id}/unmute", "/u/{where}/mute", "/me/muted", "/tags/{tag}",
    "/me/filters", "/p/{id}/vote",
}  # fmt: skip
# What writers of a practice do with it and its drafts; who may is walked beside these.
WRITERS = {
    "/practices/new", "/practices/drafts/{draft}/{section}", "/p/{id}/adapt", "/p/{id}/revise",
    "/practices/drafts/{draft}/{section}/{key}", "/p/{id}/confirm", "/p/{id}/distil",
    "/practices/drafts/{draft}/publish", "/practices/drafts/{draft}/people",
    "/practices/drafts/{draft}/discard", "/p/{id}/notice",
    "/p/{id}/offer", "/practices/offers/{offer}",
    "/resources/new", "/resources/drafts/{draft}", "/resources/drafts/{draft}/discard",
    "/resources/drafts/{draft}/arrivals", "/resources/arrivals/{arrival}",
    "/p/{id}/resource/adapt", "/p/{id}/resource/revise", "/p/{id}/use",
}  # fmt: skip
# What a review is kept, written and followed with; who may is asked in a story of its own.
VETTING = {
    "/reviews/drafts/{draft}",
    "/p/{id}/review",
    "/reviews/cases/{case}",
    "/reviews/{token}",
}
# What only those who run an event do with it; who may is walked beside these.
ORGANISERS = {
    "/p/{id}/event",
    "/p/{id}/call-off",
    "/p/{id}/materials",
    "/p/{id}/guests",
}
# What the people of mentoring do; that nobody else may is walked with all that is hidden.
MENTORING = {
    "/mentoring/card", "/mentoring/card/post", "/mentoring/programmes/{programme}/edit",
    "/mentoring/programmes/{programme}/desk", "/mentoring/programmes/{programme}/request",
    "/mentoring/requests/{need}",
    "/mentoring/asks/{match}", "/mentoring/pairs/{pair}",
    "/mentoring/pairs/{pair}/entries/{entry}",
}  # fmt: skip
# What apps call: each says what scope it needs, and does what a page does.
CALLS = ("/api/", "/oauth/token", "/oauth/revoke")
ADMIN_PAGES = "/admin"


@dataclass
class Town:
    """A thread by Ana in Sam's forum, and somebody of each rank with a browser."""

    instance: Instance
    forum: Forum
    thread: Post
    browsers: dict[str, httpx.AsyncClient]

    def path(self, route: str) -> str:
        filled = route.replace("{id}", str(self.thread.id)).replace("{where}", self.forum.handle)
        return filled.replace("{host}", makers.LAKESIDE)

    async def traces(self) -> tuple[int, int]:
        """Deeds done and lines in the record, of which a refusal leaves none."""
        async with self.instance.reading() as session:
            facts = await session.execute(select(func.count(FactRow.id)))
            lines = await session.execute(select(func.count(AuditEntry.id)))
            return facts.scalar_one(), lines.scalar_one()


@pytest.fixture
async def town(app: Starlette, instance: Instance, admin: Member) -> AsyncIterator[Town]:
    people = {name: await makers.member(instance, name) for name in ("ana", "lee", "dee", "kim")}
    forum = await makers.forum(instance, admin)
    other = await makers.forum(instance, admin, "other")
    await makers.forum_elsewhere(instance)
    async with instance.transaction() as tx:
        await deeds.name_steward(tx, admin, forum, people["lee"], named=True)
        await peers.seen(tx, makers.LAKESIDE, f"http://{makers.LAKESIDE}")
        await deeds.name_steward(tx, admin, other, people["kim"], named=True)
    thread = await makers.thread(instance, people["ana"], forum)
    async with instance.transaction() as tx:
        tx.session.add(
            App(
                id=7, client_id="tusky", secret_hash="", name="Tusky", redirect_uris="x",
                scopes="read", created=tx.now,
            )
        )  # fmt: skip
    signed_in = {
        "member": people["dee"], "steward elsewhere": people["kim"], "steward": people["lee"],
        "admin": admin,
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        browsers = {}
        for rank in RANKS:
            browsers[rank] = await stack.enter_async_context(makers.browser(app))
            if rank in signed_in:
                await makers.sign_in(browsers[rank], instance, signed_in[rank])
        yield Town(instance, forum, thread, browsers)


def test_every_route_that_changes_something_is_in_one_of_the_lists(app: Starlette) -> None:
    posted = {
        route.path
        for route in routes(app)
        if "POST" in (route.methods or set())
        and not isinstance(route.endpoint, InboxDoor)
        and not route.path.startswith(CALLS)
    }
    known = OWN | WRITERS | ORGANISERS | MENTORING | VETTING
    assert posted == known | set(MODERATION)
    assert not known & set(MODERATION)


@pytest.mark.parametrize("rank", RANKS)
async def test_ACL_12_each_deed_over_others_is_for_its_ranks_only(town: Town, rank: str) -> None:
    browser = town.browsers[rank]
    for route, (fields, who) in MODERATION.items():
        before = await town.traces()
        answer = await makers.submit(browser, town.path(route), **fields)
        told = f"{rank}: {route} {answer.status_code} {answer.headers.get('location')}"
        if rank in who:
            assert answer.status_code in {200, 303}, told
            continue
        assert answer.status_code in ({403} if rank != "visitor" else {303, 403}), told
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in"), told
        assert await town.traces() == before, told


@pytest.mark.parametrize("rank", RANKS)
async def test_ACL_12_pages_of_admins_are_for_admins(app: Starlette, town: Town, rank: str) -> None:
    pages = [
        route.path
        for route in routes(app)
        if route.path.startswith(ADMIN_PAGES) and "GET" in (route.methods or set())
    ]
    assert len(pages) > 5
    for route in pages:
        answer = await town.browsers[rank].get(town.path(route))
        told = f"{rank}: {route} {answer.status_code}"
        if rank == "admin":
            assert answer.status_code in {200, 404}, told
        else:
            assert answer.status_code == (303 if rank == "visitor" else 403), told


async def test_ACC_03_no_deed_is_done_by_a_form_of_another_site(app: Starlette, town: Town) -> None:
    """Every route that changes something, by an admin's browser: without a token, and led here."""
    admin = town.browsers["admin"]
    token = await makers.form_token(admin)
    forms = {route: fields for route, (fields, _) in MODERATION.items()}
    known = OWN | WRITERS | ORGANISERS | MENTORING | VETTING
    before = await town.traces()
    for route in sorted(known | set(forms)):
        path, fields = town.path(route), forms.get(route, {})
        led = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        for more, headers in (({}, {}), ({"csrf": "x" * 43}, {}), ({"csrf": token}, led)):
            answer = await admin.post(path, data=fields | more, headers=headers)
            told = f"{route}: {answer.status_code} {answer.headers.get('location')}"
            assert answer.status_code >= 400, told
            assert await town.traces() == before, told
    assert (await admin.get("/admin")).status_code == 200


async def test_ACL_12_nobody_does_anything_by_a_get(app: Starlette, town: Town) -> None:
    for rank in RANKS:
        before = await town.traces()
        for route in MODERATION:
            await town.browsers[rank].get(town.path(route))
        assert await town.traces() == before, rank
