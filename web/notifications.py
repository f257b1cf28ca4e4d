# SPDX-License-Identifier: Apache-2.0
"""What happened around a member, and marking it as read."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import letters, notifications
from server.library import invitations
from server.mentoring import notices as mentors
from server.reviews import notices as reviews
from web.forms import submit
from web.paging import place
from web.visits import arrive


async def index(request: Request) -> Response:
    """A page of notices, the newest first."""
    visit = await arrive(request)
    before = place(request)
    async with visit.instance.reading() as session:
        lines = await notifications.page(session, visit.member, before=before)
        invited = await invitations.waiting(session, visit.member) if before is None else []
        told = await reviews.latest(session, visit.member) if before is None else []
        mentoring = await mentors.latest(session, visit.member) if before is None else []
        declined = await letters.declined(session, visit.member)
    older = lines[-1].notice.id if len(lines) == notifications.PAGE else None
    return visit.page(
        "notifications/index.html",
        lines=lines,
        invited=invited,
        older=older,
        first=before is None,
        reviews=told,
        review_words=reviews.sentence,
        mentoring=mentoring,
        mentoring_words=mentors.sentence,
        letters=letters.WORDS,
        declined=declined,
    )


async def mark_read(request: Request) -> Response:
    """Mark one notice, or all of them, as read."""
    visit, form = await submit(request)
    number = form["notice"]
    notice = int(number) if number.isdecimal() and len(number) < 19 else None
    async with visit.instance.transaction() as tx:
        await notifications.mark_read(tx, visit.member, notice)
        if notice is None:
            await invitations.seen(tx, visit.member)
            await reviews.mark_read(tx, visit.member)
            await mentors.mark_read(tx, visit.member)
    return visit.go("/notifications", "read" if notice is None else None)


async def choose_letters(request: Request) -> Response:
    """Choose what there are letters about."""
    visit, form = await submit(request)
    async with visit.instance.transaction() as tx:
        wanted = [about for about in letters.WORDS if form[about] == "yes"]
        await letters.choose(tx, visit.member, wanted)
    return visit.go("/notifications", "letters_chosen")


routes = [
    Route("/notifications/letters", choose_letters, methods=["POST"]),
    Route("/notifications", index),
    Route("/notifications", mark_read, methods=["POST"]),
]
