# SPDX-License-Identifier: Apache-2.0
"""What a received post says beyond a thread, stored beside it."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from federation import authority
from federation.handlers import events, resources
from federation.posts import SharedPost
from federation.practices import SharedPractice
from server.errors import NotAllowed
from server.facts import PollCounted
from server.library import publishing, replicating, restating, withdrawing
from server.posts import voting
from server.posts.drafts import Origin, ThreadDraft
from server.practices import notices, reporting, standing, withdrawals
from server.practices.ancestry import below
from server.practices.notices import Warned
from server.records.editions import Edition
from server.transaction import Transaction
from server.vetting import statements
from storage.forums import Forum
from storage.posts import Kind, Post
from storage.practices import Practice
from storage.replications import Replication


def opening(shared: SharedPost, origin: Origin) -> ThreadDraft:
    """The draft of an opener as it was received, of the kind that it is."""
    kind = Kind.REPLICATION if shared.report else Kind.THREAD
    if shared.practice is not None:
        kind = Kind.PRACTICE
    elif shared.event is not None:
        kind = Kind.EVENT
    elif shared.resource is not None:
        kind = Kind.RESOURCE
    return ThreadDraft(shared.title, shared.source, shared.tags, shared.language, origin, kind)


async def opened(tx: Transaction, post: Post, sharing: SharedPost) -> None:
    """An opener was stored: with the record of a practice or a report, or as an event."""
    if sharing.practice is not None:
        await _put(tx, post, sharing, sharing.practice)
    elif sharing.report is not None:
        await replicating.apply(tx, post, sharing.report)
    elif sharing.event is not None:
        await events.put(tx, post, sharing)
    elif sharing.resource is not None:
        await resources.opened(tx, post, sharing, sharing.resource)
    elif sharing.poll is not None:
        await voting.put(tx, post, sharing.poll)


async def answered(tx: Transaction, reply: Post, sharing: SharedPost) -> None:
    """A reply was stored: with what it announces, if that is by its own author's server.

    And with what it states of reviews, or withdraws, if its author is of the forum's home.
    """
    if sharing.announces is not None and authority.same_origin(sharing.announces, sharing.uri):
        await replicating.announced(tx, reply, sharing.announces)
    if sharing.states is not None or sharing.withdraws is not None:
        forum = await tx.session.get_one(Forum, reply.forum_id)
        if not forum.is_local and authority.may_speak_for_forum(sharing.author, forum.uri):
            # A home states what it decided; at home itself that stands in its own rows.
            if sharing.states is not None:
                await statements.apply(tx, reply, sharing.states, reply.published)
            if sharing.withdraws is not None:
                await withdrawing.heard(tx, reply, sharing.withdraws)
    await resources.answered(tx, reply, sharing)


async def confirmed(tx: Transaction, post: Post) -> None:
    """The home of a forum took a post of ours: a report counts from now on."""
    report = await tx.session.get(Replication, post.id)
    if report is not None:
        await tx.session.flush()
        await standing.reckon_uri(tx, report.of)


def as_told_here(sharing: SharedPost) -> SharedPost:
    """The words of a practice or a report as they are made here, from the record.

    So that no number is shown that its sender computed.
    """
    if sharing.practice is not None:
        record = sharing.practice.record
        words = restating.body_of(record, sharing.practice.by_forum, sharing.practice.notice)
        return replace(sharing, html="", title=record.name, source=words)
    if sharing.report is not None:
        return replace(sharing, html="", source=reporting.markdown(sharing.report))
    if sharing.resource is not None:
        return resources.as_told_here(sharing, sharing.resource)
    return sharing


def must_stay_one(post: Post, sharing: SharedPost) -> None:
    """Refuse words for a practice that come without its record: the two would differ."""
    if post.kind == Kind.PRACTICE and sharing.practice is None:
        raise NotAllowed("A practice is changed with its record, and this came without one.")
    resources.must_stay_one(post, sharing)
    if post.kind == Kind.REPLICATION and sharing.report is None:
        raise NotAllowed("A report is changed with its numbers, and this came without them.")
    if post.kind == Kind.EVENT and sharing.event is None:
        raise NotAllowed("An event says when it is, and this does not.")


async def edited(tx: Transaction, post: Post, sharing: SharedPost, before: int) -> None:
    """A post was changed, unless its revision is the one `before`: then that was old news.

    Of old news only the version is kept, among those that came since.
    """
    if sharing.report is not None and post.kind == Kind.REPLICATION and post.revision != before:
        await replicating.apply(tx, post, sharing.report)
    if sharing.event is not None and post.revision != before:
        await events.put(tx, post, sharing)
    if sharing.poll is not None and post.kind == Kind.THREAD:
        # Counts change without an edit.
        news = await voting.put(tx, post, sharing.poll)
        if news and post.revision == before:
            tx.record(PollCounted(post.id, sharing.poll.voters, sharing.poll.over))
    if sharing.resource is not None:
        is_news = post.revision != before
        await resources.edited(tx, post, sharing, sharing.resource, is_news=is_news)
    if sharing.practice is None:
        return
    if post.revision == before:
        held = await tx.session.get(Practice, post.id)
        if held is None or sharing.practice.version >= held.version:
            return
    post.kind = Kind.PRACTICE
    await _put(tx, post, sharing, sharing.practice)


async def _put(tx: Transaction, post: Post, sharing: SharedPost, said: SharedPractice) -> None:
    at = min(sharing.updated or sharing.published, post.updated or post.published)
    practice = await publishing.apply(
        tx, post, Edition(said.record, said.version, said.note, post.author_id, at)
    )
    if at >= (post.updated or post.published):
        about = Warned(post.uri, post.title, post.url, practice.agency, post.author_id)
        await notices.apply(tx, about, said.notice, at)
        await withdrawals.stated(tx, about, stands=said.by_forum is not None)


async def is_source(session: AsyncSession, uri: str, forum: Forum | None = None) -> bool:
    """Whether practices held here, in this forum, descend from the practice of this id."""
    question = (
        select(Practice.post_id)
        .where(below(uri), Post.uri != uri)
        .join(Post, Post.id == Practice.post_id)
        .limit(1)
    )
    if forum is not None:
        question = question.where(Post.forum_id == forum.id)
    return (await session.execute(question)).first() is not None
