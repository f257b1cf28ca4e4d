# SPDX-License-Identifier: Apache-2.0
"""The form by which a practice is warned of, or withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, Locked, NotAllowed, Refusal, TooFast
from server.forums.standing import standing
from server.library import warning
from server.library.pages import Read, read
from server.permissions import Permission, may, must
from server.practices import notices
from server.practices.notices import Notice
from web.errors import STATUS
from web.forms import submit
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit, arrive


async def form(request: Request) -> Response:
    """The form, with the notice that stands."""
    visit = await arrive(request)
    found = await _found(visit, request)
    stands = found.stands
    typed = {"kind": stands.kind, "words": stands.words} if stands else {}
    return _page(visit, found, typed, None)


@dataclass(frozen=True)
class _Found:
    read: Read
    stands: Notice | None
    is_steward: bool
    by_forum: Notice | None

    @property
    def is_closed(self) -> bool:
        """Whether this is the author's page of what stewards withdrew."""
        return not self.is_steward and self.stands is not None and self.stands.steward is not None


async def _found(visit: Visit, request: Request) -> _Found:
    """The practice, for its author, or for a steward who can withdraw it."""
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
        stands = await standing(session, visit.member, found.forum)
        is_author = may(stands, Permission.EDIT_POST, found.post)
        is_steward = not is_author and warning.may_be_withdrawn(stands, found.author)
        if not is_steward:
            must(stands, Permission.EDIT_POST, found.post)
        own = await notices.of(session, found.post.uri)
        by_forum = await notices.of_forum(session, found.post.uri)
        # Of what is not ours to speak for, the forum's own word is what a steward changes.
        given = own if found.author.is_local else by_forum
        return _Found(found, given, is_steward, by_forum if found.author.is_local else None)


def _page(
    visit: Visit,
    found: _Found,
    typed: Mapping[str, str],
    error: Refusal | None,
) -> Response:
    return visit.page(
        "practices/warning.html",
        STATUS.get(type(error), 400) if error else 200,
        post=found.read.post,
        stands=found.stands,
        is_steward=found.is_steward,
        is_ours=found.read.author.is_local,
        by_forum=found.by_forum,
        is_closed=found.is_closed,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
    )


async def warn(request: Request) -> Response:
    """Give a notice, or take the one that stands back."""
    visit, sent = await submit(request)
    found = await _found(visit, request)
    member, post = visit.member, found.read.post
    try:
        async with visit.instance.transaction() as tx:
            if sent["action"] == "lift":
                await warning.lift(tx, member, post)
                said = "practice_cleared"
            elif found.is_steward:
                await warning.withdraw(tx, member, post, sent["words"])
                said = "practice_withdrawn"
            else:
                await warning.warn(tx, member, post, sent["kind"], sent["words"])
                said = "practice_warned"
    except (Invalid, Locked, NotAllowed, TooFast) as error:
        return _page(visit, found, sent.values, error)
    return visit.go(path_of(post), said)


routes = [
    Route("/p/{id}/notice", form),
    Route("/p/{id}/notice", warn, methods=["POST"]),
]
