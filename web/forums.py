# SPDX-License-Identifier: Apache-2.0
"""The pages of forums: reading, following, founding, keeping."""

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import freshness
from server.errors import Invalid, NotAllowed, NotFound, Refusal, TooFast
from server.forums import deeds, follows, pages
from server.forums.deeds import ForumDraft
from server.forums.pages import Place
from server.forums.standing import standing
from server.moderation import blocks
from server.permissions import Permission, Standing, may, must
from server.rows import Forum
from server.shown import ShownForum
from web.errors import STATUS
from web.forms import Form, submit
from web.templates import path_of
from web.visits import Visit, arrive


def named(request: Request, visit: Visit) -> tuple[str, str | None]:
    """The handle and the peer (None for our own) of the forum or person an address names."""
    if not request.path_params["where"].isprintable():
        raise NotFound
    handle, at, peer = request.path_params["where"].lower().partition("@")
    if at and not peer:
        raise NotFound
    return handle, peer if peer and peer != visit.instance.settings.host else None


def in_a_list(forum: Forum | ShownForum) -> str:
    """A forum in a list to choose from, with its agency where that is another one."""
    return forum.title if forum.is_local else f"{forum.title} ({forum.agency or forum.peer})"


async def index(request: Request) -> Response:
    """Every forum the viewer may know of, by agency."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        lines = await pages.index(session, visit.viewer)
    ours = visit.instance.settings.agency_name
    agencies = groupby(lines, lambda line: line.forum.agency or line.forum.peer or ours)
    return visit.page(
        "forums/index.html",
        groups=[(agency, list(of_it)) for agency, of_it in agencies],
        may_create=may(Standing(visit.viewer.member), Permission.CREATE_FORUM),
    )


async def forum(request: Request) -> Response:
    """One forum and its threads."""
    visit = await arrive(request)
    after = Place.read(request.query_params.get("after", ""))
    async with visit.instance.reading() as session:
        found = await pages.shown_one(session, visit.viewer, *named(request, visit))
        page = await pages.page(session, visit.viewer, found, after=after)
        # What it has become may be renamed without a word in the forum that is shown.
        if visit.viewer.member is None and page.moved_to is None:
            visit.mark = await freshness.mark(session, freshness.of_forum(found.id))
    return visit.page("forums/forum.html", page=page, after=after)


async def follow(request: Request) -> Response:
    """Follow it; a forum of another agency is asked."""
    visit, _ = await submit(request)
    async with visit.instance.reading() as session:
        found = await pages.one(session, visit.viewer, *named(request, visit))
    async with visit.instance.transaction() as tx:
        held = await follows.follow(tx, visit.member, found)
    return visit.go(path_of(found), "followed" if held.state == "accepted" else "follow_asked")


async def leave(request: Request) -> Response:
    """Follow it no longer."""
    visit, _ = await submit(request)
    async with visit.instance.reading() as session:
        found = await pages.one(session, visit.viewer, *named(request, visit))
    async with visit.instance.transaction() as tx:
        await follows.leave(tx, visit.member, found)
    return visit.go(path_of(found), "left")


def _typed(form: Form) -> ForumDraft:
    return ForumDraft(
        handle=form["handle"],
        title=form["title"],
        description=form["description"],
        visibility=form["visibility"],
        language=form["language"],
    )


async def new(request: Request) -> Response:
    """The form that founds a forum."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.CREATE_FORUM)
    typed = ForumDraft("", "", language=visit.instance.settings.language)
    return visit.page("forums/new.html", typed=typed, faults={}, sentence="")


async def create(request: Request) -> Response:
    """Found a forum."""
    visit, form = await submit(request)
    must(Standing(visit.member), Permission.CREATE_FORUM)
    typed = _typed(form)
    try:
        deeds.check(typed)
        keys = await visit.instance.vault.new_pair()
        async with visit.instance.transaction() as tx:
            made = await deeds.create(tx, visit.member, typed, keys)
            await follows.follow(tx, visit.member, made)
    except Invalid as error:
        return visit.page(
            "forums/new.html", 422, typed=typed, faults=error.fields, sentence=error.sentence
        )
    return visit.go(path_of(made), "forum_made")


async def edit(request: Request) -> Response:
    """The form that changes a forum, and what it sends."""
    visit, form = await _perhaps_submitted(request)
    async with visit.instance.reading() as session:
        found = await pages.one(session, visit.viewer, *named(request, visit))
        stands = await standing(session, visit.member, found)
    must(stands, Permission.EDIT_FORUM)
    if not found.is_local:
        raise NotFound
    if form is None:
        held = ForumDraft(
            found.handle,
            found.title,
            found.description_source,
            found.visibility,
            found.language,
        )
        return visit.page("forums/edit.html", forum=found, typed=held, faults={}, sentence="")
    typed = _typed(form)
    try:
        async with visit.instance.transaction() as tx:
            await deeds.change(tx, visit.member, found, typed)
    except Invalid as error:
        return visit.page(
            "forums/edit.html",
            422,
            forum=found,
            typed=typed,
            faults=error.fields,
            sentence=error.sentence,
        )
    return visit.go(path_of(found), "forum_changed")


async def _perhaps_submitted(request: Request) -> tuple[Visit, Form | None]:
    return await submit(request) if request.method == "POST" else (await arrive(request), None)


async def people(request: Request) -> Response:
    """Who looks after a forum, and who may enter a closed one."""
    return await _people(request, await arrive(request))


async def change_people(request: Request) -> Response:
    """Name or list somebody, or no longer."""
    visit, form = await submit(request)
    async with visit.instance.reading() as session:
        found = await pages.one(session, visit.viewer, *named(request, visit))
    action = form["action"]
    try:
        async with visit.instance.transaction() as tx:
            if action in {"name", "remove"}:
                person = await deeds.find_steward(tx, form["steward"])
                await deeds.name_steward(tx, visit.member, found, person, named=action == "name")
            elif action == "let_in":
                person = await deeds.find_steward(tx, form["handle"])
                await blocks.let_in(tx, visit.member, found, person)
            elif action in {"list", "unlist"}:
                handle = form["handle"]
                await deeds.list_member(tx, visit.member, found, handle, listed=action == "list")
            else:
                raise NotAllowed("This form cannot be read: reload the page and try again.")
    except (Invalid, TooFast) as error:
        return await _people(request, visit, form, error)
    return visit.go(f"{path_of(found)}/people", "people_changed")


async def _people(
    request: Request, visit: Visit, form: Form | None = None, error: Refusal | None = None
) -> Response:
    async with visit.instance.reading() as session:
        found = await pages.one(session, visit.viewer, *named(request, visit))
        stands = await standing(session, visit.member, found)
        stewards, listed = await pages.people(session, found)
        out = await blocks.people(session, found)
    if not found.is_local:
        raise NotFound
    must(stands, Permission.LIST_MEMBERS)
    return visit.page(
        "forums/people.html",
        STATUS.get(type(error), 400) if error else 200,
        forum=found,
        stewards=stewards,
        listed=listed,
        shut_out=out,
        may_name=may(stands, Permission.NAME_STEWARDS),
        typed={name: form[name] if form else "" for name in ("steward", "handle")},
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
    )


routes = [
    Route("/forums", index),
    Route("/forums/new", new),
    Route("/forums/new", create, methods=["POST"]),
    Route("/f/{where}", forum),
    Route("/f/{where}/follow", follow, methods=["POST"]),
    Route("/f/{where}/leave", leave, methods=["POST"]),
    Route("/f/{where}/edit", edit, methods=["GET", "POST"]),
    Route("/f/{where}/people", people),
    Route("/f/{where}/people", change_people, methods=["POST"]),
]
