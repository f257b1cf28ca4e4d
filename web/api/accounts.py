# SPDX-License-Identifier: Apache-2.0
"""Accounts: people and forums, and what the member is to them."""

import contextlib
import re

from sqlalchemy.ext.asyncio import AsyncSession

from server import mutes
from server.errors import Invalid, NotFound
from server.forums import follows
from server.forums import pages as forum_pages
from server.members import profile
from server.rows import FollowState, Forum, Member
from server.timelines import lists, people, statuses
from server.timelines.people import Person
from server.timelines.spans import Span
from server.timelines.statuses import Line
from server.viewers import Viewer
from web.api.calls import Answer, Call, Json
from web.api.entities.accounts import relationship
from web.api.entities.statuses import Statuses
from web.api.pages import by_id
from web.api.routes import call
from web.api.timelines import PAGING

MOST_RELATIONS = 80
_WORD = re.compile(r"\w+")


async def one(call: Call) -> Json:
    """An account."""
    async with call.instance.reading() as session:
        thing = await _drawable(session, call, call.number())
    return Statuses(call.instance).account(thing)


async def _drawable(session: AsyncSession, call: Call, identifier: int) -> Person | Forum:
    thing = await people.find(session, call.viewer, identifier)
    if isinstance(thing, Forum):
        return thing
    return await people.figures(session, call.viewer, thing)


async def several(call: Call) -> Json:
    """Several accounts at once."""
    ids = _ids(call)
    async with call.instance.reading() as session:
        found = await people.several(session, call.viewer, ids)
    return [Statuses(call.instance).account(found[one]) for one in ids if one in found]


def _ids(call: Call) -> list[int]:
    return [one for one in call.given.numbers("id") if one][:MOST_RELATIONS]


async def lookup(call: Call) -> Json:
    """The account of a handle that is known here."""
    async with call.instance.reading() as session:
        thing = await _at(session, call, call.given.text("acct"))
    return Statuses(call.instance).account(thing)


async def _at(session: AsyncSession, call: Call, handle: str) -> Person | Forum:
    """The account of a handle, with or without a host; NotFound where it is not known here."""
    name, _, peer = handle.strip().lower().lstrip("@!").partition("@")
    if not name.isprintable() or not name:
        raise NotFound
    away = peer if peer and peer != call.instance.settings.host else None
    try:
        return await forum_pages.one(session, call.viewer, name, away)
    except NotFound:
        found = await profile.page(session, call.viewer, name, away)
        return await people.figures(session, call.viewer, found.member)


async def search(call: Call) -> Json:
    """Forums and people by their names, or by a whole handle."""
    query = call.given.text("q").strip()[:200]
    async with call.instance.reading() as session:
        found = await matching(session, call, query, call.limit(MOST_RELATIONS // 2, 80))
    return [Statuses(call.instance).account(thing) for thing in found]


async def matching(
    session: AsyncSession, call: Call, query: str, limit: int
) -> list[Person | Member | Forum]:
    """Forums whose title or handle begins so, then people whose handle does.

    A whole handle, as in `permits@lakeside.example.gov`, finds what it names and nothing else.
    """
    words = _WORD.findall(query.casefold())
    if not words:
        return []
    if "@" in query.lstrip("@!"):
        with contextlib.suppress(NotFound):
            return [await _at(session, call, query)]
    found: list[Person | Member | Forum] = []
    for line in await forum_pages.index(session, call.viewer):
        forum = line.forum
        names = _WORD.findall(f"{forum.title} {forum.handle}".casefold())
        if isinstance(forum, Forum) and all(any(n.startswith(w) for n in names) for w in words):
            found.append(forum)
    found += await people.named(session, query, limit)
    return found[:limit]


async def wrote(call: Call) -> Answer:
    """What a person wrote; the threads of a forum, as it passes them on."""
    given = call.given
    if given.yes("pinned") or given.yes("only_media"):
        return Answer([])
    span, viewer = call.span(), call.viewer
    async with call.instance.reading() as session:
        thing = await people.find(session, viewer, call.number())
        found = await _lines_of(session, viewer, span, thing, call)
        told = await statuses.lines(session, viewer, found)
    return by_id(call, Statuses(call.instance).lines(told))


async def _lines_of(
    session: AsyncSession, viewer: Viewer, span: Span, thing: Member | Forum, call: Call
) -> list[Line]:
    if isinstance(thing, Forum):
        if call.given.yes("exclude_reblogs"):
            return []
        return await lists.of_forum(session, viewer, span, thing.id)
    replies = not call.given.yes("exclude_replies")
    return await lists.of_member(session, viewer, span, thing, replies=replies)


async def followers(call: Call) -> Json:
    """Who follows is nobody else's business."""
    async with call.instance.reading() as session:
        await people.find(session, call.viewer, call.number())
    return []


async def following(call: Call) -> Json:
    """The forums that the member follows; what others follow is not told."""
    async with call.instance.reading() as session:
        await people.find(session, call.viewer, call.number())
        if call.viewer.member is None or call.viewer.member.id != call.number():
            return []
        found = await people.followed(session, call.viewer)
    return [Statuses(call.instance).account(forum) for forum in found]


async def lists_of(call: Call) -> Json:
    """The list in which a forum stands."""
    async with call.instance.reading() as session:
        found = await people.followed(session, call.viewer)
    drawn = Statuses(call.instance)
    return [drawn.forum_as_list(forum) for forum in found if forum.id == call.number()]


async def familiar(call: Call) -> Json:
    """Followers known to the member: not told, as followers are not."""
    return [{"id": str(one), "accounts": []} for one in _ids(call)]


async def relations(call: Call) -> Json:
    """What the member is to these accounts."""
    ids = _ids(call)
    async with call.instance.reading() as session:
        found = await people.several(session, call.viewer, ids)
        held = await people.follows(session, call.viewer, ids)
        away = await mutes.between(session, call.viewer, ids)
    return [relationship(one, held.get(one), away.get(one, ())) for one in ids if one in found]


async def follow(call: Call) -> Json:
    """Follow a forum; that of another agency is asked."""
    forum = await _a_forum(call)
    if call.given.yes("notify") or not call.given.yes("reblogs", True):
        raise Invalid(
            message="A forum is followed as it is: its threads are in your home timeline."
        )
    async with call.instance.transaction() as tx:
        held = await follows.follow(tx, call.member, forum)
        state = str(held.state)
    return relationship(forum.id, state)


async def unfollow(call: Call) -> Json:
    """Follow it no longer."""
    forum = await _a_forum(call)
    async with call.instance.transaction() as tx:
        await follows.leave(tx, call.member, forum)
    return relationship(forum.id, FollowState.REJECTED)


async def _a_forum(call: Call) -> Forum:
    async with call.instance.reading() as session:
        thing = await people.find(session, call.viewer, call.number())
    if not isinstance(thing, Forum):
        raise Invalid(message="People are not followed here: follow a forum they write in.")
    return thing


routes = [
    call(
        "GET", "/api/v1/accounts/lookup", lookup, "read:accounts", "Account", "acct!", public=True,
    ),
    call("GET", "/api/v1/accounts/search", search, "read:accounts", "[Account]", "q!", "limit"),
    call(
        "GET", "/api/v1/accounts/relationships", relations, "read:follows", "[Relationship]",
        "id[]",
    ),
    call(
        "GET", "/api/v1/accounts/familiar_followers", familiar, "read:follows",
        "[FamiliarFollowers]", "id[]",
    ),
    call("GET", "/api/v1/accounts", several, "read:accounts", "[Account]", "id[]", public=True),
    call("GET", "/api/v1/accounts/{id}", one, "read:accounts", "Account", public=True),
    call(
        "GET", "/api/v1/accounts/{id}/statuses", wrote, "read:statuses", "[Status]", "pinned",
        "only_media", "exclude_replies", "exclude_reblogs", *PAGING, public=True,
    ),
    call(
        "GET", "/api/v1/accounts/{id}/followers", followers, "read:accounts", "[Account]",
        public=True,
    ),
    call(
        "GET", "/api/v1/accounts/{id}/following", following, "read:accounts", "[Account]",
        public=True,
    ),
    call(
        "GET", "/api/v1/accounts/{id}/featured_tags", followers, "read:accounts", "[Tag]",
        public=True,
    ),
    call("GET", "/api/v1/accounts/{id}/lists", lists_of, "read:lists", "[List]"),
    call(
        "POST", "/api/v1/accounts/{id}/follow", follow, "write:follows", "Relationship", "notify",
        "reblogs",
    ),
    call("POST", "/api/v1/accounts/{id}/unfollow", unfollow, "write:follows", "Relationship"),
]  # fmt: skip
