# SPDX-License-Identifier: Apache-2.0
"""Finding what is written here, and who and what is elsewhere."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import search, text
from server.errors import NotFound, Refusal
from server.forums import pages as forum_pages
from server.members import profile
from server.posts import pages as post_pages
from server.posts.pages import FoundPost
from server.rows import Forum, Member, Post
from server.settings import Settings
from web import limits
from web.limits import spend
from web.paging import place
from web.spots import identifier
from web.templates import path_of
from web.visits import Visit, arrive

PAGE = 20
LONGEST = 500
AROUND = 120
_HANDLE = re.compile(
    r"[@!]?[a-z0-9_.-]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:[0-9]{1,5})?\Z", re.IGNORECASE
)
_ADDRESS = re.compile(r"https?://[^\s/]+(/\S*)?\Z", re.IGNORECASE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Piece:
    """A stretch of an excerpt; `hit` where it is one of the words looked for."""

    text: str
    hit: bool = False


@dataclass(frozen=True)
class Result:
    """A post that was found, and the place in it."""

    found: FoundPost
    pieces: list[Piece]


@dataclass
class Findings:
    """What the page of a search shows; `thing` is what an address or a handle stands for."""

    thing: Any = None
    path: str = ""
    said: str = ""
    follow: str | None = None
    forums: list[forum_pages.ForumLine] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    older: int | None = None

    @property
    def kind(self) -> str:
        """`forum`, `person` or `post`; empty when nothing was found by address."""
        return {"f": "forum", "u": "person", "p": "post"}.get(self.path[1:2], "")


async def find(request: Request) -> Response:
    """Words are looked for here; an address or a handle wherever it lives."""
    visit = await arrive(request)
    query = request.query_params.get("q", "").strip()[:LONGEST]
    before = place(request)
    findings = Findings()
    if query:
        spend(visit, limits.SEARCH)
        if (path := own_path(query, visit.instance.settings)) is not None:
            await _find_here(visit, path, findings)
        elif _HANDLE.match(query) or _ADDRESS.match(query):
            await _look_up(visit, query, findings)
        else:
            await _match(visit, query, before, findings)
    return visit.page("search/results.html", query=query, findings=findings, first=before is None)


def own_path(query: str, settings: Settings) -> str | None:
    """The path and anchor of a page of ours, pasted in any form; None for anything else."""
    if re.match(r"/[fup]/\S", query):
        return query
    scheme, found, rest = query.partition("://")
    if found and scheme.lower() not in {"http", "https"}:
        return None
    if not found:
        rest = query
    host, slash, path = rest.partition("/")
    default = f"{settings.hostname}:{443 if settings.is_https else 80}"
    ours = {settings.host.lower(), default if ":" not in settings.host else settings.host}
    if host.lower() not in ours or not (found or slash):
        return None
    return f"/{path}"


async def known(visit: Visit, query: str, *, elsewhere: bool) -> Forum | Member | Post | None:
    """What an address or a handle stands for, if the viewer may see it; None for mere words.

    The network is asked only if `elsewhere` says so. NotFound where there is nothing.
    """
    query = query.strip()[:LONGEST]
    if (path := own_path(query, visit.instance.settings)) is not None:
        async with visit.instance.reading() as session:
            return await _at(session, visit, path)
    if not (_HANDLE.match(query) or _ADDRESS.match(query)):
        return None
    if not elsewhere:
        raise NotFound
    spend(visit, limits.LOOK_UP, f"member {visit.member.id}")
    thing = await visit.lookup.find(query)
    if thing is None:
        raise NotFound
    await _must_be_seen(visit, path_of(thing), Findings())
    return thing


async def _find_here(visit: Visit, path: str, findings: Findings) -> None:
    """What a page of ours shows, if the viewer may see it; nobody else is asked."""
    try:
        async with visit.instance.reading() as session:
            thing = await _at(session, visit, path)
        shown = path_of(thing)
        await _must_be_seen(visit, shown, findings)
    except Refusal as error:
        findings.said = error.sentence
    else:
        findings.thing, findings.path = thing, shown


async def _at(session: AsyncSession, visit: Visit, address: str) -> Forum | Member | Post:
    parts = urlsplit(address)
    _, room, name, *_ = (*unquote(parts.path).split("/"), "", "", "")
    if room == "p":
        anchor = parts.fragment.removeprefix("p-")
        wanted = identifier(anchor) or identifier(name)
        if wanted is not None:
            return (await post_pages.locate(session, visit.viewer, wanted))[0]
    if room in {"f", "u"} and name.isprintable():
        handle, _, peer = name.lower().lstrip("@").partition("@")
        away = peer if peer != visit.instance.settings.host else None
        if room == "f":
            return await forum_pages.one(session, visit.viewer, handle, away or None)
        return (await profile.page(session, visit.viewer, handle, away or None)).member
    raise NotFound("This is a page of this site, but no forum, person or post.")


async def _look_up(visit: Visit, query: str, findings: Findings) -> None:
    """Ask the network, for members only: a visitor could have us knock anywhere."""
    if visit.viewer.member is None:
        findings.said = "Sign in to look for people and forums of other agencies."
        return
    spend(visit, limits.LOOK_UP, f"member {visit.member.id}")
    try:
        thing = await visit.lookup.find(query)
        if thing is None:
            raise NotFound("Nothing was found there: check the spelling.")
        path = path_of(thing)
        await _must_be_seen(visit, path, findings)
    except Refusal as error:
        findings.said = error.sentence
    else:
        findings.thing, findings.path = thing, path


async def _must_be_seen(visit: Visit, path: str, findings: Findings) -> None:
    """What the look-up knows is shown only as far as the viewer may see it."""
    room, name = path.split("/")[1:3]
    async with visit.instance.reading() as session:
        if room == "f":
            handle, _, peer = name.partition("@")
            forum = await forum_pages.one(session, visit.viewer, handle, peer or None)
            page = await forum_pages.page(session, visit.viewer, forum)
            findings.follow = page.follow.state if page.follow else None
        elif room == "p":
            await post_pages.locate(session, visit.viewer, int(name))


async def _match(visit: Visit, query: str, before: int | None, findings: Findings) -> None:
    async with visit.instance.reading() as session:
        ids = await search.matching(session, visit.viewer, query, before=before, limit=PAGE + 1)
        posts = await post_pages.found(session, visit.viewer, ids[:PAGE])
        if before is None:
            lines = await forum_pages.index(session, visit.viewer)
            findings.forums = [line for line in lines if _names(query, line.forum.title)][:5]
    words = _WORD.findall(query.casefold())
    findings.results = [Result(post, excerpt(text.plain(post.post.html), words)) for post in posts]
    findings.older = ids[PAGE - 1] if len(ids) > PAGE else None


def _names(query: str, title: str) -> bool:
    """Whether every word of the query begins a word of the title."""
    words = _WORD.findall(title.casefold())
    asked = _WORD.findall(query.casefold())
    return bool(asked) and all(any(w.startswith(part) for w in words) for part in asked)


def excerpt(plain: str, words: list[str]) -> list[Piece]:
    """Some 250 characters around the first word that is found, the words marked."""
    line = " ".join(plain.split())
    hits = [match for match in _WORD.finditer(line) if match[0].casefold().startswith(tuple(words))]
    start = max(0, hits[0].start() - AROUND) if words and hits else 0
    if start:
        start = line.find(" ", start) + 1
    end = min(len(line), start + 2 * AROUND)
    end = line.rfind(" ", start, end) if end < len(line) and " " in line[start:end] else end
    pieces = [Piece("… ")] if start else []
    at = start
    for hit in hits if words else []:
        if start <= hit.start() and hit.end() <= end:
            pieces += [Piece(line[at : hit.start()]), Piece(hit[0], True)]
            at = hit.end()
    pieces.append(Piece(line[at:end] + (" …" if end < len(line) else "")))
    return [piece for piece in pieces if piece.text]


routes = [Route("/search", find)]
