# SPDX-License-Identifier: Apache-2.0
"""The button that has a copy checked with its home now."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Unavailable
from server.forums import comparing
from server.forums import pages as forums
from server.posts import pages
from server.rows import Forum
from web import limits
from web.forms import submit
from web.forums import named
from web.limits import spend
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit


async def check_forum(request: Request) -> Response:
    """Check a forum, from its own page."""
    visit, _ = await submit(request)
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
    return visit.go(path_of(forum), await _checked(visit, forum))


async def check_thread(request: Request) -> Response:
    """Check the forum of a thread, from the page of the thread."""
    visit, _ = await submit(request)
    async with visit.instance.reading() as session:
        post, forum = await pages.locate(session, visit.viewer, post_id(request))
    return visit.go(path_of(post), await _checked(visit, forum, post.thread_id))


async def _checked(visit: Visit, forum: Forum, thread: int | None = None) -> str:
    """What to say of it; the work goes on by itself where it takes longer."""
    member = visit.member
    spend(visit, limits.CHECK, f"member {member.id}")
    async with visit.instance.transaction() as tx:
        asked = await comparing.ask(tx, member, forum, thread)
    try:
        held = await visit.lookup.compared(asked)
    except Unavailable:
        return "checking"
    return "check_failed" if held.compare_error else "checked"


routes = [
    Route("/f/{where}/check", check_forum, methods=["POST"]),
    Route("/p/{id}/check", check_thread, methods=["POST"]),
]
