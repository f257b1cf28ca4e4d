# SPDX-License-Identifier: Apache-2.0
"""One request of a person: who they are, and how they are answered."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from server import notifications
from server.errors import SignInNeeded
from server.instance import Instance
from server.members import sign_in
from server.peers import Lookup
from server.rows import Member
from server.viewers import Viewer
from web import sessions, templates
from web.answers import SAID


@dataclass
class Visit:
    """A person's request: the instance, the viewer, and what their pages need."""

    request: Request
    instance: Instance
    viewer: Viewer
    csrf: str
    token: str | None = None
    notices: int = 0

    @property
    def member(self) -> Member:
        """The signed-in member; SignInNeeded for anybody else."""
        if self.viewer.member is None:
            raise SignInNeeded
        return self.viewer.member

    @property
    def lookup(self) -> Lookup:
        """The way to ask the network, filled in by the roof."""
        lookup: Lookup = self.request.app.state.lookup
        return lookup

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A rendered page; signed-in pages are never kept by caches."""
        said = SAID.get(self.request.cookies.get(sessions.SAID_COOKIE, ""))
        html = templates.render(
            template,
            site=self.instance.settings,
            me=self.viewer.member,
            csrf=self.csrf,
            notices=self.notices,
            path=self.request.url.path,
            now=self.instance.clock.now(),
            said=said,
            pictures=self.request.app.state.pictures,
            people=self.request.app.state.people,
            **values,
        )
        response = HTMLResponse(html, status)
        response.headers["Vary"] = "Accept, Cookie"
        response.headers["Cache-Control"] = "private, no-store" if self.token else "no-cache"
        if said is not None:
            response.delete_cookie(sessions.SAID_COOKIE)
        sessions.keep_form_token(response, self)
        return response

    def go(self, path: str, said: str | None = None) -> RedirectResponse:
        """Send them on after a deed (303), with a sentence of `answers.SAID` to show there."""
        response = RedirectResponse(path, 303)
        response.headers["Cache-Control"] = "no-store"
        if said is not None:
            if said not in SAID:
                raise KeyError(said)
            response.set_cookie(
                sessions.SAID_COOKIE, said, max_age=60, httponly=True, samesite="lax",
                secure=self.instance.settings.is_https,
            )  # fmt: skip
        return response


async def arrive(request: Request) -> Visit:
    """Who asks; every page begins with it."""
    instance: Instance = request.app.state.instance
    token = sessions.token_of(request, instance.settings)
    if token is not None:
        async with instance.reading() as session:
            found = await sign_in.signed_in(session, instance, token)
            if found is not None:
                notices = await notifications.unread_count(session, found.member)
                return Visit(request, instance, Viewer(found.member), found.csrf, token, notices)
    return Visit(request, instance, Viewer(), sessions.form_token_of(request, instance))
