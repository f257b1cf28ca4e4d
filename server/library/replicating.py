# SPDX-License-Identifier: Apache-2.0
"""Reporting what came of a practice elsewhere, and reading the reports.

`report` goes by the rules of this instance; `apply` is its other half, which a translator calls
with what the home of a forum sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Gone, NotAllowed
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.posts import writing
from server.posts.drafts import ReplyDraft, ThreadDraft
from server.practices import reporting, standing
from server.practices.record import Outcome, unpack
from server.practices.reporting import Report
from server.transaction import Transaction
from server.viewers import Sight, Viewer, posts_in
from storage.forums import Forum
from storage.members import Member
from storage.plain import Question, ask, given
from storage.posts import Kind, Post, PostState
from storage.practices import Practice
from storage.replications import Announcing, Replication

MOST_SHOWN = 100


async def report(tx: Transaction, member: Member, practice: Post, said: Report) -> Post:
    """Report what came of a practice here: a post of its own, and a short reply that tells of it.

    Invalid names the fields that need another look, as `reporting.must_compare` calls them.
    """
    practice = await tx.session.get_one(Post, practice.id)
    if practice.state == PostState.DELETED:
        raise Gone("The practice was deleted meanwhile.")
    held = await tx.session.get_one(Practice, practice.id)
    forum = await tx.session.get_one(Forum, practice.forum_id)
    must(await standing_now(tx, member, forum), Permission.POST_THREAD)
    await must_be_elsewhere(tx, member, practice)
    said = replace(said, of=practice.uri, of_version=held.version)
    reporting.must_compare(said, unpack(held.record).outcomes)
    title = f"Replication: {practice.title}"[:200]
    draft = ThreadDraft(
        title, reporting.markdown(said), language=practice.language, kind=Kind.REPLICATION
    )
    post = await writing.post_thread(tx, member, forum, draft)
    await apply(tx, post, said)
    agency = member.agency or tx.settings.agency_name
    words = f"We did this at {agency}. {reporting.sentence(said)} [The whole report]({post.url})"
    note = await writing.reply(tx, member, ReplyDraft(words, practice.id, practice.language))
    await announced(tx, note, post.uri)
    return post


async def must_be_elsewhere(tx: Transaction, member: Member, practice: Post) -> None:
    """A practice is replicated by another agency than its own."""
    author = await tx.session.get_one(Member, practice.author_id)
    if author.peer == member.peer:
        raise NotAllowed(
            "This practice is your own agency’s: put new results into a new version of it."
        )


async def must_be_of_a_practice(tx: Transaction, member: Member, said: Report) -> None:
    """The rules of a home for a report that somebody elsewhere sends."""
    row = await tx.session.execute(
        select(Practice, Post).join(Post, Post.id == Practice.post_id).where(Post.uri == said.of)
    )
    found = row.one_or_none()
    if found is None:
        return
    await must_be_elsewhere(tx, member, found[1])
    reporting.must_compare(said, unpack(found[0].record).outcomes)


async def apply(tx: Transaction, post: Post, said: Report) -> None:
    """The report as it then is, without asking whether it may be; the ladder hears of it."""
    held = await tx.session.get(Replication, post.id)
    row = held or Replication(post_id=post.id)
    row.of, row.of_version, row.record = said.of, said.of_version, reporting.pack(said)
    tx.session.add(row)
    await tx.session.flush()
    await standing.reckon_uri(tx, said.of)


async def announced(tx: Transaction, note: Post, uri: str) -> None:
    """A reply says that it announces another post."""
    if await tx.session.get(Announcing, note.id) is None:
        tx.session.add(Announcing(post_id=note.id, announces=uri))
        await tx.session.flush()


@dataclass(frozen=True)
class Adopter:
    """One agency's report beside the practice; `others` counts outcomes that do not compare."""

    post: Post
    agency: str
    report: Report
    pairs: tuple[tuple[Outcome, Outcome], ...]
    others: int


@cache
def _sites(sight: Sight) -> Question[tuple[Post, str, str]]:
    return Question(
        select(Post, Member.agency, Member.peer, Replication.record)
        .join(Replication, Replication.post_id == Post.id)
        .join(Member, Member.id == Post.author_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Replication.of == given("uri", Post.uri.type),
            Post.state.in_((PostState.LIVE, PostState.SENT)),
            posts_in(sight),
        )
        .order_by(Post.id)
        .limit(MOST_SHOWN),
        lambda post, agency, peer, record: (post, agency or peer or "", record),
    )


async def sites_of(
    session: AsyncSession, viewer: Viewer, uri: str, originals: Sequence[Outcome]
) -> tuple[Adopter, ...]:
    """The reports of a practice that the viewer may see, the oldest first."""
    found = []
    for post, agency, record in await ask(session, _sites(viewer.sight), uri=uri, **viewer.values):
        said = reporting.unpack(record)
        pairs = tuple(reporting.comparable(said, originals))
        found.append(Adopter(post, agency, said, pairs, len(said.outcomes) - len(pairs)))
    return tuple(found)
