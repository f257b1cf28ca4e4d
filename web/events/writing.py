# SPDX-License-Identifier: Apache-2.0
"""The forms that put an event into the calendar and change it."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.calendar import series, writing
from server.calendar import typed as checking
from server.calendar.lists import choice
from server.calendar.pages import Read, read_to_change
from server.calendar.recurring import REPEATS
from server.errors import Gone, Invalid, Locked, NotAllowed, Refusal, TooFast
from server.events import times
from server.events.details import JOININGS, KINDS
from server.forums import pages as forums
from server.forums.standing import standing
from server.permissions import Permission, Standing, must
from server.posts.drafts import ThreadForm
from server.rows import Forum
from web import repeats
from web.errors import STATUS
from web.forms import Form, submit, submit_writing
from web.forums import named
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit, arrive

KEEPS_THE_FORM = (Invalid, Locked, TooFast, Gone, NotAllowed)
STALE = "You signed in again since this form was opened. Please press the button once more."
ORDER = (
    *("title", "source", "kind", "start_date", "start_time", "end_date", "end_time", "zone"),
    *("repeat", "repeat_until", "repeat_count", "except_on", "rule"),
    *("place", "online", "hidden", "joining", "external", "capacity", "agenda", "access", "tags"),
)
FIRST = {"kind": "webinar", "joining": "free"}


def show(
    visit: Visit,
    forum: Forum,
    typed: Mapping[str, str],
    error: Refusal | None,
    found: Read | None = None,
    *,
    filled: bool = False,
) -> Response:
    faults = error.fields if isinstance(error, Invalid) else {}
    response = visit.page(
        "events/form.html",
        STATUS.get(type(error), 400) if error else 200,
        forum=forum,
        post=found.post if found else None,
        typed=typed,
        faults={name: faults[name] for name in (*ORDER, *faults) if name in faults},
        sentence=error.sentence if error else "",
        kinds=list(KINDS.items()),
        joinings=[(value, words, "") for value, words in JOININGS.items()],
        zones=[(name, name.replace("_", " ")) for name in times.zones()],
        filled=filled,
        repeating=list(REPEATS.items()),
        is_repeated=found is not None and bool(found.details.series),
        once=repeats.new(visit),
    )
    if isinstance(error, TooFast):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def choose(request: Request) -> Response:
    """Where an event can be announced."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    async with visit.instance.reading() as session:
        places = await forums.open_to(session, visit.viewer)
    return visit.page("events/where.html", places=places, here="events")


async def new(request: Request) -> Response:
    """The empty form."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
        must(await standing(session, visit.member, forum), Permission.POST_THREAD)
        kept = await choice(session, visit.member)
    typed = FIRST | {"zone": (kept.zone if kept else "") or times.DEFAULT}
    return show(visit, forum, typed, None)


async def send(request: Request) -> Response:
    """Put the event into the calendar."""
    visit, sent = await submit_writing(request)
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
        if visit.viewer.member is not None:
            must(await standing(session, visit.member, forum), Permission.POST_THREAD)
    try:
        must_be_fresh(visit, sent)
        digest = _digest(forum, sent)
        async with repeats.turn(visit, sent["once"]) as turn:
            if turn.answer is None:
                async with visit.instance.transaction() as tx:
                    made = await series.publish(tx, visit.member, forum, sent.values)
                turn.answer = (path_of(made), "event_posted" if forum.is_local else "sent")
                repeats.done(visit, turn, digest)
            elif turn.text != digest:
                raise Invalid(message="This form was sent already: press the button once more.")
            return visit.go(*turn.answer)
    except KEEPS_THE_FORM as error:
        return show(visit, forum, sent.values, error)


def _digest(forum: Forum, sent: Form) -> str:
    when = " ".join(sent[name] for name in ORDER)
    return repeats.digest(f"events:{forum.id}", ThreadForm(sent["title"], sent["source"], when))


def must_be_fresh(visit: Visit, sent: Form) -> None:
    if visit.viewer.member is None or sent.stale:
        raise NotAllowed(STALE)


async def edit(request: Request) -> Response:
    """The form with the event as it is."""
    visit = await arrive(request)
    found, typed = await _as_it_is(request, visit)
    return show(visit, found.forum, typed, None, found)


async def _as_it_is(request: Request, visit: Visit) -> tuple[Read, dict[str, str]]:
    async with visit.instance.reading() as session:
        found = await read_to_change(session, visit.viewer, post_id(request))
        tags = (await forums.tags_of(session, [found.post.id])).get(found.post.id, ())
    form = ThreadForm(found.post.title, found.post.source, ", ".join(tags), found.post.language)
    return found, checking.typed_of(form, found.details)


async def send_edit(request: Request) -> Response:
    """Change the event."""
    visit, sent = await submit_writing(request)
    found, _ = await _as_it_is(request, visit)
    try:
        must_be_fresh(visit, sent)
        draft = checking.check({**sent.values, "repeat": ""})
        async with visit.instance.transaction() as tx:
            if sent["following"] == "yes":
                post = await series.revise(tx, visit.member, found.post, sent.values)
            else:
                post = await writing.revise(tx, visit.member, found.post, draft)
    except KEEPS_THE_FORM as error:
        return show(visit, found.forum, sent.values, error, found)
    return visit.go(path_of(post), "event_changed")


async def call_off(request: Request) -> Response:
    """Say that it does not take place."""
    visit, sent = await submit(request)
    async with visit.instance.reading() as session:
        found = await read_to_change(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        if sent["following"] == "yes":
            await series.call_off(tx, visit.member, found.post)
        else:
            await writing.amend(tx, visit.member, found.post, status="cancelled")
    return visit.go(path_of(found.post), "event_off")


async def ask_call_off(request: Request) -> Response:
    """Ask once more before an event is called off."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await read_to_change(session, visit.viewer, post_id(request))
    return visit.page("events/call_off.html", found=found, post=found.post)


async def materials(request: Request) -> Response:
    """The form for what remains: recording and materials."""
    visit = await arrive(request)
    found, typed = await _as_it_is(request, visit)
    return _materials_page(visit, found, typed, None)


def _materials_page(
    visit: Visit, found: Read, typed: Mapping[str, str], error: Refusal | None
) -> Response:
    return visit.page(
        "events/materials.html",
        STATUS.get(type(error), 400) if error else 200,
        found=found,
        post=found.post,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
    )


async def send_materials(request: Request) -> Response:
    """Add recording and materials to an event."""
    visit, sent = await submit_writing(request)
    found, _ = await _as_it_is(request, visit)
    try:
        must_be_fresh(visit, sent)
        recording, kept = checking.check_materials(sent.values)
        async with visit.instance.transaction() as tx:
            await writing.amend(tx, visit.member, found.post, recording=recording, materials=kept)
    except KEEPS_THE_FORM as error:
        return _materials_page(visit, found, sent.values, error)
    return visit.go(path_of(found.post), "edited")


routes = [
    Route("/events/new", choose),
    Route("/f/{where}/events/new", new),
    Route("/f/{where}/events/new", send, methods=["POST"]),
    Route("/p/{id}/event", edit),
    Route("/p/{id}/event", send_edit, methods=["POST"]),
    Route("/p/{id}/call-off", ask_call_off),
    Route("/p/{id}/call-off", call_off, methods=["POST"]),
    Route("/p/{id}/materials", materials),
    Route("/p/{id}/materials", send_materials, methods=["POST"]),
]
