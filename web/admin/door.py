# SPDX-License-Identifier: Apache-2.0
"""Who may come in here."""

from starlette.requests import Request

from server.permissions import Permission, Standing, must
from web.forms import Form, submit
from web.visits import Visit, arrive


async def enter(request: Request) -> Visit:
    """The visit of an administrator; refuses everybody else."""
    visit = await arrive(request)
    must(Standing(visit.viewer.member), Permission.ADMINISTER)
    return visit


async def enter_with_form(request: Request) -> tuple[Visit, Form]:
    """The same, with the form they sent."""
    visit, form = await submit(request)
    must(Standing(visit.viewer.member), Permission.ADMINISTER)
    return visit, form
