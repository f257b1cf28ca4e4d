# SPDX-License-Identifier: Apache-2.0
"""Calendar files: one event fills in the form, of several one chooses."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.calendar import choosing, importing
from server.calendar.choosing import Choice
from server.calendar.importing import Found
from server.errors import Invalid, Refusal, TooFast
from server.events import times
from server.events.details import JOININGS
from server.forums import pages as forums
from server.forums.standing import standing
from server.permissions import Permission, must
from server.rows import Forum
from web import limits, repeats
from web.errors import STATUS
from web.events import writing
from web.forms import Form, submit, submit_writing
from web.forums import named
from web.limits import Limit
from web.templates import where
from web.visits import Visit

FILES = Limit("calendar file", 20, 600)
# A tick and what it is of, and what holds for all.
MOST_FIELDS = 2 * choosing.MOST + 10
# On another website somebody would have to say which, for each.
FOR_ALL = {name: words for name, words in JOININGS.items() if name != "external"}


async def _place(request: Request, visit: Visit) -> Forum:
    """The forum, for those who may announce something in it."""
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
        must(await standing(session, visit.member, forum), Permission.POST_THREAD)
    return forum


async def fill_in(request: Request) -> Response:
    """The form filled in from a calendar file, or a list of its events to choose from."""
    visit, sent = await submit(request)
    forum = await _place(request, visit)
    try:
        limits.spend(visit, FILES, str(visit.member.id))
        found = await asyncio.to_thread(importing.events_of, sent.files.get("file", b""))
        if len(found) == 1 and found[0].fault:
            raise Invalid(
                {"file": f"The event in this file cannot be taken over. {found[0].fault}"}
            )
    except (Invalid, TooFast) as error:
        return writing.show(visit, forum, writing.FIRST | {"zone": times.DEFAULT}, error)
    if len(found) == 1:
        return writing.show(visit, forum, found[0].typed, None, filled=True)
    async with visit.instance.reading() as session:
        chosen = await choosing.choices(session, forum, found, visit.instance.clock.now())
    ticked = [n for n, one in enumerate(chosen.shown) if not (one.fault or one.note)]
    return _choose(visit, forum, chosen.shown, set(ticked[: chosen.most]), left=chosen.left)


def _choose(
    visit: Visit,
    forum: Forum,
    shown: list[Choice],
    ticked: set[int],
    *,
    left: int = 0,
    joining: str = "none",
    error: Refusal | None = None,
) -> Response:
    return visit.page(
        "events/choose.html",
        STATUS.get(type(error), 400) if error else 200,
        forum=forum,
        shown=shown,
        ticked=ticked,
        left=left,
        most=choosing.most_in(forum),
        joining=joining,
        joinings=[(value, words, "") for value, words in FOR_ALL.items()],
        as_sent=_as_sent,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
        once=repeats.new(visit),
    )


def _as_sent(one: Choice) -> str:
    """An event of the list, as its form carries it."""
    return json.dumps(dict(one.typed), ensure_ascii=False, sort_keys=True)


async def take_over(request: Request) -> Response:
    """Put what is ticked into the calendar: all of it, or nothing and why."""
    visit, sent = await submit_writing(request, MOST_FIELDS)
    forum = await _place(request, visit)
    joining = sent["joining"] if sent["joining"] in FOR_ALL else "none"
    carried = _carried(sent, joining)
    ticked = {number for number in carried if sent[f"take-{number}"] == "yes"}
    try:
        writing.must_be_fresh(visit, sent)
        digest = _digest(forum, sent, ticked)
        async with repeats.turn(visit, sent["once"]) as turn:
            if turn.answer is None:
                chosen = {f"take-{number}": carried[number] for number in sorted(ticked)}
                async with visit.instance.transaction() as tx:
                    await choosing.announce(tx, visit.member, forum, chosen)
                said = "events_posted" if forum.is_local else "sent"
                turn.answer = (f"/events?forum={where(forum)}", said)
                repeats.done(visit, turn, digest)
            elif turn.text != digest:
                raise Invalid(message="This form was sent already: press the button once more.")
            return visit.go(*turn.answer)
    except writing.KEEPS_THE_FORM as error:
        shown = [choosing.look_over(forum, Found(dict(typed))) for typed in carried.values()]
        ticks = {place for place, number in enumerate(carried) if number in ticked}
        if isinstance(error, Invalid):
            places = {f"take-{number}": f"take-{n}" for n, number in enumerate(carried)}
            error.fields = {places.get(key, key): said for key, said in error.fields.items()}
        return _choose(visit, forum, shown, ticks, joining=joining, error=error)


def _carried(sent: Form, joining: str) -> dict[int, Mapping[str, str]]:
    """The events that the form carries, by number; what is no event of ours is left out."""
    found: dict[int, Mapping[str, str]] = {}
    for number in range(choosing.MOST):
        try:
            read: Any = json.loads(sent[f"event-{number}"] or "null")
        except ValueError:
            continue
        if isinstance(read, dict) and all(isinstance(value, str) for value in read.values()):
            found[number] = {**read, "joining": joining}
    return found


def _digest(forum: Forum, sent: Form, ticked: set[int]) -> str:
    said = [f"file:{forum.id}", sent["joining"], *(sent[f"event-{n}"] for n in sorted(ticked))]
    return hashlib.sha256(repr(said).encode(errors="replace")).hexdigest()


routes = [
    Route("/f/{where}/events/file", fill_in, methods=["POST"]),
    Route("/f/{where}/events/import", take_over, methods=["POST"]),
]
