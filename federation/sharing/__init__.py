# SPDX-License-Identifier: Apache-2.0
"""Stored posts with all that their translation needs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from html import unescape

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.events import SharedEvent
from federation.kinds import Beyond
from federation.posts import SharedPost
from federation.practices import SharedPractice
from federation.resources import SharedResource
from federation.sharing import rows
from federation.sharing.rows import Row
from server.events.details import of_row
from server.hub.uses import SaidUse
from server.polls import pages as polls
from server.practices import notices, reporting, withdrawals
from server.practices.record import unpack
from server.practices.reporting import Report
from server.resources import links as links_visited
from server.resources import record as resource_record
from server.vetting import statements
from server.viewers import VISITOR
from storage.events import Event
from storage.forums import Visibility
from storage.plain import Put, ask
from storage.posts import Kind, Post
from storage.practices import Practice, PracticeNotice, PracticeVersion
from storage.replications import Announcing, Replication
from storage.resources import Resource, ResourceUse, ResourceVersion

MOST_LINKS = 20
_HREF = re.compile(r'<a href="(https?://[^"]{1,2000})"')


async def shared(session: AsyncSession, post: Post) -> SharedPost:
    """The post as it travels."""
    return (await shared_all(session, [post.id]))[post.id]


async def shared_all(session: AsyncSession, ids: Sequence[int]) -> dict[int, SharedPost]:
    """Several posts as they travel, by id; as many questions for fifty as for one."""
    posts = await ask(session, rows.rows(), ids=list(ids))
    tags = await _tags(session, posts)
    mentions = await _mentions(session, posts)
    links = await _links(session, posts)
    practices, events = await _practices(session, posts), await _events(session, posts)
    reports, announced = await _reports(session, posts), await _announced(session, posts)
    replies = {post.id: post.uri for post in posts if post.says}
    stated = await statements.of_posts(session, list(replies))
    withdrawn = await withdrawals.of_notes(session, replies)
    resources, uses = await _resources(session, posts), await _uses(session, posts)
    polled = [post.id for post in posts if post.has_poll]
    asked = await polls.of_posts(session, VISITOR, polled) if polled else {}
    found: dict[int, SharedPost] = {}
    for post in posts:
        beyond = Beyond(
            practice=practices.get(post.id),
            report=reports.get(post.id),
            announces=announced.get(post.id),
            states=stated.get(post.id),
            withdraws=withdrawn.get(post.id),
            event=events.get(post.id),
            resource=resources.get(post.id),
            use=uses.get(post.id),
            offers=post.offers,
            poll=asked.get(post.id),
        )
        found[post.id] = _shared(
            post,
            beyond,
            named=(tags.get(post.id, ()), mentions.get(post.id, ())),
            links=links.get(post.id, ()),
        )
    return {number: found[number] for number in ids}


def ahead(post: int) -> Iterable[Put]:
    """What `shared_all` asks of a single post that is nothing but words."""
    for question in (rows.rows(), rows.tags(), rows.mentions()):
        yield question, {"ids": [post]}


def stands_alone(sharing: SharedPost) -> bool:
    """Whether it is as it is while nothing changes of its thread and its forum, or the library.

    Where it leads, another post may come to be held; votes are cast without a word.
    """
    return sharing.poll is None and not _addresses(sharing.html)


async def _reports(session: AsyncSession, posts: Sequence[Row]) -> dict[int, Report]:
    ids = [post.id for post in posts if post.kind == Kind.REPLICATION]
    if not ids:
        return {}
    question = select(Replication.post_id, Replication.record).where(Replication.post_id.in_(ids))
    return {
        number: reporting.unpack(record)
        for number, record in (await session.execute(question)).all()
    }


async def _announced(session: AsyncSession, posts: Sequence[Row]) -> dict[int, str]:
    """What the replies among posts announce, by their id."""
    ids = [post.id for post in posts if post.says]
    if not ids:
        return {}
    question = select(Announcing.post_id, Announcing.announces).where(Announcing.post_id.in_(ids))
    return {number: uri for number, uri in (await session.execute(question)).all()}


async def _practices(session: AsyncSession, posts: Sequence[Row]) -> dict[int, SharedPractice]:
    """The practices among posts, each with the note of its version, and its notice."""
    uris = {post.id: post.uri for post in posts if post.kind == Kind.PRACTICE}
    if not uris:
        return {}
    held = await notices.of_all(session, uris.values())
    said = {(row.uri, isinstance(row, PracticeNotice)): notices.read(row) for row in held}
    question = (
        select(Practice.post_id, Practice.record, Practice.version, PracticeVersion.note)
        .outerjoin(
            PracticeVersion,
            and_(
                PracticeVersion.post_id == Practice.post_id,
                PracticeVersion.version == Practice.version,
            ),
        )
        .where(Practice.post_id.in_(uris))
    )
    return {
        number: SharedPractice(
            unpack(record), version, note or "",
            said.get((uris[number], True)), said.get((uris[number], False)),
        )
        for number, record, version, note in (await session.execute(question)).all()
    }  # fmt: skip


async def _events(session: AsyncSession, posts: Sequence[Row]) -> dict[int, SharedEvent]:
    """The events among posts; a link that is kept for guests stays here."""
    ids = [post.id for post in posts if post.kind == Kind.EVENT]
    if not ids:
        return {}
    found: dict[int, SharedEvent] = {}
    for row in (await session.execute(select(Event).where(Event.post_id.in_(ids)))).scalars():
        details = of_row(row)
        if details.is_hidden:
            details = replace(details, online="")
        found[row.post_id] = SharedEvent(details, row.going if details.joining == "free" else None)
    return found


async def _resources(session: AsyncSession, posts: Sequence[Row]) -> dict[int, SharedResource]:
    """The resources among posts, with the note of the version that each is in."""
    ids = [post.id for post in posts if post.kind == Kind.RESOURCE]
    if not ids:
        return {}
    question = (
        select(Resource.post_id, Resource.record, Resource.version, ResourceVersion.note)
        .outerjoin(
            ResourceVersion,
            and_(
                ResourceVersion.post_id == Resource.post_id,
                ResourceVersion.version == Resource.version,
            ),
        )
        .where(Resource.post_id.in_(ids))
    )
    states = await links_visited.states_of(session, ids)
    return {
        number: SharedResource(
            resource_record.unpack(record), version, note or "", states.get(number)
        )
        for number, record, version, note in (await session.execute(question)).all()
    }


async def _uses(session: AsyncSession, posts: Sequence[Row]) -> dict[int, SaidUse]:
    """What the replies among posts say of resources."""
    ids = [post.id for post in posts if post.says]
    if not ids:
        return {}
    question = select(
        ResourceUse.post_id, ResourceUse.of, ResourceUse.of_version, ResourceUse.verdict
    ).where(ResourceUse.post_id.in_(ids))
    return {row[0]: SaidUse(*row[1:]) for row in (await session.execute(question)).all()}


async def _tags(session: AsyncSession, posts: Sequence[Row]) -> dict[int, tuple[str, ...]]:
    tagged = [post.id for post in posts if post.is_tagged]
    found: dict[int, tuple[str, ...]] = {}
    for number, tag in await ask(session, rows.tags(), ids=tagged) if tagged else ():
        found[number] = (*found.get(number, ()), tag)
    return found


async def _mentions(
    session: AsyncSession, posts: Sequence[Row]
) -> dict[int, tuple[tuple[str, str], ...]]:
    naming = [post.id for post in posts if post.names]
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for number, handle, uri in await ask(session, rows.mentions(), ids=naming) if naming else ():
        found[number] = (*found.get(number, ()), (_full_handle(handle, uri), uri))
    return found


async def _links(
    session: AsyncSession, posts: Sequence[Row]
) -> dict[int, tuple[tuple[str, str], ...]]:
    """The posts that texts link to, by their ids (FEP-e232); those that anybody may see."""
    written = {post.id: _addresses(post.html) for post in posts}
    addresses = sorted({address for found in written.values() for address in found})
    if not addresses:
        return {}
    known: dict[str, str] = {}
    for uri, url in await ask(session, rows.linked(), addresses=addresses):
        known |= {uri: uri, url: uri}
    return {
        number: tuple((address, known[address]) for address in found if address in known)
        for number, found in written.items()
    }


def _addresses(html: str) -> list[str]:
    """Where a text links to, each once, the first MOST_LINKS."""
    found = (unescape(href).partition("#")[0] for href in _HREF.findall(html))
    return list(dict.fromkeys(found))[:MOST_LINKS]


def _shared(
    post: Row,
    beyond: Beyond,
    *,
    named: tuple[tuple[str, ...], tuple[tuple[str, str], ...]],
    links: tuple[tuple[str, str], ...],
) -> SharedPost:
    tags, mentions = named
    if post.answered and post.answered_handle and post.answered_id != post.author_id:
        answered = (_full_handle(post.answered_handle, post.answered), post.answered)
        mentions = tuple(dict.fromkeys((answered, *mentions)))
    return SharedPost(
        uri=post.uri,
        url=post.url,
        author=post.author,
        forum=post.forum,
        title=post.title,
        source=post.source,
        html=post.html,
        published=post.published,
        context=post.context,
        tags=tags,
        language=post.language,
        updated=post.updated,
        parent=post.parent_uri or post.above,
        parent_author=post.answered,
        mentions=mentions,
        public=post.visibility == Visibility.PUBLIC,
        locked=post.locked,
        likes=post.endorsement_count,
        links=links,
        **{one.name: getattr(beyond, one.name) for one in fields(Beyond)},
    )


def _full_handle(handle: str, uri: str) -> str:
    """`ana@riverton.example.gov`, for people here and elsewhere alike."""
    return f"{handle}@{uri.split('/')[2]}"
