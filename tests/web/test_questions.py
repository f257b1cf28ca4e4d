# SPDX-License-Identifier: Apache-2.0
"""Pages ask the database as many questions however much they show."""

import httpx
from starlette.applications import Starlette

from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.server.calendar import bench as calendar
from tests.server.hub import bench as hub
from tests.server.library import bench as library
from tests.server.mentoring import bench as mentoring
from tests.statements import counted

LISTS = (
    *("/resources", "/resources?kind=template", "/events", "/events?mine=yes"),
    *("/events?view=month&date=2026-12-01", "/events?view=week&date=2026-12-03"),
    *("/practices", "/mentoring", "/reviews", "/reviews/board", "/notifications"),
    *("/me/kept", "/me/muted", "/", "/forums", "/catalog.jsonld", "/events.ics"),
)


async def _more(instance: Instance, forum: Forum, author: Member, first: Post, name: str) -> None:
    """One more of everything that the pages list."""
    await hub.shared(instance, author, forum)
    await hub.shared(instance, author, forum, source=first)
    await library.published(instance, author, forum, name=f"How {name} does it")
    event = await calendar.announced(instance, author, forum, title=f"Meeting {name}", capacity="9")
    guest = await makers.member(instance, name)
    await calendar.joined(instance, guest, event)
    await mentoring.card(instance, guest)
    mentoring_programme = await mentoring.programme(instance, author)
    await mentoring.need(instance, guest, mentoring_programme)
    thread = await makers.thread(instance, guest, forum)
    await makers.reply(instance, author, thread)
    await makers.reply(instance, guest, thread, "Thanks, @sam!")


async def test_lists_and_rooms_ask_no_question_for_a_row(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    forum = await makers.forum(instance, admin)
    first = await hub.shared(instance, admin, forum)
    webinar = await calendar.announced(instance, admin, forum, capacity="9")
    await makers.sign_in(client, instance, admin)
    pages = [*LISTS, f"/p/{first.id}/x", f"/p/{webinar.id}/x", f"/p/{webinar.id}/guests"]
    pages.append(f"/f/{forum.handle}")

    async def asked() -> dict[str, int]:
        found = {}
        for path in pages:
            # What is remembered between visits is remembered by the second.
            for _ in range(2):
                before = instance.database.plain.asked
                with counted() as sent:
                    answer = await client.get(path, follow_redirects=True)
                assert answer.status_code == 200, path
            found[path] = len(sent) + instance.database.plain.asked - before
        return found

    for name in ("ana", "dee"):
        await _more(instance, forum, admin, first, name)
    few = await asked()
    for name in ("kim", "lee", "tom", "zoe"):
        await _more(instance, forum, admin, first, name)
    many = await asked()
    assert {path: (few[path], many[path]) for path in pages if few[path] != many[path]} == {}
    assert min(many.values()) > 0
