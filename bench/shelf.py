# SPDX-License-Identifier: Apache-2.0
"""A practice, a resource and a month of events, put into a town once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from bench import town
from bench.town import Town
from server.calendar import writing as calendar
from server.calendar.typed import EventDraft
from server.events.details import Details
from server.hub import publishing as hub
from server.library import publishing as library
from server.posts import writing
from server.posts.drafts import ReplyDraft, ThreadDraft
from server.practices.record import parse
from server.records.editions import Edition
from server.resources.record import Record as Resource
from server.transaction import Transaction
from storage import members
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post
from web.demo.practices import PRACTICES

EVENTS, REPLIES = 30, 5
MONTH = datetime(2031, 5, 1, 9, tzinfo=UTC)
RESOURCE = Resource(
    kind="template",
    name="A plan for one platform",
    summary="One platform instead of nine registers.",
    description="Fill in the **registers** first.\n\n" * 8,
    license="CC-BY-4.0",
    tags=("data", "registers"),
    link="https://tool.example.gov/plan",
)


@dataclass(frozen=True)
class Shelf:
    """Their ids; the events are all in `MONTH`."""

    practice: int
    resource: int


NOTHING = Shelf(0, 0)


async def filled(place: Town) -> Shelf:
    """What stands there, published first where nothing does."""
    instance = await town.opened(place)
    try:
        async with instance.transaction() as tx:
            found = await _held(tx)
            return found or await _published(tx)
    finally:
        await instance.close()


async def _held(tx: Transaction) -> Shelf | None:
    question = select(Post.id).where(Post.kind.in_((Kind.PRACTICE, Kind.RESOURCE)))
    ids = (await tx.session.execute(question.order_by(Post.id))).scalars().all()
    return Shelf(*ids) if ids else None


async def _published(tx: Transaction) -> Shelf:
    """By the deeds that follow the rules: nobody writes as much in a minute."""
    author = await members.by_handle(tx.session, town.READER)
    forum = (await tx.session.execute(select(Forum).order_by(Forum.id).limit(1))).scalar_one()
    assert author is not None
    record = parse(PRACTICES[0].record)
    practice = await _opened(tx, author, forum, record.name, Kind.PRACTICE)
    await library.apply(tx, practice, Edition(record, 1, "", author.id))
    resource = await _opened(tx, author, forum, RESOURCE.name, Kind.RESOURCE)
    await hub.apply(tx, resource, Edition(RESOURCE, 1, "", author.id))
    for number in range(EVENTS):
        starts = MONTH + timedelta(days=number)
        draft = ThreadDraft(f"Webinar {number}", "What we learned.", kind=Kind.EVENT)
        await calendar.enter(
            tx, author, forum, EventDraft(draft, Details(starts, starts + timedelta(hours=1)))
        )
    return Shelf(practice.id, resource.id)


async def _opened(tx: Transaction, author: Member, forum: Forum, title: str, kind: Kind) -> Post:
    """An opener with a few replies."""
    draft = ThreadDraft(title, "Written as sections.", kind=kind)
    post = await writing.apply_thread(tx, author, forum, draft)
    for _ in range(REPLIES):
        await writing.apply_reply(tx, author, ReplyDraft("We do this as well.", post.id))
    return post
