# SPDX-License-Identifier: Apache-2.0
"""Muting and blocking people, and muting threads."""

from functools import partial

from server import mutes
from server.errors import Invalid
from server.rows import Forum, Member, MuteKind
from server.timelines import choices, people
from web.api.calls import Answer, Call, Json
from web.api.entities.accounts import moment, relationship
from web.api.entities.statuses import Statuses
from web.api.pages import paged
from web.api.routes import call
from web.api.statuses import post_of, shown
from web.api.timelines import PAGING


async def mute(call: Call) -> Json:
    """Leave out what a person writes; `duration` is in seconds, 0 for good."""
    person, given = await _person(call), call.given
    notices = given.yes("notifications", default=True)
    async with call.instance.transaction() as tx:
        seconds = given.number("duration") or 0
        await mutes.mute(tx, call.member, person, notices=notices, seconds=seconds)
    return await _relation(call)


async def block(call: Call) -> Json:
    """Leave out what a person writes and does; nobody but the member learns of it."""
    person = await _person(call)
    async with call.instance.transaction() as tx:
        await mutes.block(tx, call.member, person)
    return await _relation(call)


async def _lift(call: Call, *, kind: MuteKind) -> Json:
    """Hear of a person again."""
    await _person(call)
    async with call.instance.transaction() as tx:
        await mutes.lift(tx, call.member, call.number(), kind)
    return await _relation(call)


async def _person(call: Call) -> Member:
    async with call.instance.reading() as session:
        thing = await people.find(session, call.viewer, call.number())
    if isinstance(thing, Forum):
        raise Invalid(message="A forum is not muted: leave it instead.")
    return thing


async def _relation(call: Call) -> Json:
    person = call.number()
    async with call.instance.reading() as session:
        away = await mutes.between(session, call.viewer, [person])
    return relationship(person, away=away.get(person, ()))


async def _kept_away(call: Call, *, kind: MuteKind) -> Answer:
    """Whom the member keeps away, the latest first."""
    async with call.instance.reading() as session:
        held = await choices.kept_away(session, call.member, call.span(40, 80), kind)
    drawn = Statuses(call.instance)
    body = []
    for one, person in held:
        until = {"mute_expires_at": moment(one.until) if one.until else None}
        body.append(drawn.account(person) | (until if kind == MuteKind.MUTE else {}))
    return paged(call, body, [str(one.id) for one, _ in held])


async def mute_thread(call: Call) -> Json:
    """Hear no more of the thread that a status is in."""
    post = await post_of(call)
    async with call.instance.transaction() as tx:
        await mutes.mute_thread(tx, call.member, post)
    return await shown(call)


async def unmute_thread(call: Call) -> Json:
    """Hear of it again."""
    post = await post_of(call)
    async with call.instance.transaction() as tx:
        await mutes.unmute_thread(tx, call.member, post)
    return await shown(call)


_OF_PERSON = "/api/v1/accounts/{id}"
routes = [
    call(
        "POST", f"{_OF_PERSON}/mute", mute, "write:mutes", "Relationship", "notifications",
        "duration",
    ),
    call(
        "POST", f"{_OF_PERSON}/unmute", partial(_lift, kind=MuteKind.MUTE), "write:mutes",
        "Relationship",
    ),
    call("POST", f"{_OF_PERSON}/block", block, "write:blocks", "Relationship"),
    call(
        "POST", f"{_OF_PERSON}/unblock", partial(_lift, kind=MuteKind.BLOCK), "write:blocks",
        "Relationship",
    ),
    call(
        "GET", "/api/v1/mutes", partial(_kept_away, kind=MuteKind.MUTE), "read:mutes",
        "[MutedAccount]", *PAGING,
    ),
    call(
        "GET", "/api/v1/blocks", partial(_kept_away, kind=MuteKind.BLOCK), "read:blocks",
        "[Account]", *PAGING,
    ),
    call("POST", "/api/v1/statuses/{id}/mute", mute_thread, "write:mutes", "Status"),
    call("POST", "/api/v1/statuses/{id}/unmute", unmute_thread, "write:mutes", "Status"),
]  # fmt: skip
