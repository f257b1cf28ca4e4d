# SPDX-License-Identifier: Apache-2.0
"""Tags by themselves, and following them."""

from server import tag_follows
from server.timelines import choices
from web.api.calls import Answer, Call, Json
from web.api.entities.statuses import Statuses
from web.api.pages import paged
from web.api.routes import call
from web.api.timelines import PAGING


def _named(call: Call) -> str:
    return tag_follows.tidy(call.request.path_params["tag"])


async def one(call: Call) -> Json:
    """A tag, whether or not any thread carries it."""
    name = _named(call)
    async with call.instance.reading() as session:
        followed = await tag_follows.does_follow(session, call.viewer, name)
    return Statuses(call.instance).tag(name, followed=followed)


async def follow(call: Call) -> Json:
    """Have the threads with a tag in the home timeline."""
    async with call.instance.transaction() as tx:
        await tag_follows.follow(tx, call.member, _named(call))
    return await one(call)


async def leave(call: Call) -> Json:
    """Follow a tag no longer."""
    async with call.instance.transaction() as tx:
        await tag_follows.leave(tx, call.member, _named(call))
    return await one(call)


async def followed(call: Call) -> Answer:
    """The tags that the member follows, the latest first."""
    async with call.instance.reading() as session:
        held = await choices.tags(session, call.member, call.span(100, 200))
    drawn = Statuses(call.instance)
    body = [drawn.tag(one.tag, followed=True) for one in held]
    return paged(call, body, [str(one.id) for one in held])


routes = [
    call("GET", "/api/v1/tags/{tag}", one, "read", "Tag", public=True),
    call("POST", "/api/v1/tags/{tag}/follow", follow, "write:follows", "Tag"),
    call("POST", "/api/v1/tags/{tag}/unfollow", leave, "write:follows", "Tag"),
    call("GET", "/api/v1/followed_tags", followed, "read:follows", "[Tag]", *PAGING),
]
