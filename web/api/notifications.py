# SPDX-License-Identifier: Apache-2.0
"""Notices as apps show them, and how far they were read."""

from server import markers, notifications
from server.errors import Invalid, NotFound
from server.notifications import Notice, NoticeLine
from server.rows import Marker
from server.timelines import notices, statuses
from server.timelines.spans import Span
from server.timelines.statuses import Status
from web.api.calls import Answer, Call, Json, as_id
from web.api.entities.accounts import moment
from web.api.entities.statuses import Statuses
from web.api.pages import by_id
from web.api.routes import call
from web.api.timelines import PAGING

KNOWN = frozenset({"mention", "favourite", "status", "reblog", "follow", "follow_request", "poll",
                   "update"})  # fmt: skip


def _kinds(call: Call) -> list[str] | None:
    """The kinds of notices that are asked for; None for all."""
    wanted = set(call.given.texts("types")) or set(KNOWN)
    wanted -= set(call.given.texts("exclude_types"))
    if wanted >= KNOWN:
        return None
    return [kind.value for kind in Notice if notices.type_of(kind) in wanted]


async def drawn(call: Call, found: list[NoticeLine]) -> list[Json]:
    """These notices with the posts that they are about."""
    async with call.instance.reading() as session:
        told = await statuses.told(session, call.viewer, {line.post.id for line in found})
    entities = Statuses(call.instance)
    return [notice(entities, line, told.get(line.post.id)) for line in found]


def notice(entities: Statuses, line: NoticeLine, status: Status | None) -> Json:
    """One notice."""
    return {
        "id": str(line.notice.id),
        "type": notices.type_of(line.notice.kind),
        "group_key": f"ungrouped-{line.notice.id}",
        "created_at": moment(line.notice.created),
        "account": entities.account(line.actor),
        "status": entities.status(status) if status is not None else None,
    }


async def index(call: Call) -> Answer:
    """The member's notices, newest first."""
    async with call.instance.reading() as session:
        span = call.span(40, 80)
        found = await notices.page(session, call.viewer, span, kinds=_kinds(call))
    return by_id(call, await drawn(call, found))


async def one(call: Call) -> Json:
    """One notice."""
    return (await drawn(call, [await _own(call)]))[0]


async def _own(call: Call) -> NoticeLine:
    async with call.instance.reading() as session:
        found = await notices.page(session, call.viewer, Span(1), only=call.number())
    if not found:
        raise NotFound
    return found[0]


async def dismiss(call: Call) -> Json:
    """Drop one notice."""
    await _own(call)
    async with call.instance.transaction() as tx:
        await notices.forget(tx, call.member, call.number())
    return {}


async def clear(call: Call) -> Json:
    """Drop all notices."""
    async with call.instance.transaction() as tx:
        await notices.forget(tx, call.member)
    return {}


async def unread(call: Call) -> Json:
    """How many notices have not been read."""
    async with call.instance.reading() as session:
        return {"count": await notifications.unread_count(session, call.member)}


async def marks(call: Call) -> Json:
    """How far the member has read."""
    asked = set(call.given.texts("timeline")) or set(markers.TIMELINES)
    async with call.instance.reading() as session:
        held = await markers.held(session, call.member)
    return {name: _mark(mark) for name, mark in held.items() if name in asked}


def _mark(mark: Marker) -> Json:
    return {
        "last_read_id": mark.last_read,
        "version": mark.version,
        "updated_at": moment(mark.updated),
    }


async def move(call: Call) -> Json:
    """Remember how far the member has read; a moved mark of notices marks them as read."""
    moved: dict[str, int] = {}
    for timeline in markers.TIMELINES:
        if not (inner := call.given.inner(timeline)):
            continue
        place = as_id(str(inner.get("last_read_id", "")))
        if place is None:
            raise Invalid({"last_read_id": "This is not the id of a line."})
        moved[timeline] = place
    async with call.instance.transaction() as tx:
        return {
            timeline: _mark(await markers.move(tx, call.member, timeline, place))
            for timeline, place in moved.items()
        }


SCOPE = "read:notifications"
routes = [
    call(
        "GET", "/api/v1/notifications", index, SCOPE, "[Notification]", "types[]",
        "exclude_types[]", *PAGING,
    ),
    call("GET", "/api/v1/notifications/unread_count", unread, SCOPE, "Count"),
    call("POST", "/api/v1/notifications/clear", clear, "write:notifications", "Empty"),
    call("GET", "/api/v1/notifications/{id}", one, SCOPE, "Notification"),
    call("POST", "/api/v1/notifications/{id}/dismiss", dismiss, "write:notifications", "Empty"),
    call("GET", "/api/v1/markers", marks, "read:statuses", "Markers", "timeline[]"),
    call(
        "POST", "/api/v1/markers", move, "write:statuses", "Markers", "home[last_read_id]",
        "notifications[last_read_id]",
    ),
]  # fmt: skip
