# SPDX-License-Identifier: Apache-2.0
"""Events with words of their own, and the addresses they are asked at."""

from starlette.routing import Route

from server.calendar import joining, writing
from server.calendar.typed import check
from server.instance import Instance
from server.posts.writing import apply_thread
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests.server.calendar.bench import WEBINAR
from web import events


async def with_a_guest(
    instance: Instance, author: Member, forum: Forum, taint: str, guest: Member
) -> Post:
    """An event in a forum that somebody comes to; everything of it says the taint."""
    said = ("title", "source", "place", "access", "agenda")
    typed = {**WEBINAR, **{name: f"Kerb {taint}" for name in said}, "tags": taint, "capacity": "9"}
    draft = check({**typed, "online": f"https://meet.example/{taint}"})
    async with instance.transaction() as tx:
        post = await apply_thread(tx, author, forum, draft.post)
        await writing.apply(tx, post, draft.details)
        await joining.sign_up(tx, guest, post)
    return post


OWN = {one.path for one in events.routes}


def questions_of_events(rooms: list[str]) -> list[str]:
    """Addresses of the calendar that ask something in their query."""
    found = ["/events?view=month&date=2026-12-01", "/events?view=week&date=2026-12-03"]
    found += ["/events?kind=webinar&zone=Asia/Tokyo", "/events?mine=yes", "/events?after=1-1"]
    return found + [f"/events?forum={room}" for room in rooms]


def ids_of_kinds(route: Route, others: list[str], written: list[str]) -> list[str]:
    """The ids that a route is asked with: of an event's own parts, those of events alone."""
    if route.path in OWN:
        return written
    if route.path in {"/p/{id}", "/p/{number}"}:
        return others
    return [post for post in others if post not in written]
