# SPDX-License-Identifier: Apache-2.0
"""What was decided here, by whom."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server import audit
from server.chain import checking, exporting
from web.admin.door import enter, enter_with_form
from web.paging import place

PAGE = 50
WORDS = {
    "activity.given_up": "sent what could not be dealt with for three days",
    "activity.refused": "was refused in trying to change what is not theirs",
    "forum.changed": "changed the forum",
    "forum.created": "made the forum",
    "forum.moved": "moved to",
    "keys.changed": "changed the keys of",
    "library.changed": "changed how the library is kept",
    "library.topic_listed": "listed the topic",
    "library.topic_unlisted": "took the topic off the list",
    "member.joined": "joined",
    "member.invited": "made an invitation",
    "peer.forgotten": "dropped what waited for",
    "peer.given_up": "could not be reached for thirty days, so it was not sent",
    "peer.paused": "paused sending to",
    "peer.resumed": "went on sending to",
    "peer.retried": "had sending tried at once to",
    "person.moved": "moved to",
    "person.let_in": "let in again",
    "person.shut_out": "shut out of a forum",
    "person.shut_out_asked": "asked for shutting out",
    "record.erased": "erased the words of line",
    "report.closed": "dealt with a report of",
    "policy.allow": "allowed",
    "policy.deny": "denied",
    "policy.removed": "removed the rule for",
    "practice.withdrawn": "withdrew a practice",
    "practice.withdrawal_lifted": "took back the withdrawal of a practice",
    "post.removed": "removed a post",
    "post.reported": "reported",
    "post.removal_asked": "asked for the removal of a post",
    "thread.locked": "closed a thread",
    "thread.unlocked": "opened a thread again",
    "thread.pinned": "pinned a thread",
    "thread.unpinned": "unpinned a thread",
    "steward.named": "named a steward of",
    "steward.removed": "removed a steward of",
}


async def index(request: Request) -> Response:
    """The record, newest first, and whether it is whole."""
    visit = await enter(request)
    before = place(request)
    async with visit.instance.reading() as session:
        page = await audit.page(session, before=before)
    return visit.page(
        "admin/record.html",
        page=page,
        words=WORDS,
        older=page.lines[-1].place if len(page.lines) == PAGE else None,
        first=before is None,
    )


async def check(request: Request) -> Response:
    """Look at the whole record now."""
    visit, _ = await enter_with_form(request)
    made = await checking.check(visit.instance)
    return visit.go("/admin/record", "record_whole" if made.broken is None else "record_broken")


async def export(request: Request) -> Response:
    """All of it, a JSON object a line, with what an outsider needs to check it."""
    visit = await enter(request)
    name = f"record-{visit.instance.clock.now():%Y-%m-%d}.jsonl"
    return StreamingResponse(
        exporting.lines(visit.instance),
        media_type="application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


routes = [
    Route("/admin/record", index),
    Route("/admin/record/check", check, methods=["POST"]),
    Route("/admin/record/export", export),
]
