# SPDX-License-Identifier: Apache-2.0
"""Reporting a post to those who look after its forum."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from server import audit, notifications, text
from server.errors import Invalid, NotAllowed, NotFound
from server.facts import PostReported
from server.forums.standing import standing, standing_now
from server.moderation.blocks import stewards_of
from server.notifications import Notice
from server.permissions import Permission, must
from server.transaction import Transaction
from storage import moderation
from storage.base import insert
from storage.forums import Forum
from storage.members import Member
from storage.moderation import Report
from storage.posts import Post, PostState

LONGEST = 1_000
MOST_SHOWN = 200


async def report(tx: Transaction, member: Member, post: Post, reason: str) -> None:
    """Put a post before its forum's stewards; Invalid without a reason.

    Of a forum elsewhere its home is told, and its author's server, in the way each reads.
    """
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.REPORT, post)
    if post.state == PostState.DELETED:
        raise NotFound
    if post.author_id == member.id:
        raise NotAllowed("This is your own post: you can change or delete it.")
    if not reason.strip():
        raise Invalid({"reason": "Say in a few words what is wrong with it."})
    if len(reason) > LONGEST:
        raise Invalid({"reason": f"Keep it under {LONGEST} characters."})
    number = await keep(tx, member, post, reason)
    if number is not None:
        tx.record(PostReported(number, member.id))


async def keep(tx: Transaction, member: Member, post: Post, reason: str) -> int | None:
    """A report by somebody here or elsewhere, once for each; None where there was one.

    Those who look after the forum and have an account here are told.
    """
    statement = (
        insert(tx.session, Report)
        .values(
            id=tx.ids.next(),
            forum_id=post.forum_id,
            post_id=post.id,
            reporter=member.uri,
            reason=text.clean_line(reason, LONGEST),
            at=tx.now,
        )
        .on_conflict_do_nothing(index_elements=["post_id", "reporter"])
        .returning(Report.id)
    )
    number = (await tx.session.execute(statement)).scalar_one_or_none()
    if number is None:
        return None
    audit.note(tx, member, "post.reported", post.uri, reason)
    forum = await tx.session.get_one(Forum, post.forum_id)
    for steward in await stewards_of(tx.session, forum):
        await notifications.tell_anew(tx, steward.id, Notice.REPORT, post, member.id)
    return number


@dataclass(frozen=True)
class ReportLine:
    """A report with the post, who wrote that, and who reports it."""

    report: Report
    post: Post
    author: Member
    reporter: Member | None


async def page(session: AsyncSession, member: Member | None, forum: Forum) -> Sequence[ReportLine]:
    """What is reported in a forum and not dealt with, for those who look after it."""
    must(await standing(session, member, forum), Permission.REMOVE_POST)
    rows = await moderation.open_reports(session, forum.id, MOST_SHOWN)
    return [ReportLine(*row) for row in rows]


async def close(tx: Transaction, actor: Member, forum: Forum, number: int) -> None:
    """A report is dealt with."""
    must(await standing_now(tx, actor, forum), Permission.REMOVE_POST)
    held = await tx.session.get(Report, number)
    if held is None or held.forum_id != forum.id:
        raise NotFound
    if held.closed is None:
        held.closed = tx.now
        post = await tx.session.get_one(Post, held.post_id)
        audit.note(tx, actor, "report.closed", post.uri, held.reporter)
