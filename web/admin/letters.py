# SPDX-License-Identifier: Apache-2.0
"""Mail this site has sent, or keeps for want of a mail server."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import mail
from web.admin.door import enter
from web.paging import place

PAGE = 50


async def index(request: Request) -> Response:
    """The letters, newest first; their text only where nothing goes out."""
    visit = await enter(request)
    before = place(request)
    async with visit.instance.reading() as session:
        letters = await mail.page(session, before=before)
    return visit.page(
        "admin/letters.html",
        letters=letters,
        most_attempts=mail.MOST_ATTEMPTS,
        kept=not visit.instance.settings.smtp,
        older=letters[-1].id if len(letters) == PAGE else None,
        first=before is None,
    )


routes = [Route("/admin/letters", index)]
