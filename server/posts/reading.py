# SPDX-License-Identifier: Apache-2.0
"""How far a member has read, and what they are still writing."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.notifications import mark_thread_read
from server.transaction import Transaction
from storage.base import Characters, insert
from storage.members import Member
from storage.plain import Put, Question, ask, given
from storage.posts import Draft, Post, PostState, ReadMark
from storage.versions import COUNTED


async def mark_read(tx: Transaction, member: Member, thread: int, upto: datetime) -> None:
    """Everything of the thread that arrived up to `upto` has been seen."""
    post = await tx.session.get(Post, thread)
    if post is None:
        return
    upto = max(upto, post.bumped) if upto >= post.arrived else upto
    held = await tx.session.get(ReadMark, (member.id, thread))
    if held is None:
        await tx.session.execute(
            insert(tx.session, ReadMark)
            .values(member_id=member.id, thread_id=thread, seen=upto)
            .on_conflict_do_nothing(index_elements=["member_id", "thread_id"])
        )
    elif held.seen < upto:
        held.seen = upto
    await mark_thread_read(tx, member, thread)


async def save_draft(
    tx: Transaction,
    member: Member,
    place: str,
    *,
    title: str,
    source: str,
    tags: str,
    poll: str = "",
) -> None:
    """Keep what is being written; an empty text forgets the draft."""
    if not (title.strip() or source.strip() or poll):
        await drop_draft(tx, member, place)
        return
    values = {
        "title": title[:500],
        "source": source[: text.MAX_SOURCE],
        "tags": tags[:500],
        "poll": poll,
        "updated": tx.now,
    }
    await tx.session.execute(
        insert(tx.session, Draft)
        .values(member_id=member.id, place=place[:64], **values)
        .on_conflict_do_update(index_elements=["member_id", "place"], set_=values)
    )


async def drop_draft(tx: Transaction, member: Member, place: str) -> None:
    """Forget a draft, once it was posted or thrown away.

    With a change of a post goes the word that its home did not take the last one.
    """
    await tx.session.execute(
        delete(Draft).where(Draft.member_id == member.id, Draft.place == place)
    )
    kind, _, number = place.partition(":")
    if kind != "edit" or not number.isdecimal():
        return
    await tx.session.execute(
        update(Post)
        .where(Post.id == int(number), Post.author_id == member.id)
        .where(Post.state.in_((PostState.LIVE, PostState.SENT)), Post.reason != "")
        .values(reason=""),
        execution_options=COUNTED,
    )


async def draft(session: AsyncSession, member: Member, place: str) -> Draft | None:
    """What the member was writing at this place."""
    return await session.get(Draft, (member.id, place))


_DRAFTED = Question(
    select(Draft.source).where(
        Draft.member_id == given("me"), Draft.place == given("place", Characters(64))
    ),
    str,
)


def ahead(member: Member, place: str) -> Put:
    """What `drafted` asks."""
    return _DRAFTED, {"me": member.id, "place": place}


async def drafted(session: AsyncSession, member: Member, place: str) -> str:
    """The text the member was writing at this place; "" for none."""
    found = await ask(session, _DRAFTED, me=member.id, place=place)
    return found[0] if found else ""


async def drafts(session: AsyncSession, member: Member) -> list[Draft]:
    """Everything the member has begun, the latest first."""
    question = (
        select(Draft).where(Draft.member_id == member.id).order_by(Draft.updated.desc()).limit(50)
    )
    return list((await session.execute(question)).scalars())
