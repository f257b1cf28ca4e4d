# SPDX-License-Identifier: Apache-2.0
"""Where a practice stands on the ladder, from the rows there are.

Reviews, replications and advisories are rows of other features: `gather` is the one place that
reads them, `reckon` the reaction to the facts that they record.
"""

import json
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.practices import evidence, reporting
from server.practices.evidence import Grounds, Review, Standing, Stated, Step
from server.practices.facets import facets_of, put_facets
from server.practices.keeping import Library, library
from server.practices.record import Record, unpack
from server.transaction import Transaction
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.plain import Question, ask, found, given
from storage.posts import Post, PostState
from storage.practices import Practice, PracticeNotice, PracticeWithdrawal
from storage.replications import Replication
from storage.reviews import Review as ReviewRow
from storage.reviews import ReviewSeat, ReviewStatement

HERE = "here"
"""How the agency of this instance is called among the hosts of the others."""
MOST_COUNTED = 1_000


_SURROUNDED = Question(
    select(Post, Member, Forum)
    .join(Member, Member.id == Post.author_id)
    .join(Forum, Forum.id == Post.forum_id)
    .where(Post.id == given("post")),
    lambda post, author, forum: (post, author, forum),
)


async def gather(
    session: AsyncSession, practice: Practice, record: Record, kept: Library, now: datetime
) -> Grounds:
    """Everything that the step of a practice is computed from, in a fixed number of questions.

    Agencies are told apart by the host of their people, which nobody can claim for themselves.
    """
    post, author, forum = (await ask(session, _SURROUNDED, post=practice.post_id))[0]
    why, by_stewards = await _withdrawal(session, post.uri)
    return Grounds(
        record=record,
        agency=author.peer or HERE,
        now=now,
        period=kept.period,
        reviews=await _reviews(session, post) if forum.is_local else (),
        stated=None if forum.is_local else await _stated(session, post, forum),
        replications=await _replications(session, post),
        withdrawn=why,
        by_stewards=by_stewards,
    )


async def _reviews(session: AsyncSession, practice: Post) -> list[Review]:
    """What the reviewers said of a practice in a forum here, in the review decided last.

    A recommendation counts for as long as the stewards' acceptance stands.
    """
    return await ask(session, _REVIEWS, post=practice.id)


_LAST = (
    select(ReviewRow.id)
    .where(ReviewRow.post_id == given("post"), ReviewRow.decided.is_not(None))
    .order_by(ReviewRow.id.desc())
    .limit(1)
    .scalar_subquery()
)
_REVIEWS = Question(
    select(ReviewSeat.id, ReviewSeat.peer, ReviewSeat.recommendation)
    .add_columns(ReviewRow.state, ReviewRow.decided)
    .join(ReviewRow, ReviewRow.id == ReviewSeat.review_id)
    .where(ReviewRow.id == _LAST, ReviewSeat.recommendation != "", ReviewRow.decided.is_not(None))
    .order_by(ReviewSeat.id)
    .limit(MOST_COUNTED),
    lambda seat, peer, recommendation, state, decided: Review(
        reviewer=str(seat),
        agency=peer or HERE,
        accepted=state == "accepted" and recommendation == "accept",
        at=decided,
    ),
)


async def _stated(session: AsyncSession, practice: Post, forum: Forum) -> Stated | None:
    """What the home of a forum elsewhere states last; nobody else's word counts."""
    where = {"uri": practice.uri, "forum": practice.forum_id, "host": forum.peer}
    said = await ask(session, _STATED, **where)
    return said[0] if said else None


_STATED = Question(
    select(*(getattr(ReviewStatement, name) for name in ("reviewers", "agencies", "at", "against")))
    .join(Post, Post.id == ReviewStatement.post_id)
    .join(Member, Member.id == Post.author_id)
    .where(
        ReviewStatement.of == given("uri", Post.uri.type),
        Post.forum_id == given("forum"),
        Post.state == PostState.LIVE,
        Member.peer == given("host", Member.peer.type),
    )
    .order_by(ReviewStatement.at.desc())
    .limit(1),
    Stated,
)


async def _withdrawal(session: AsyncSession, uri: str) -> tuple[str, bool]:
    """Why a practice is withdrawn, empty where it is not; and whether stewards did it."""
    by_forum = await found(session, PracticeWithdrawal, uri)
    if by_forum is not None and by_forum.active:
        return by_forum.words, True
    said = await found(session, PracticeNotice, uri)
    if said is None or not said.active or said.kind != "withdrawn":
        return "", False
    return said.words, said.steward_id is not None


async def _replications(session: AsyncSession, practice: Post) -> list[evidence.Replication]:
    """The reports that everybody who sees the practice may know of."""
    return await ask(session, _REPLICATIONS, uri=practice.uri, forum=practice.forum_id)


_REPLICATIONS = Question(
    select(Member.peer, Replication.record)
    .join(Post, Post.author_id == Member.id)
    .join(Replication, Replication.post_id == Post.id)
    .join(Forum, Forum.id == Post.forum_id)
    .where(
        Replication.of == given("uri", Post.uri.type),
        Post.state == PostState.LIVE,
        or_(Forum.id == given("forum"), Forum.visibility == Visibility.PUBLIC),
    )
    .order_by(Post.id)
    .limit(MOST_COUNTED),
    lambda peer, stored: evidence.Replication(peer or HERE, reporting.unpack(stored).outcomes),
)


async def reckon_uri(tx: Transaction, uri: str) -> None:
    """Put the practice of a uri where it now belongs, if it is held here."""
    question = select(Practice).join(Post, Post.id == Practice.post_id).where(Post.uri == uri)
    practice = (await tx.session.execute(question)).scalar_one_or_none()
    if practice is not None:
        await reckon(tx, practice)


async def standing(
    session: AsyncSession, practice: Practice, record: Record, kept: Library, now: datetime
) -> Standing:
    """Where a practice stands at this moment: a review may have grown old since it was stored."""
    return evidence.stand(await gather(session, practice, record, kept, now))


async def reckon(tx: Transaction, practice: Practice) -> Standing:
    """Put a practice on the step where it now belongs, and have it found there."""
    record = unpack(practice.record)
    kept = await library(tx.session)
    found = await standing(tx.session, practice, record, kept, tx.now)
    practice.evidence, practice.why = found.step, json.dumps(asdict(found))
    await put_facets(tx, practice.post_id, facets_of(record, practice.agency, found.step))
    return found


def standing_of(practice: Practice) -> Standing:
    """Where a practice was last found to stand."""
    stored = json.loads(practice.why)
    return Standing(
        step=Step(stored.get("step", practice.evidence)),
        because=tuple(stored.get("because", ())),
        missing=tuple(stored.get("missing", ())),
        is_stated=bool(stored.get("is_stated")),
    )
