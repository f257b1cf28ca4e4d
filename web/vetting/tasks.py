# SPDX-License-Identifier: Apache-2.0
"""What a member is asked to review, and the form for it."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotFound, Refusal
from server.practices.rendering import rendered
from server.practices.typed import number
from server.records.documents import VERSION
from server.reviews import notices, rubric, tasks, words
from server.reviews.rubric import Answers
from server.transaction import Transaction
from server.vetting import lists, reviewing
from server.vetting.lists import Older
from server.vetting.reviewing import TaskPage
from web.errors import STATUS
from web.forms import Form, submit
from web.paging import place
from web.practices.showing import of_record
from web.visits import Visit, arrive

SAID = {
    "name": "reviewer_named",
    "accept": "review_accepted",
    "decline": "review_declined",
    "save": "draft_saved",
    "send": "review_sent",
    "consent": "reviewer_consents",
}


_LISTS = ("done", "here", "elsewhere")


async def mine(request: Request) -> Response:
    """Everything about reviews that waits for a member, and what they did."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await lists.mine(session, visit.member)
    return visit.page(
        "reviews/mine.html",
        mine=found,
        older=_link(found.older),
        states=words.STATES,
        task_states=words.TASKS,
    )


async def earlier(request: Request) -> Response:
    """Further back: what a member reviewed, and what they had reviewed."""
    visit = await arrive(request)
    before = Older(*(place(request, name) for name in _LISTS))
    async with visit.instance.reading() as session:
        done, written, older = await lists.earlier(session, visit.member, before)
    return visit.page(
        "reviews/earlier.html",
        done=done,
        written=written,
        older=_link(older),
        states=words.STATES,
        task_states=words.TASKS,
    )


def _link(older: Older) -> str:
    """The address of what is older; empty where every list has ended."""
    found = [(name, getattr(older, name)) for name in _LISTS]
    query = urlencode([(name, at) for name, at in found if at is not None])
    return f"/reviews/earlier?{query}" if query else ""


async def show(request: Request) -> Response:
    """One review that is asked for."""
    visit = await arrive(request)
    return await _page(visit, request.path_params["token"])


async def _found(visit: Visit, word: str) -> TaskPage:
    async with visit.instance.reading() as session:
        return await reviewing.task_page(session, visit.member, word)


async def _page(
    visit: Visit,
    word: str,
    typed: dict[str, str] | None = None,
    error: Refusal | None = None,
) -> Response:
    page = await _found(visit, word)
    if visit.notices:
        async with visit.instance.transaction() as tx:
            await notices.mark_read(tx, visit.member, f"/reviews/{word}")
    shown: dict[str, Any] = {}
    if page.record is not None:
        parts = json.loads(await asyncio.to_thread(rendered, page.record))
        shown = of_record(page.record, parts, "")
    return visit.page(
        "reviews/task.html",
        STATUS.get(type(error), 400) if error else 200,
        page=page,
        typed=_typed(page.answers) if typed is None else typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
        rubric=rubric,
        states=words.STATES,
        task_states=words.TASKS,
        **shown,
    )


def _typed(answers: Answers) -> dict[str, str]:
    """Answers as the fields of the form."""
    found = {"recommendation": answers.recommendation, "summary": answers.summary}
    for criterion in rubric.CRITERIA:
        mark = answers.mark(criterion)
        found[f"{criterion}.score"] = str(mark.score or "")
        found[f"{criterion}.comment"] = mark.comment
    return found


def answers_of(form: Form) -> Answers:
    """The answers that the fields make."""
    document: dict[str, Any] = {
        "v": VERSION,
        "recommendation": form["recommendation"],
        "summary": form["summary"],
    }
    for criterion in rubric.CRITERIA:
        document[criterion] = {
            "score": number(form[f"{criterion}.score"]),
            "comment": form[f"{criterion}.comment"],
        }
    return rubric.parse(document)


async def act(request: Request) -> Response:
    """Name somebody, say yes or no, write, send."""
    visit, form = await submit(request)
    word, action = request.path_params["token"], form["action"]
    await _found(visit, word)
    if action not in SAID:
        raise NotFound
    try:
        async with visit.instance.transaction() as tx:
            await _do(tx, visit, word, form)
    except NotFound:
        raise
    except Refusal as error:
        return await _page(visit, word, dict(form.values), error)
    # Whoever handed it back no longer sees it.
    return visit.go("/reviews" if action == "decline" else f"/reviews/{word}", SAID[action])


async def _do(tx: Transaction, visit: Visit, word: str, form: Form) -> None:
    member, action = visit.member, form["action"]
    task = await tasks.must_find(tx, word)
    if action == "name":
        await tasks.name(tx, member, task, form["handle"])
    elif action == "accept":
        await tasks.accept(tx, member, task, _conflict(form))
    elif action == "decline":
        await tasks.decline(tx, member, task, form["reason"])
    elif action == "save":
        await tasks.save(tx, member, task, answers_of(form))
    elif action == "send":
        await tasks.send(tx, member, task, answers_of(form))
    else:
        await tasks.consent(tx, member, task)


def _conflict(form: Form) -> str | None:
    """What could sway the reviewer: "" for nothing, None where they did not say."""
    if form["conflict"] == "none":
        return ""
    if form["conflict"] != "some":
        return None
    if not form["which"].strip():
        raise Invalid({"which": "Say what it is, so that the stewards can judge."})
    return form["which"]


routes = [
    Route("/reviews", mine),
    Route("/reviews/earlier", earlier),
    Route("/reviews/{token}", show),
    Route("/reviews/{token}", act, methods=["POST"]),
]
