# SPDX-License-Identifier: Apache-2.0
"""Polls on the pages of threads: what is typed, and voting."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid
from server.polls import drafts
from server.polls.drafts import PollDraft
from server.posts import pages, voting
from web.forms import Form, submit
from web.spots import post_id
from web.templates import path_of

DAY = 86_400
LASTING = {
    f"{DAY}": "A day",
    f"{3 * DAY}": "Three days",
    f"{7 * DAY}": "A week",
    f"{30 * DAY}": "A month",
}
MOST_KEPT = drafts.MOST * (drafts.LONGEST + 2)
FIELDS = ("poll_options", "poll_multiple", "poll_hidden", "poll_lasting")


def typed(form: Form) -> dict[str, str]:
    """What was typed of a poll."""
    return {name: form[name] for name in FIELDS}


def kept(values: dict[str, str]) -> str:
    """What a draft keeps of what was typed of a poll; "" where nothing can be chosen yet."""
    if not values.get("poll_options", "").strip():
        return ""
    fields = {
        name: "".join(sign for sign in values.get(name, "") if sign == "\n" or sign.isprintable())
        for name in FIELDS
    }
    # Written as it is, so that it stays as short as the column is long in any script.
    cut = {
        name: value[: MOST_KEPT if name == "poll_options" else 20] for name, value in fields.items()
    }
    return json.dumps(cut, ensure_ascii=False)


def typed_before(kept: str) -> dict[str, str]:
    """What was typed, from what a draft kept."""
    found: dict[str, str] = json.loads(kept) if kept else {}
    return found


def draft_of(form: Form) -> PollDraft | None:
    """The poll that was typed; None where there is none, Invalid where it needs another look."""
    lines = [line for line in form["poll_options"].split("\n") if line.strip()]
    if not lines:
        return None
    seconds = int(form["poll_lasting"]) if form["poll_lasting"] in LASTING else 0
    multiple, hidden = form["poll_multiple"] == "yes", form["poll_hidden"] == "yes"
    return drafts.check(lines, seconds, multiple=multiple, hidden=hidden)


async def vote(request: Request) -> Response:
    """Choose; once, and in time."""
    visit, form = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        post, _ = await pages.locate(session, visit.viewer, post_id(request))
    several = {place for place in range(drafts.MOST) if form[f"choice_{place}"] == "yes"}
    one = form["choice"]
    places = several | ({int(one)} if one.isascii() and one.isdecimal() and len(one) < 3 else set())
    if not places:
        raise Invalid(message="Choose something first.")
    async with visit.instance.transaction() as tx:
        await voting.vote(tx, member, post, places)
    return visit.go(f"{path_of(post)}#poll", "voted")


routes = [Route("/p/{id}/vote", vote, methods=["POST"])]
