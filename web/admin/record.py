# SPDX-License-Identifier: Apache-2.0
"""What was decided here, by whom."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import audit
from web.admin.door import enter
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
    """The record, newest first."""
    visit = await enter(request)
    before = place(request)
    async with visit.instance.reading() as session:
        entries = await audit.page(session, before=before)
    return visit.page(
        "admin/record.html",
        entries=entries,
        words=WORDS,
        older=entries[-1].id if len(entries) == PAGE else None,
        first=before is None,
    )


routes = [Route("/admin/record", index)]
