# SPDX-License-Identifier: Apache-2.0
"""Search for people, forums and posts, and what an address names."""

from collections.abc import Sequence

from server import search
from server.errors import Refusal
from server.rows import Forum, Member, Post
from server.timelines import people, statuses
from server.timelines.people import Person
from web import limits
from web.api.accounts import matching
from web.api.calls import Call, Json
from web.api.entities.statuses import Statuses
from web.api.routes import call
from web.limits import spend
from web.search import known

# No further than this: a search is not for reading everything.
DEEPEST = 200


async def find(call: Call) -> Json:
    """Everything that fits; with `resolve`, an address or a handle of another agency too."""
    given = call.given
    query = given.text("q").strip()[:500]
    kinds = {given.text("type")} & {"accounts", "statuses", "hashtags"}
    wanted = kinds or {"accounts", "statuses", "hashtags"}
    empty: Json = {"accounts": [], "statuses": [], "hashtags": []}
    if not query:
        return empty
    spend(call.visit, limits.SEARCH, f"member {call.member.id}" if call.viewer.member else "")
    offset = min(given.number("offset") or 0, DEEPEST)
    try:
        resolve = given.yes("resolve") and call.viewer.member is not None
        thing = await known(call.visit, query, elsewhere=resolve)
    except Refusal:
        thing = None
        if resolve and ("://" in query or "@" in query.lstrip("@")):
            return empty
    if thing is not None:
        return empty | await _one(call, thing, wanted) if not offset else empty
    return empty | await _several(call, query, wanted, offset)


async def _one(call: Call, thing: Forum | Member | Post, wanted: set[str]) -> Json:
    drawn = Statuses(call.instance)
    if isinstance(thing, Post):
        async with call.instance.reading() as session:
            told = await statuses.told(session, call.viewer, [thing.id])
        found = [drawn.status(status) for status in told.values()]
        return {"statuses": found} if "statuses" in wanted else {}
    if "accounts" not in wanted:
        return {}
    async with call.instance.reading() as session:
        shown: Forum | Member | Person = thing
        if isinstance(thing, Member):
            shown = await people.figures(session, call.viewer, thing)
    return {"accounts": [drawn.account(shown)]}


async def _several(call: Call, query: str, wanted: set[str], offset: int) -> Json:
    limit, drawn = call.limit(20, 40), Statuses(call.instance)
    answer: Json = {}
    async with call.instance.reading() as session:
        if "accounts" in wanted:
            found = await matching(session, call, query, offset + limit)
            answer["accounts"] = [drawn.account(thing) for thing in found[offset:]]
        if "statuses" in wanted and call.may("read:search"):
            most = min(offset + limit, DEEPEST)
            ids: Sequence[int] = await search.matching(session, call.viewer, query, limit=most)
            ids = ids[offset:]
            told = await statuses.told(session, call.viewer, ids)
            answer["statuses"] = [drawn.status(told[one]) for one in ids if one in told]
    if "hashtags" in wanted and not offset and query.lstrip("#").isalnum():
        answer["hashtags"] = [drawn.tag(query.lstrip("#").lower())]
    return answer


routes = [
    call(
        "GET", "/api/v2/search", find, "read:search", "Search", "q!", "type", "resolve", "limit",
        "offset", public=True,
    ),
]  # fmt: skip
