# SPDX-License-Identifier: Apache-2.0
"""Reporting a post, and what those who look after a forum do about it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotFound, SignInNeeded
from server.forums import pages as forums
from server.moderation import blocks, reports
from server.moderation.blocks import AuthorPage, BlockDraft
from web import limits
from web.forms import submit
from web.forums import named
from web.limits import spend
from web.spots import identifier, post_id
from web.templates import path_of
from web.visits import Visit, arrive
from web.writing import found


async def ask_report(request: Request) -> Response:
    """The form that reports a post."""
    return await _report_form(await arrive(request), post_id(request))


async def report(request: Request) -> Response:
    """Report it."""
    visit, form = await submit(request)
    member, number = visit.member, post_id(request)
    async with visit.instance.reading() as session:
        about = await found(session, visit, number)
    spend(visit, limits.REPORT, f"member {member.id}")
    try:
        async with visit.instance.transaction() as tx:
            await reports.report(tx, member, about.post, form["reason"])
    except Invalid as error:
        return await _report_form(visit, number, form["reason"], error)
    return visit.go(f"{path_of(about.opener)}#p-{number}", "post_reported")


async def _report_form(
    visit: Visit, number: int, reason: str = "", error: Invalid | None = None
) -> Response:
    async with visit.instance.reading() as session:
        about = await found(session, visit, number)
    if visit.viewer.member is None:
        raise SignInNeeded
    if about.post.state == "deleted":
        raise NotFound
    return visit.page(
        "moderation/report.html",
        422 if error else 200,
        about=about,
        reason=reason,
        faults=error.fields if error else {},
    )


async def reported(request: Request) -> Response:
    """What is reported in a forum, for those who look after it."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
        lines = await reports.page(session, visit.viewer.member, forum)
    return visit.page("moderation/reports.html", forum=forum, lines=lines)


async def close(request: Request) -> Response:
    """A report is dealt with."""
    visit, form = await submit(request)
    member, number = visit.member, identifier(form["report"])
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
    async with visit.instance.transaction() as tx:
        await reports.close(tx, member, forum, number or 0)
    return visit.go(f"{path_of(forum)}/reports", "report_closed")


async def ask_shut_out(request: Request) -> Response:
    """Ask once more before somebody is shut out of a forum."""
    visit = await arrive(request)
    return visit.page("moderation/shut_out.html", page=await _author(visit, post_id(request)))


async def shut_out(request: Request) -> Response:
    """Shut the author of a post out of its forum, or let them in again."""
    visit, form = await submit(request)
    member = visit.member
    about = (await _author(visit, post_id(request))).about
    lets_in = form["action"] == "let_in"
    async with visit.instance.transaction() as tx:
        if lets_in:
            await blocks.let_in(tx, member, about.forum, about.author)
        else:
            draft = BlockDraft(about.author, form["reason"])
            await blocks.shut_out(tx, member, about.forum, draft)
    said = "let_in" if lets_in else "shut_out"
    path = f"{path_of(about.opener)}#p-{about.post.id}"
    return visit.go(path, said if about.forum.is_local else "steering_asked")


async def _author(visit: Visit, number: int) -> AuthorPage:
    async with visit.instance.reading() as session:
        page = await blocks.page(session, visit.viewer, number)
    if page is None:
        raise NotFound
    return page


routes = [
    Route("/p/{id}/report", ask_report),
    Route("/p/{id}/report", report, methods=["POST"]),
    Route("/p/{id}/shut-out", ask_shut_out),
    Route("/p/{id}/shut-out", shut_out, methods=["POST"]),
    Route("/f/{where}/reports", reported),
    Route("/f/{where}/reports", close, methods=["POST"]),
]
