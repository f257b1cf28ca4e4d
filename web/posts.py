# SPDX-License-Identifier: Apache-2.0
"""Reading threads: the page, a post's history, closing, deleting."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import freshness, text
from server.errors import Gone
from server.forums.standing import standing
from server.permissions import Permission, may, must
from server.polls import pages as polls
from server.polls.pages import ShownPoll
from server.posts import ahead, editing, pages, reading, steering
from server.posts import history as earlier
from server.posts.history import HistoryPage
from server.posts.pages import ThreadPage
from server.rows import Kind, PostState, Put
from web import repeats, writing
from web.beside import Beside
from web.events import showing as event_showing
from web.forms import submit
from web.paging import place
from web.practices import showing
from web.resources import showing as resources
from web.spots import Spot, post_id
from web.templates import path_of
from web.visits import Visit, arrive


async def thread(request: Request) -> Response:
    """A thread, or one reply with what answers it."""
    visit = await arrive(request)
    after = place(request, "after")
    number = post_id(request)
    shown = await visit.instance.looked(
        partial(_look, visit, number, after), _ahead(visit, number, after)
    )
    page, beside, poll = shown.page, shown.beside, shown.poll
    target = page.focus or page.opener.post
    response = visit.page(
        beside.template,
        page=page,
        after=after,
        on=str(Spot(target.id, after)),
        kept=shown.kept,
        once=repeats.new(visit) if page.may_reply else "",
        may_endorse=may(page.standing, Permission.ENDORSE),
        deepest=pages.DEEPEST,
        sizes=_sizes(page),
        poll=poll,
        **beside.values,
    )
    is_elsewhere = not page.forum.is_local or (poll is not None and not poll.ours)
    if visit.viewer.member is not None and is_elsewhere:
        # For members only: visitors shall not be able to have us ask others.
        visit.lookup.opened(page.opener.post.id)
    await _mark_read(visit, page)
    return response


@dataclass(frozen=True)
class Shown:
    """What a thread's page shows; `kept` is the answer that a member has begun."""

    page: ThreadPage
    beside: Beside
    poll: ShownPoll | None
    kept: str


def _ahead(visit: Visit, number: int, after: int | None) -> Iterable[Put]:
    """What `_look` asks of most threads."""
    viewer = visit.viewer
    yield from ahead.of_thread(viewer, number, after=after)
    if viewer.member is None:
        yield freshness.ahead(number)
    else:
        yield reading.ahead(viewer.member, f"reply:{number}")


async def _look(visit: Visit, number: int, after: int | None, session: AsyncSession) -> Shown:
    now, viewer = visit.instance.clock.now(), visit.viewer
    page = await pages.thread_page(session, viewer, number, now, after=after)
    target, thread = page.focus or page.opener.post, page.opener.post.id
    kept = ""
    if page.may_reply and viewer.member is not None:
        kept = await reading.drafted(session, viewer.member, f"reply:{target.id}")
    beside = await _beside(session, visit, page)
    poll = await _poll(session, visit, page)
    # What it quotes may change without a word in this thread.
    if viewer.member is None and beside.may_be_kept and not page.quoted and not poll:
        scopes = (*freshness.of_thread(thread, page.forum.id), *beside.scopes)
        visit.mark = await freshness.mark(session, scopes, post=number)
        visit.until = beside.until
    return Shown(page, beside, poll, kept)


async def _poll(session: AsyncSession, visit: Visit, page: ThreadPage) -> ShownPoll | None:
    """The poll that the thread carries, which stands below its text."""
    opener = page.opener.post
    if not page.has_poll or page.focus is not None or opener.state == PostState.DELETED:
        return None
    return (await polls.of_posts(session, visit.viewer, [opener.id])).get(opener.id)


async def _beside(session: AsyncSession, visit: Visit, page: ThreadPage) -> Beside:
    """What the kind of the opener adds to the page."""
    found = await resources.beside(session, visit, page)
    if found is not None:
        return found
    is_there = page.focus is None and page.opener.post.state != PostState.DELETED
    if is_there and showing.page_kind(page) == Kind.EVENT:
        return await event_showing.beside(session, visit, page)
    return await showing.beside(session, visit, page)


def _sizes(page: ThreadPage) -> dict[int, int]:
    """How many answers each branch has, those folded away for their depth included."""
    return {
        branch.entry.post.id: sum(1 + node.more for node in pages.walk(branch.children))
        for branch in page.branches
        if branch.children
    }


async def _mark_read(visit: Visit, page: ThreadPage) -> None:
    """Remember how far a member has read, once they were shown the end of the thread."""
    member = visit.viewer.member
    fetched_ahead = "prefetch" in visit.request.headers.get("sec-purpose", "")
    if member is None or fetched_ahead or page.focus is not None or page.next_after is not None:
        return
    if page.seen is None or page.seen < page.newest:
        async with visit.instance.transaction() as tx:
            await reading.mark_read(tx, member, page.opener.post.id, page.newest)


@dataclass(frozen=True)
class Version:
    """What a post said at some time; `changes` from the version before, None for the first."""

    number: int
    title: str
    source: str
    written: datetime
    renamed: str
    changes: list[text.Change] | None


MOST_COMPARED = 10


def _versions(page: HistoryPage) -> list[Version]:
    """Every version, the latest first; only the latest few are compared, since that is slow."""
    post = page.entry_post
    said = [(post.revision, post.title, post.source or text.plain(post.html), post.updated)]
    said += [(r.revision, r.title, r.source, r.written) for r in page.revisions]
    versions = []
    for index, (number, title, source, written) in enumerate(said):
        before = said[index + 1] if index + 1 < len(said) and index < MOST_COMPARED else None
        versions.append(
            Version(
                number=number + 1,
                title=title,
                source=source,
                written=written or post.published,
                renamed=before[1] if before and before[1] != title else "",
                changes=text.changes(before[2], source) if before else None,
            )
        )
    return versions


async def history(request: Request) -> Response:
    """What a post said before each edit."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        page = await earlier.history(session, visit.viewer, post_id(request))
    if page.entry_post.kind == Kind.PRACTICE:
        return visit.go(f"/p/{page.entry_post.id}/versions")
    versions = await asyncio.to_thread(_versions, page) if page.revisions else []
    return visit.page("posts/history.html", page=page, versions=versions)


async def ask_delete(request: Request) -> Response:
    """Ask once more before something is deleted."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        held = await writing.found(session, visit, post_id(request))
        stands = await standing(session, visit.member, held.forum)
    if held.post.state == "deleted":
        raise Gone
    own = may(stands, Permission.DELETE_POST, held.post)
    if not own:
        must(stands, Permission.REMOVE_POST, held.post)
    return visit.page(
        "posts/delete.html",
        post=held.post,
        forum=held.forum,
        opener=held.opener,
        author=held.author,
        own=own,
    )


async def delete(request: Request) -> Response:
    """Delete one's own post, or remove another's."""
    visit, form = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        post, forum = await pages.locate(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await editing.remove(tx, member, post, form["reason"])
    if post.author_id != member.id and not forum.is_local:
        return visit.go(path_of(post), "removal_asked")
    if post.is_thread:
        return visit.go(path_of(forum), "deleted")
    return visit.go(Spot(post.thread_id).path(post.id), "deleted")


async def _steer(
    request: Request, *, deed: Callable[..., Awaitable[None]], said: str, state: dict[str, bool]
) -> Response:
    visit, _ = await submit(request)
    member = visit.member
    async with visit.instance.reading() as session:
        post, forum = await pages.locate(session, visit.viewer, post_id(request))
    async with visit.instance.transaction() as tx:
        await deed(tx, member, post, **state)
    return visit.go(path_of(post), said if forum.is_local else "steering_asked")


STEERING: tuple[tuple[str, Callable[..., Awaitable[None]], str, dict[str, bool]], ...] = (
    ("lock", steering.lock, "locked", {"locked": True}),
    ("unlock", steering.lock, "unlocked", {"locked": False}),
    ("pin", steering.pin, "pinned", {"pinned": True}),
    ("unpin", steering.pin, "unpinned", {"pinned": False}),
)

routes = [
    Route("/p/{id}", thread),
    *writing.routes,
    Route("/p/{id}/history", history),
    Route("/p/{id}/delete", ask_delete),
    Route("/p/{id}/delete", delete, methods=["POST"]),
    *(
        Route(
            f"/p/{{id}}/{verb}",
            partial(_steer, deed=deed, said=said, state=state),
            methods=["POST"],
        )
        for verb, deed, said, state in STEERING
    ),
    Route("/p/{id}/{slug}", thread),
]
