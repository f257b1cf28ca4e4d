# SPDX-License-Identifier: Apache-2.0
"""People's pages, and a member's own settings."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import mutes, pictures
from server.errors import Invalid, TooFast
from server.files import NewFile
from server.members import passwords, profile, sign_in
from server.members.profile import ProfileDraft
from web import accounts, limits, sessions
from web.forms import Form, submit
from web.forums import named
from web.limits import spend
from web.paging import place
from web.visits import Visit, arrive


async def person(request: Request) -> Response:
    """Somebody of ours, or of another agency."""
    visit = await arrive(request)
    handle, peer = named(request, visit)
    before = place(request)
    async with visit.instance.reading() as session:
        page = await profile.page(session, visit.viewer, handle, peer, before=before)
        away = await mutes.between(session, visit.viewer, [page.member.id])
    held = away.get(page.member.id, [])
    return visit.page("members/person.html", page=page, first=before is None, away=held)


async def me(request: Request) -> Response:
    """A member's own name, role, picture and words, to change."""
    visit = await arrive(request)
    member = visit.member
    typed = {"name": member.name, "role_title": member.role_title, "bio": member.bio_source}
    return _me_form(visit, typed)


def _me_form(
    visit: Visit, typed: dict[str, str], error: Invalid | TooFast | None = None, about: str = ""
) -> Response:
    faults = error.fields if isinstance(error, Invalid) else {}
    status = 200 if error is None else 422 if isinstance(error, Invalid) else 429
    return visit.page(
        "members/me.html",
        status,
        typed=typed,
        faults=faults,
        about=about,
        sentence=error.sentence if error else "",
    )


async def me_post(request: Request) -> Response:
    """Change the profile and, where one was sent, the picture."""
    visit, form = await submit(request)
    member = visit.member
    draft = ProfileDraft(form["name"], form["role_title"], form["bio"])
    try:
        picture = await _picture(visit, form)
        async with visit.instance.transaction() as tx:
            await profile.change(tx, member, draft)
            if picture is not None or form["remove_avatar"]:
                await profile.change_picture(tx, member, picture)
    except (Invalid, TooFast) as error:
        typed = {"name": draft.name, "role_title": draft.role_title, "bio": draft.bio}
        return _me_form(visit, typed, error, "profile")
    return visit.go("/me", "profile_changed")


async def _picture(visit: Visit, form: Form) -> NewFile | None:
    """The picture that was sent, made anew and put on the disk."""
    sent = form.files.get("avatar")
    if not sent:
        return None
    spend(visit, limits.PICTURE, f"member {visit.member.id}")
    try:
        made = await pictures.square(sent)
    except pictures.NotAPicture as error:
        raise Invalid({"avatar": str(error)}) from error
    return await visit.instance.files.write(made, pictures.MEDIA_TYPE)


async def password_post(request: Request) -> Response:
    """Change the password: signed out everywhere, and in again here."""
    visit, form = await submit(request)
    member = visit.member
    try:
        spend(visit, limits.PASSWORD, f"member {member.id}")
        await profile.check_password_change(member, form["old"], form["new"])
    except (Invalid, TooFast) as error:
        typed = {"name": member.name, "role_title": member.role_title, "bio": member.bio_source}
        return _me_form(visit, typed, error, "password")
    password_hash = await passwords.hashed(form["new"])
    async with visit.instance.transaction() as tx:
        await profile.change_password(tx, member, password_hash)
        token = await sign_in.open_session(tx, member)
    response = visit.go("/me", "password_changed")
    sessions.give(response, visit.instance.settings, token)
    return response


routes = [
    *accounts.routes,
    Route("/u/{where}", person),
    Route("/me", me),
    Route("/me", me_post, methods=["POST"]),
    Route("/me/password", password_post, methods=["POST"]),
]
