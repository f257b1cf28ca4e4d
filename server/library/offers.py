# SPDX-License-Identifier: Apache-2.0
"""Offers of changes, as the two whom each concerns read them."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.library.offering import OfferState, sections_of
from server.practices import changes
from server.practices.comparing import Difference
from server.practices.record import Record, unpack
from server.shown import ShownReply
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.plain import Question, ask, given
from storage.posts import Post
from storage.practices import ChangeOffer, Practice

MOST_LISTED = 50


@dataclass(frozen=True)
class OfferLine:
    """An offer with who made it, for one of the two whom it concerns."""

    id: int
    person: Member
    titles: tuple[str, ...]
    note: str
    state: str
    reason: str
    is_mine: bool


@dataclass(frozen=True)
class OfferPage:
    """An offer and what it would change; `records` are the original's and the offered."""

    line: OfferLine
    offer: ChangeOffer
    post: Post
    records: tuple[Record, Record]
    may_answer: bool

    def differences(self) -> list[Difference]:
        """Slow for long texts: not to be asked for in the event loop."""
        return changes.shown(*self.records, sections_of(self.offer))


async def offers_on(
    session: AsyncSession, viewer: Viewer, post: Post | ShownReply
) -> list[OfferLine]:
    """The offers on a practice, or made from it, that concern the viewer; the latest first."""
    me = viewer.member
    if me is None or not viewer.is_member:
        return []
    about = {"post": post.id, "uri": post.uri, "me": me.id}
    rows = await ask(session, _OF_AUTHOR if post.author_id == me.id else _OF_ANYBODY, **about)
    return [_line(row, person, me) for row, person in rows]


def _offers(condition: ColumnElement[bool]) -> Question[tuple[ChangeOffer, Member]]:
    """The offers on a practice, and one's own from an adaptation, as far as `condition` goes."""
    is_mine = ChangeOffer.from_id == given("me")
    made_from = and_(is_mine, ChangeOffer.based_on == given("uri", Post.uri.type))
    return Question(
        select(ChangeOffer, Member)
        .join(Member, Member.id == ChangeOffer.from_id)
        .where(or_(ChangeOffer.post_id == given("post"), made_from), condition)
        .order_by(ChangeOffer.id.desc())
        .limit(MOST_LISTED),
        lambda row, person: (row, person),
    )


_OF_AUTHOR = _offers(ChangeOffer.state != OfferState.WITHDRAWN)
_OF_ANYBODY = _offers(ChangeOffer.from_id == given("me"))


def _line(row: ChangeOffer, person: Member, me: Member) -> OfferLine:
    told = tuple(changes.titles(list(sections_of(row))))
    return OfferLine(row.id, person, told, row.note, row.state, row.reason, row.from_id == me.id)


async def offer_page(session: AsyncSession, viewer: Viewer, number: int) -> OfferPage:
    """An offer, for the two whom it concerns and nobody else."""
    me = viewer.member
    question = (
        select(ChangeOffer, Post, Practice, Member)
        .join(Post, Post.id == ChangeOffer.post_id)
        .join(Practice, Practice.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == ChangeOffer.from_id)
        .where(ChangeOffer.id == number, visible_posts(viewer))
    )
    found = (await session.execute(question)).one_or_none()
    if found is None or me is None or not viewer.is_member:
        raise NotFound
    row, post, practice, person = found
    is_author = post.author_id == me.id
    if not is_author and row.from_id != me.id:
        raise NotFound
    return OfferPage(
        _line(row, person, me), row, post, (unpack(practice.record), unpack(row.record)),
        is_author and row.state == OfferState.WAITING,
    )  # fmt: skip
