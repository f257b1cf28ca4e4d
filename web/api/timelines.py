# SPDX-License-Identifier: Apache-2.0
"""Timelines: home, public, by tag, by list, endorsed, kept."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Invalid, NotFound
from server.rows import Forum
from server.timelines import lists, people, statuses
from server.timelines.spans import Span
from server.timelines.statuses import Line
from server.viewers import Viewer
from web.api.calls import Answer, Call, Json
from web.api.entities.statuses import Statuses
from web.api.pages import by_id, paged
from web.api.routes import call

PAGING = ("limit", "max_id", "since_id", "min_id")
Timeline = Callable[[AsyncSession, Viewer, Span], Awaitable[list[Line]]]


async def shown(call: Call, timeline: Timeline) -> Answer:
    """A page of a timeline."""
    async with call.instance.reading() as session:
        found = await timeline(session, call.viewer, call.span())
        told = await statuses.lines(session, call.viewer, found)
    return by_id(call, Statuses(call.instance).lines(told))


async def home(call: Call) -> Answer:
    """Threads of the forums followed, and what concerns the member."""
    return await shown(call, lists.home)


async def public(call: Call) -> Answer:
    """The newest threads of public forums."""
    local: bool | None = None
    if call.given.yes("local"):
        local = True
    elif call.given.yes("remote"):
        local = False
    if call.given.yes("only_media"):
        return Answer([])

    async def timeline(session: AsyncSession, viewer: Viewer, span: Span) -> list[Line]:
        return await lists.public(session, viewer, span, local=local)

    return await shown(call, timeline)


async def tagged(call: Call) -> Answer:
    """Threads that carry a tag."""
    tag = call.request.path_params["tag"].lower().lstrip("#")[:64]

    async def timeline(session: AsyncSession, viewer: Viewer, span: Span) -> list[Line]:
        return await lists.tagged(session, viewer, span, tag)

    return await shown(call, timeline)


async def of_list(call: Call) -> Answer:
    """The threads of one followed forum."""
    forum = call.number()

    async def timeline(session: AsyncSession, viewer: Viewer, span: Span) -> list[Line]:
        if forum not in {one.id for one in await people.followed(session, viewer)}:
            raise NotFound
        return await lists.of_forum(session, viewer, span, forum)

    return await shown(call, timeline)


async def endorsed(call: Call) -> Answer:
    """What the member endorses."""
    return await shown(call, lists.endorsed)


async def kept(call: Call) -> Answer:
    """What the member keeps."""
    async with call.instance.reading() as session:
        found = await lists.bookmarked(session, call.viewer, call.span())
        told = await statuses.lines(session, call.viewer, [line for _, line in found])
    body = Statuses(call.instance).lines(told)
    return paged(call, body, [str(place) for place, _ in found])


async def every_list(call: Call) -> Json:
    """One list for each forum followed."""
    async with call.instance.reading() as session:
        found = await people.followed(session, call.viewer)
    drawn = Statuses(call.instance)
    return [drawn.forum_as_list(forum) for forum in found]


async def one_list(call: Call) -> Json:
    """The list of one followed forum."""
    return Statuses(call.instance).forum_as_list(await _followed(call))


async def in_list(call: Call) -> Json:
    """The forum that a list stands for."""
    return [Statuses(call.instance).account(await _followed(call))]


async def _followed(call: Call) -> Forum:
    async with call.instance.reading() as session:
        found = await people.followed(session, call.viewer)
    forum = next((one for one in found if one.id == call.number()), None)
    if forum is None:
        raise NotFound
    return forum


async def fixed(call: Call) -> Json:
    """Lists are those of the forums followed, and change with them."""
    raise Invalid(
        message="There is one list for each forum you follow: follow or leave forums instead."
    )


routes = [
    call("GET", "/api/v1/timelines/home", home, "read:statuses", "[Status]", *PAGING),
    call(
        "GET", "/api/v1/timelines/public", public, "read:statuses", "[Status]",
        "local", "remote", "only_media", *PAGING, public=True,
    ),
    call(
        "GET", "/api/v1/timelines/tag/{tag}", tagged, "read:statuses", "[Status]", *PAGING,
        public=True,
    ),
    call("GET", "/api/v1/timelines/list/{id}", of_list, "read:lists", "[Status]", *PAGING),
    call("GET", "/api/v1/favourites", endorsed, "read:favourites", "[Status]", *PAGING),
    call("GET", "/api/v1/bookmarks", kept, "read:bookmarks", "[Status]", *PAGING),
    call("GET", "/api/v1/lists", every_list, "read:lists", "[List]"),
    call("POST", "/api/v1/lists", fixed, "write:lists", "List", "title"),
    call("GET", "/api/v1/lists/{id}", one_list, "read:lists", "List"),
    call("PUT", "/api/v1/lists/{id}", fixed, "write:lists", "List", "title"),
    call("DELETE", "/api/v1/lists/{id}", fixed, "write:lists", "Empty"),
    call("GET", "/api/v1/lists/{id}/accounts", in_list, "read:lists", "[Account]", "limit"),
    call("POST", "/api/v1/lists/{id}/accounts", fixed, "write:lists", "Empty"),
    call("DELETE", "/api/v1/lists/{id}/accounts", fixed, "write:lists", "Empty"),
]  # fmt: skip
