# SPDX-License-Identifier: Apache-2.0
"""Stored posts with all that their translation needs."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from html import unescape
from typing import TypeVar

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.events import SharedEvent
from federation.posts import SharedPost
from federation.practices import SharedPractice
from federation.resources import SharedResource
from server.events.details import of_row
from server.forums.pages import tags_of
from server.hub.uses import SaidUse
from server.polls import pages as polls
from server.practices import notices, reporting, withdrawals
from server.practices.record import unpack
from server.practices.reporting import Report
from server.resources import links as links_visited
from server.resources import record as resource_record
from server.vetting import statements
from server.viewers import VISITOR
from storage import members
from storage.events import Event
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.mentoring import OfferPost
from storage.posts import Kind, Post, PostMention, PostState
from storage.practices import Practice, PracticeNotice, PracticeVersion
from storage.replications import Announcing, Replication
from storage.resources import Resource, ResourceUse, ResourceVersion

MOST_LINKS = 20
_HREF = re.compile(r'<a href="(https?://[^"]{1,2000})"')
Row = TypeVar("Row", Forum, Post)


async def shared(session: AsyncSession, post: Post) -> SharedPost:
    """The post as it travels."""
    return (await shared_all(session, [post]))[post.id]


async def shared_all(session: AsyncSession, posts: Sequence[Post]) -> dict[int, SharedPost]:
    """Several posts as they travel, by id; as many questions for fifty as for one."""
    around = await _by_id(
        session, Post, (n for post in posts for n in (post.thread_id, post.parent_id) if n)
    )
    forums = await _by_id(session, Forum, (post.forum_id for post in posts))
    authors = await members.by_ids(session, {post.author_id for post in (*posts, *around.values())})
    ids = [post.id for post in posts]
    tags = await tags_of(session, ids)
    mentions = await _mentions(session, ids)
    links = await _links(session, posts)
    practices, events = await _practices(session, posts), await _events(session, posts)
    reports, announced = await _reports(session, posts), await _announced(session, posts)
    replies = {post.id: post.uri for post in posts if post.kind == Kind.REPLY}
    stated = await statements.of_posts(session, list(replies))
    withdrawn = await withdrawals.of_notes(session, replies)
    resources, uses = await _resources(session, posts), await _uses(session, posts)
    asked = await polls.of_posts(session, VISITOR, _threads(posts))
    offers = await _offers(session, posts)
    found: dict[int, SharedPost] = {}
    for post in posts:
        parent = around.get(post.parent_id or 0)
        found[post.id] = _shared(
            post,
            forums[post.forum_id],
            authors[post.author_id],
            context=around[post.thread_id].context,
            parent=(parent, authors[parent.author_id]) if parent else None,
            named=(tags.get(post.id, ()), mentions.get(post.id, ())),
            links=links.get(post.id, ()),
        )
        found[post.id] = replace(
            found[post.id],
            practice=practices.get(post.id),
            report=reports.get(post.id),
            announces=announced.get(post.id),
            states=stated.get(post.id),
            withdraws=withdrawn.get(post.id),
            event=events.get(post.id),
            resource=resources.get(post.id),
            use=uses.get(post.id),
            offers=post.id in offers,
            poll=asked.get(post.id),
        )
    return found


def _threads(posts: Sequence[Post]) -> list[int]:
    return [post.id for post in posts if post.kind == Kind.THREAD]


async def _reports(session: AsyncSession, posts: Sequence[Post]) -> dict[int, Report]:
    ids = [post.id for post in posts if post.kind == Kind.REPLICATION]
    if not ids:
        return {}
    question = select(Replication.post_id, Replication.record).where(Replication.post_id.in_(ids))
    return {
        number: reporting.unpack(record)
        for number, record in (await session.execute(question)).all()
    }


async def _announced(session: AsyncSession, posts: Sequence[Post]) -> dict[int, str]:
    """What the replies among posts announce, by their id."""
    ids = [post.id for post in posts if post.kind == Kind.REPLY]
    if not ids:
        return {}
    question = select(Announcing.post_id, Announcing.announces).where(Announcing.post_id.in_(ids))
    return {number: uri for number, uri in (await session.execute(question)).all()}


async def _practices(session: AsyncSession, posts: Sequence[Post]) -> dict[int, SharedPractice]:
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


async def _events(session: AsyncSession, posts: Sequence[Post]) -> dict[int, SharedEvent]:
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


async def _offers(session: AsyncSession, posts: Sequence[Post]) -> frozenset[int]:
    """Which of the posts are a mentor's offer."""
    ids = [post.id for post in posts if post.kind == Kind.THREAD]
    if not ids:
        return frozenset()
    question = select(OfferPost.post_id).where(OfferPost.post_id.in_(ids))
    return frozenset((await session.execute(question)).scalars())


async def _resources(session: AsyncSession, posts: Sequence[Post]) -> dict[int, SharedResource]:
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


async def _uses(session: AsyncSession, posts: Sequence[Post]) -> dict[int, SaidUse]:
    """What the replies among posts say of resources."""
    ids = [post.id for post in posts if post.kind == Kind.REPLY]
    if not ids:
        return {}
    question = select(
        ResourceUse.post_id, ResourceUse.of, ResourceUse.of_version, ResourceUse.verdict
    ).where(ResourceUse.post_id.in_(ids))
    return {row[0]: SaidUse(*row[1:]) for row in (await session.execute(question)).all()}


async def _by_id(session: AsyncSession, table: type[Row], ids: Iterable[int]) -> dict[int, Row]:
    rows = await session.execute(select(table).where(table.id.in_(set(ids))))
    return {row.id: row for row in rows.scalars()}


async def _mentions(
    session: AsyncSession, posts: Collection[int]
) -> dict[int, tuple[tuple[str, str], ...]]:
    question = (
        select(PostMention.post_id, Member)
        .join(Member, PostMention.member_id == Member.id)
        .where(PostMention.post_id.in_(posts))
        .order_by(Member.id)
    )
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for post_id, member in (await session.execute(question)).all():
        found[post_id] = (*found.get(post_id, ()), (handle_of(member), member.uri))
    return found


async def _links(
    session: AsyncSession, posts: Sequence[Post]
) -> dict[int, tuple[tuple[str, str], ...]]:
    """The posts that texts link to, by their ids (FEP-e232); those that anybody may see."""
    written = {post.id: _addresses(post.html) for post in posts}
    addresses = {address for found in written.values() for address in found}
    if not addresses:
        return {}
    question = (
        select(Post.uri, Post.url)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            or_(Post.uri.in_(addresses), Post.url.in_(addresses)),
            Post.state == PostState.LIVE,
            Forum.visibility == Visibility.PUBLIC,
        )
    )
    known: dict[str, str] = {}
    for uri, url in (await session.execute(question)).all():
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
    post: Post,
    forum: Forum,
    author: Member,
    *,
    context: str,
    parent: tuple[Post, Member] | None,
    named: tuple[tuple[str, ...], tuple[tuple[str, str], ...]],
    links: tuple[tuple[str, str], ...],
) -> SharedPost:
    tags, mentions = named
    answered = parent[1] if parent else None
    if answered is not None and answered.id != author.id:
        mentions = tuple(dict.fromkeys(((handle_of(answered), answered.uri), *mentions)))
    return SharedPost(
        uri=post.uri,
        url=post.url,
        author=author.uri,
        forum=forum.uri,
        title=post.title,
        source=post.source,
        html=post.html,
        published=post.published,
        context=context,
        tags=tags,
        language=post.language,
        updated=post.updated,
        parent=post.parent_uri or (parent[0].uri if parent else None),
        parent_author=answered.uri if answered else None,
        mentions=mentions,
        public=forum.visibility == Visibility.PUBLIC,
        locked=post.locked,
        likes=post.endorsement_count,
        links=links,
    )


def handle_of(member: Member) -> str:
    """`ana@riverton.example.gov`, for people here and elsewhere alike."""
    return f"{member.handle}@{member.uri.split('/')[2]}"
