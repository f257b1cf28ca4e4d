# SPDX-License-Identifier: Apache-2.0
"""Whom and what a member does not want to hear of: the choice, the list."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import mutes
from server.errors import NotFound, SignInNeeded
from server.members import profile
from server.posts import pages
from server.rows import Member, MuteKind
from server.timelines import choices
from server.timelines.spans import Span
from web.forms import submit
from web.forums import named
from web.paging import place
from web.spots import identifier, post_id
from web.templates import path_of
from web.visits import Visit, arrive

PAGE = 30
DAY = 86_400
LASTING = {"": "For good", f"{DAY}": "For a day", f"{7 * DAY}": "For a week",
           f"{30 * DAY}": "For a month"}  # fmt: skip


async def index(request: Request) -> Response:
    """People kept away, the latest first, and threads that were muted."""
    visit = await arrive(request)
    member, before = visit.member, place(request)
    async with visit.instance.reading() as session:
        found = await choices.kept_away(session, member, Span(PAGE, max_id=before))
        threads = await mutes.muted_threads(session, visit.viewer) if before is None else []
    older = found[-1][0].id if len(found) == PAGE else None
    return visit.page("mutes/index.html", lines=found, threads=threads, older=older)


async def let_back(request: Request) -> Response:
    """Hear of somebody again."""
    visit, form = await submit(request)
    member, person = visit.member, identifier(form["person"])
    if person is None or form["kind"] not in set(MuteKind):
        raise NotFound
    async with visit.instance.transaction() as tx:
        await mutes.lift(tx, member, person, MuteKind(form["kind"]))
    return visit.go("/me/muted", "let_back")


async def _person(request: Request, visit: Visit) -> Member:
    handle, peer = named(request, visit)
    async with visit.instance.reading() as session:
        return (await profile.page(session, visit.viewer, handle, peer)).member


async def ask(request: Request) -> Response:
    """How somebody shall be kept away."""
    visit = await arrive(request)
    if visit.viewer.member is None:
        raise SignInNeeded
    person = await _person(request, visit)
    mutes.must_keep_away(visit.member, person)
    return visit.page("mutes/person.html", person=person, lasting=LASTING)


async def keep_away(request: Request) -> Response:
    """Mute or block somebody."""
    visit, form = await submit(request)
    member, person = visit.member, await _person(request, visit)
    seconds = int(form["lasting"]) if form["lasting"] in LASTING and form["lasting"] else 0
    async with visit.instance.transaction() as tx:
        if form["kind"] == MuteKind.BLOCK:
            await mutes.block(tx, member, person)
        else:
            notices = form["notices"] == "yes"
            await mutes.mute(tx, member, person, notices=notices, seconds=seconds)
    return visit.go(path_of(person), "kept_away")


async def mute_thread(request: Request) -> Response:
    """Hear no more of a thread, or hear of it again."""
    visit, _ = await submit(request)
    member, muting = visit.member, request.url.path.endswith("/mute")
    async with visit.instance.reading() as session:
        post, _ = await pages.locate(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await (mutes.mute_thread if muting else mutes.unmute_thread)(tx, member, post)
    return visit.go(f"/p/{post.thread_id}", "thread_muted" if muting else "thread_unmuted")


routes = [
    Route("/me/muted", index),
    Route("/me/muted", let_back, methods=["POST"]),
    Route("/u/{where}/mute", ask),
    Route("/u/{where}/mute", keep_away, methods=["POST"]),
    Route("/p/{id}/mute", mute_thread, methods=["POST"]),
    Route("/p/{id}/unmute", mute_thread, methods=["POST"]),
]
