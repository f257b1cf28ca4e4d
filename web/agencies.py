# SPDX-License-Identifier: Apache-2.0
"""The agencies we share with, and the forums they open."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import agencies, peers
from server.errors import NotFound, Refusal
from server.forums import pages as forum_pages
from server.rows import Forum
from server.shown import ShownForum
from web import limits
from web.limits import spend
from web.visits import Visit, arrive


async def index(request: Request) -> Response:
    """Every agency that we hear from or that a rule names, for anybody to read."""
    visit = await arrive(request)
    instance = visit.instance
    mode, now = instance.settings.federates, instance.clock.now()
    after = request.query_params.get("after", "")[:255]
    async with instance.reading() as session:
        rules = await peers.rules(session)
        page = await agencies.page(session, mode, now, after=after)
        lines = await forum_pages.index(session, visit.viewer)
    heard = {peers.bare_host(peer.host) for peer in page.peers}
    named = [
        rule.pattern
        for rule in rules
        if not (after or page.after)
        and not rule.pattern.startswith("*.")
        and rule.pattern not in heard
        and peers.decide(mode, rules, rule.pattern, now).allowed
    ]
    held: dict[str, int] = {}
    for line in lines:
        if line.forum.peer is not None:
            held[line.forum.peer] = held.get(line.forum.peer, 0) + 1
    return visit.page(
        "agencies/index.html",
        known=page.peers,
        named=named,
        held=held,
        mode=mode,
        after=after,
        more=page.after,
    )


async def one(request: Request) -> Response:
    """An agency's public forums, asked of the agency itself; for members."""
    visit = await arrive(request)
    spend(visit, limits.LOOK_UP, f"member {visit.member.id}")
    async with visit.instance.reading() as session:
        host = await agencies.with_port(session, request.path_params["host"].lower())
    await _must_be_let_in(visit, host)
    said = ""
    found: list[Forum | ShownForum] = []
    try:
        found = list(await visit.lookup.forums_of(host))
    except Refusal as error:
        said = error.sentence
    async with visit.instance.reading() as session:
        known = await agencies.known(session, host)
        lines = await forum_pages.index(session, visit.viewer)
    follows = {line.forum.id: line.follow for line in lines}
    if said:
        # What we hold already is better than nothing while they cannot be reached.
        found = [line.forum for line in lines if line.forum.peer == host]
    shown = [(forum, follows.get(forum.id)) for forum in found if forum.id in follows]
    name = known.name if known is not None and known.name else host
    return visit.page("agencies/one.html", host=host, name=name, forums=shown, sentence=said)


async def _must_be_let_in(visit: Visit, host: str) -> None:
    instance = visit.instance
    async with instance.reading() as session:
        decision = await peers.judge(
            session, instance.settings.federates, host, instance.clock.now()
        )
    if not decision.allowed:
        raise NotFound("This agency is not on our list. Ask an administrator to add it.")


routes = [Route("/agencies", index), Route("/agencies/{host}", one)]
