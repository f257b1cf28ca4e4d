# SPDX-License-Identifier: Apache-2.0
"""What the page of one event shows, beside its discussion."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.calendar.by_mail import hashed
from server.calendar.joining import why_closed
from server.errors import NotFound
from server.events.details import Details, of_row
from server.forums.standing import standing
from server.permissions import Permission, may, must
from server.posts.detailed import detailed
from server.posts.pages import ThreadPage
from server.viewers import Viewer, visible_posts
from storage import events
from storage.events import Event, EventGuest, GuestState
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.posts import Post, PostState

MOST_SIBLINGS = 12
GUESTS_A_PAGE = 50
UNCONFIRMED_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Own:
    """Where the viewer stands with an event; `link` is what only guests are told."""

    state: str
    place: int | None = None
    link: str = ""
    reason: str = ""
    unconfirmed: bool = False
    certificate: str = ""


@dataclass(frozen=True)
class Sibling:
    """Another occurrence of the same series."""

    id: int
    slug: str
    details: Details


@dataclass(frozen=True)
class EventPage:
    """An event as the viewer sees it."""

    event: Event
    details: Details
    own: Own | None
    link: str
    closed: str
    is_over: bool
    decided_here: bool
    siblings: tuple[Sibling, ...]
    may_join: bool
    may_ask_by_mail: bool
    may_run: bool
    may_change: bool

    @property
    def until(self) -> datetime | None:
        """When it, or one of its series that is named, will be over; None where all are."""
        named = (self.details, *(one.details for one in self.siblings))
        return min((one.ends for one in named[self.is_over :]), default=None)

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now would wait; known at the organiser's agency only."""
        capacity = self.event.capacity
        if not self.decided_here or capacity is None:
            return False
        return self.event.going >= capacity or self.event.waiting > 0


async def event_page(
    session: AsyncSession, viewer: Viewer, page: ThreadPage, now: datetime
) -> EventPage:
    """The event that opens a thread which was found to be the viewer's to see."""
    post = page.opener.post
    event = await session.get(Event, post.id)
    if event is None:
        raise NotFound
    details = of_row(event)
    member = viewer.member
    guest = await events.guest_of(session, post.id, member.id) if member is not None else None
    own = await _own(session, guest, details, now) if guest is not None else None
    here = page.opener.author.is_local
    runs = here and may(page.standing, Permission.RUN_EVENT, post)
    closed = why_closed(event, now)
    link = "" if details.is_hidden else details.online
    if details.is_hidden and (runs or (own is not None and own.link)):
        link = own.link if own is not None and own.link else details.online
    return EventPage(
        event=event,
        details=details,
        own=own,
        link=link,
        closed=closed,
        is_over=event.ends <= now,
        decided_here=here,
        siblings=await _siblings(session, viewer, event, post.author_id, now),
        may_join=not closed and may(page.standing, Permission.JOIN_EVENT),
        may_ask_by_mail=viewer.member is None and not closed and here and _is_open(page),
        may_run=runs,
        may_change=page.opener.may_edit and not getattr(post, "locked", False),
    )


def _is_open(page: ThreadPage) -> bool:
    """Whether somebody without an account may ask for a place by e-mail."""
    is_public = page.forum.visibility == Visibility.PUBLIC
    return is_public and page.opener.post.state == PostState.LIVE


async def _own(
    session: AsyncSession, guest: EventGuest, details: Details, now: datetime
) -> Own | None:
    state = GuestState(guest.state)
    if state == GuestState.LEFT:
        return None
    place = guest.place
    if state == GuestState.WAITING and place is None:
        place = await events.place_of(session, guest)
    link = guest.link or (details.online if details.is_hidden else "")
    return Own(
        state,
        place=place,
        link=link if state == GuestState.GOING else "",
        reason=guest.reason,
        unconfirmed=state == GuestState.ASKED and now - guest.at > UNCONFIRMED_AFTER,
        certificate=guest.certificate,
    )


async def _siblings(
    session: AsyncSession, viewer: Viewer, event: Event, author: int, now: datetime
) -> tuple[Sibling, ...]:
    """The next occurrences of a series beside this one."""
    if not event.series:
        return ()
    question = (
        select(Post.id, Post.slug, Event)
        .join(Event, Event.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Event.series == event.series,
            Event.post_id != event.post_id,
            # Nobody puts events of their own beside those of somebody else.
            Post.author_id == author,
            Event.ends > now,
            Post.state.in_((PostState.LIVE, PostState.SENT)),
            visible_posts(viewer),
        )
        .order_by(Event.starts)
        .limit(MOST_SIBLINGS)
    )
    rows = (await session.execute(question)).all()
    return tuple(Sibling(number, slug, of_row(row)) for number, slug, row in rows)


@dataclass(frozen=True)
class Read:
    """An event by itself, for forms and files."""

    post: Post
    forum: Forum
    author: Member
    event: Event
    details: Details


async def read(session: AsyncSession, viewer: Viewer, post_id: int) -> Read:
    """An event that the viewer may see; NotFound for anything else."""
    post, forum, author, event = await detailed(session, viewer, post_id, Event)
    return Read(post, forum, author, event, of_row(event))


async def read_to_change(session: AsyncSession, viewer: Viewer, post_id: int) -> Read:
    """An event, for those who may change it."""
    found = await read(session, viewer, post_id)
    must(await standing(session, viewer.member, found.forum), Permission.EDIT_POST, found.post)
    return found


@dataclass(frozen=True)
class GuestLine:
    """A guest in the organiser's list; `person` is None for one without an account."""

    guest: EventGuest
    person: Member | None


@dataclass(frozen=True)
class GuestsPage:
    """Who comes, who waits; `after` is where the next page begins."""

    read: Read
    lines: list[GuestLine]
    after: int | None


async def guests_page(
    session: AsyncSession, viewer: Viewer, post_id: int, *, after: int | None = None
) -> GuestsPage:
    """The guests of an event, for those who run it: who has a place, then who waits."""
    found = await read(session, viewer, post_id)
    stands = await standing(session, viewer.member, found.forum)
    must(stands, Permission.RUN_EVENT, found.post)
    if not found.author.is_local:
        raise NotFound
    question = (
        select(EventGuest, Member)
        .outerjoin(Member, Member.id == EventGuest.member_id)
        .where(
            EventGuest.post_id == post_id,
            EventGuest.state.in_((GuestState.GOING, GuestState.WAITING)),
            EventGuest.id > (after or 0),
        )
        .order_by(EventGuest.id)
        .limit(GUESTS_A_PAGE + 1)
    )
    rows = [GuestLine(*row) for row in (await session.execute(question)).all()]
    more = rows[GUESTS_A_PAGE - 1].guest.id if len(rows) > GUESTS_A_PAGE else None
    return GuestsPage(found, rows[:GUESTS_A_PAGE], more)


async def guest_by_token(
    session: AsyncSession, viewer: Viewer, post_id: int, token: str
) -> tuple[Read, EventGuest, int | None]:
    """An event with the guest whom a letter's link is of, and their place on the list."""
    found = await read(session, viewer, post_id)
    question = select(EventGuest).where(
        EventGuest.post_id == post_id, EventGuest.token == hashed(token)
    )
    guest = (await session.execute(question)).scalar_one_or_none()
    if guest is None:
        raise NotFound
    is_waiting = guest.state == GuestState.WAITING
    return found, guest, await events.place_of(session, guest) if is_waiting else None
