# SPDX-License-Identifier: Apache-2.0
"""Rules: which agencies we share with, who asked, how it goes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import peers, traffic
from server.errors import Invalid, NotFound, Refusal
from server.peers import Decision, RuleDraft
from server.traffic import Show
from web import limits
from web.admin.door import enter, enter_with_form
from web.forms import Form
from web.limits import spend
from web.visits import Visit

KEPT = ("pattern", "verdict", "reason", "expires", "host")


async def index(request: Request) -> Response:
    """The rules, a form for one more, a test, who knocked, and every peer."""
    visit = await enter(request)
    return await _page(visit, host=request.query_params.get("host", ""))


async def _page(
    visit: Visit, form: Form | None = None, error: Invalid | None = None, host: str = ""
) -> Response:
    instance = visit.instance
    now, mode = instance.clock.now(), instance.settings.federates
    asked, show = visit.request.query_params, _show(visit)
    async with instance.reading() as session:
        rules = await peers.rules(session)
        knocks = await peers.knocks(session)
        known = await traffic.peer_list(
            session, now, find=asked.get("find", ""), show=show, after=asked.get("after", "")
        )
    typed = {name: form[name] if form else "" for name in KEPT} | ({"host": host} if host else {})
    verdict: Decision | None = None
    if typed["host"] and not error:
        verdict = peers.decide(mode, rules, typed["host"], now)
    values: dict[str, Any] = {
        "rules": rules,
        "knocks": [k for k in knocks if not peers.decide(mode, rules, k.host, now).allowed],
        "known": known,
        "find": asked.get("find", ""),
        "show": show,
        "begun": bool(asked.get("after")),
        "mode": mode,
        "typed": typed,
        "faults": error.fields if error else {},
        "verdict": verdict,
        "tested": peers.bare_host(typed["host"]),
    }
    return visit.page("admin/federation.html", 422 if error else 200, **values)


def _show(visit: Visit) -> Show:
    asked = visit.request.query_params.get("show", "")
    return Show(asked) if asked in set(Show) else Show.ALL


async def change(request: Request) -> Response:
    """Add a rule, remove one, or say what would happen to a host."""
    visit, form = await enter_with_form(request)
    try:
        if form["action"] == "test":
            if not peers.bare_host(form["host"]):
                raise Invalid({"host": "Enter a host such as health.riverton.example.gov."})
            return await _page(visit, form)
        if form["action"] == "remove":
            await _remove(visit, form["rule"])
            return visit.go("/admin/federation", "rule_removed")
        draft = RuleDraft.read(form["pattern"], form["verdict"], form["reason"], form["expires"])
        async with visit.instance.transaction() as tx:
            await peers.add_rule(tx, visit.member, draft)
    except Invalid as error:
        return await _page(visit, form, error)
    return visit.go("/admin/federation", "rule_added")


async def _remove(visit: Visit, rule: str) -> None:
    if not rule.isdecimal() or len(rule) > 19:
        raise NotFound("There is no such rule.")
    async with visit.instance.transaction() as tx:
        await peers.remove_rule(tx, visit.member, int(rule))


async def knock(request: Request) -> Response:
    """One who asked to connect: only now are they asked who they are."""
    visit = await enter(request)
    host = request.path_params["host"]
    async with visit.instance.reading() as session:
        found = next((k for k in await peers.knocks(session) if k.host == host), None)
    if found is None:
        raise NotFound("Nobody of that name has asked to connect.")
    spend(visit, limits.LOOK_UP, f"member {visit.member.id}")
    described, said = None, ""
    try:
        described = await visit.lookup.describe(host)
    except Refusal as error:
        said = error.sentence
    return visit.page("admin/knock.html", knock=found, peer=described, sentence=said)


routes = [
    Route("/admin/federation", index),
    Route("/admin/federation", change, methods=["POST"]),
    Route("/admin/federation/knock/{host}", knock),
]
