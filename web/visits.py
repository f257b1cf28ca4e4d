# SPDX-License-Identifier: Apache-2.0
"""One request of a person: who they are, and how they are answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from server import notifications
from server.errors import SignInNeeded
from server.freshness import Mark
from server.instance import Instance
from server.members import sign_in
from server.members.accounts import token_hash
from server.mentoring import room
from server.peers import Lookup
from server.reviews import notices as reviews
from server.rows import Member, Put
from server.viewers import Viewer
from web import sessions, templates
from web.ages import Ages
from web.answers import SAID
from web.cache import may_keep

MOST_SEEN = 10_000
_OF_VISITORS = {"Vary": "Accept, Accept-Encoding, Cookie", "Cache-Control": "no-cache"}
_OF_MEMBERS = {"Vary": "Accept, Cookie", "Cache-Control": "private, no-store"}


class FormToken:
    """The token of a page's forms, which remembers whether the page has any."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.used = False

    def __html__(self) -> str:
        self.used = True
        return self._token

    __str__ = __html__


@dataclass
class Visit:
    """A person's request: the instance, the viewer, and what their pages need.

    `notices` are not read yet, `told` are those of mentoring among them; `awaits` is what waits
    for them in the mentoring room.
    """

    request: Request
    instance: Instance
    viewer: Viewer
    csrf: str
    token: str | None = None
    notices: int = 0
    awaits: int = 0
    told: int = 0
    mark: Mark | None = None
    until: datetime | None = None

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
        """A rendered page; signed-in pages are never kept by caches.

        With a `mark` of what it shows, a visitor's page may be kept while that is as it was, and
        not beyond `until`.
        """
        ages = Ages(self.instance.clock.now())
        form = FormToken(self.csrf)
        said = SAID.get(self.request.cookies.get(sessions.SAID_COOKIE, ""))
        html = templates.render(
            template,
            site=self.instance.settings,
            me=self.viewer.member,
            csrf=form,
            notices=self.notices,
            awaits=self.awaits,
            path=self.request.scope["path"],
            now=ages.now,
            ages=ages,
            said=said,
            pictures=self.request.app.state.pictures,
            people=self.request.app.state.people,
            **values,
        )
        response = HTMLResponse(html, status, headers=_OF_MEMBERS if self.token else _OF_VISITORS)
        if said is not None:
            response.delete_cookie(sessions.SAID_COOKIE)
        if form.used:
            sessions.keep_form_token(response, self)
        elif self.mark is not None and said is None and self.viewer.member is None:
            until = ages.until if self.until is None else min(ages.until, self.until)
            may_keep(self.request, self.mark, until)
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


class Seen:
    """Whose the sessions last seen were: only for what to ask ahead, never for who it is."""

    def __init__(self) -> None:
        self._members: dict[str, int] = {}

    def get(self, token: str) -> int | None:
        return self._members.get(token_hash(token))

    def note(self, token: str, member: int) -> None:
        if len(self._members) >= MOST_SEEN:
            self._members.clear()
        self._members[token_hash(token)] = member


def _ahead(token: str, now: datetime, guess: int | None) -> Iterable[Put]:
    """What `_of_member` asks, if the session is that of the member it was last found to be."""
    if guess is not None:
        yield sign_in.ahead(token, now)
        for waiting in (notifications, reviews, room):
            yield waiting.ahead(guess)


async def _of_member(
    request: Request, token: str, now: datetime, session: AsyncSession
) -> Visit | None:
    instance: Instance = request.app.state.instance
    found = await sign_in.signed_in(session, instance, token, now)
    if found is None:
        return None
    visit = Visit(request, instance, Viewer(found.member), found.csrf, token)
    visit.notices = await notifications.unread_count(session, found.member)
    visit.notices += await reviews.unread_count(session, found.member)
    visit.awaits, visit.told = await room.waiting_counts(session, found.member)
    visit.notices += visit.told
    return visit


async def arrive(request: Request) -> Visit:
    """Who asks; every page begins with it."""
    instance: Instance = request.app.state.instance
    token = sessions.token_of(request, instance.settings)
    if token is not None:
        now = instance.clock.now()
        seen: Seen = request.app.state.seen
        guess = seen.get(token)
        visit = await instance.looked(
            partial(_of_member, request, token, now), _ahead(token, now, guess)
        )
        if visit is not None:
            seen.note(token, visit.member.id)
            return visit
    return Visit(request, instance, Viewer(), sessions.form_token_of(request, instance))
