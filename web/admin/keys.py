# SPDX-License-Identifier: Apache-2.0
"""The keys this site signs with, and giving somebody new ones."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import rotation
from server.errors import Invalid
from server.permissions import Permission, Standing, must
from web.admin.door import enter, enter_with_form
from web.visits import Visit


async def index(request: Request) -> Response:
    """Since when the site has its keys, and a form that gives new ones."""
    return await _page(await enter(request))


async def change(request: Request) -> Response:
    """Give a member, a forum or the site itself new keys."""
    visit, form = await enter_with_form(request)
    member, instance = visit.member, visit.instance
    # Making keys is slow: nobody has it done who may not.
    must(Standing(member), Permission.ADMINISTER)
    try:
        async with instance.reading() as session:
            owner = await rotation.owner_named(session, instance.settings.origin, form["name"])
        fresh = await instance.vault.new_pair()
        async with instance.transaction() as tx:
            await rotation.rotate(tx, member, owner, fresh)
    except Invalid as error:
        return await _page(visit, form["name"], error)
    return visit.go("/admin/keys", "keys_changed")


async def _page(visit: Visit, name: str = "", error: Invalid | None = None) -> Response:
    async with visit.instance.reading() as session:
        since = await rotation.since(session, f"{visit.instance.settings.origin}/instance")
    return visit.page(
        "admin/keys.html",
        422 if error else 200,
        since=since,
        name=name,
        faults=error.fields if error else {},
    )


routes = [
    Route("/admin/keys", index),
    Route("/admin/keys", change, methods=["POST"]),
]
