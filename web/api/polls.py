# SPDX-License-Identifier: Apache-2.0
"""Polls: reading one, and voting."""

from typing import Any

from server.errors import Invalid, NotFound
from server.polls import drafts
from server.polls.drafts import PollDraft
from server.posts import voting
from server.timelines.statuses import Status
from web.api.calls import Call, Given, Json, as_id
from web.api.entities.statuses import Statuses
from web.api.routes import call
from web.api.statuses import found

_YES = frozenset({"true", "1", "on", "True"})


def typed(given: Given) -> PollDraft | None:
    """The poll that a status is to carry; None where none was sent."""
    inner: dict[str, Any] = given.inner("poll")
    options = inner.get("options")
    listed = options if isinstance(options, list) else given.texts("poll[options]")
    if not listed:
        return None
    seconds = as_id(str(inner.get("expires_in") or "")) or 0
    multiple, hidden = (str(inner.get(name)) in _YES for name in ("multiple", "hide_totals"))
    names = [str(one).replace("\0", "") for one in listed[: drafts.MOST + 1]]
    try:
        return drafts.check(names, seconds, multiple=multiple, hidden=hidden)
    except Invalid as error:
        raise Invalid({"poll": " ".join(error.fields.values())}) from error


async def _carrying(call: Call) -> Status:
    _, status = await found(call)
    if status.poll is None or status.post.id != call.number():
        raise NotFound
    return status


async def one(call: Call) -> Json:
    """The poll of a thread; its id is the thread's."""
    return Statuses(call.instance).status(await _carrying(call))["poll"]


async def vote(call: Call) -> Json:
    """Choose in a poll, once and in time."""
    status = await _carrying(call)
    places = {as_id(one) for one in call.given.texts("choices")}
    async with call.instance.transaction() as tx:
        chosen = {-1 if place is None else place for place in places}
        await voting.vote(tx, call.member, status.post, chosen)
    return await one(call)


routes = [
    call("GET", "/api/v1/polls/{id}", one, "read:statuses", "Poll", public=True),
    call("POST", "/api/v1/polls/{id}/votes", vote, "write:statuses", "Poll", "choices[]"),
]
