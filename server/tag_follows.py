# SPDX-License-Identifier: Apache-2.0
"""Following tags: their threads come to the member's home page."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Invalid, NotFound, SignInNeeded
from server.transaction import Transaction
from server.viewers import Viewer
from storage.base import insert
from storage.members import Member
from storage.posts import PostTag
from storage.tag_follows import TagFollow

MOST = 100


def tidy(tag: str) -> str:
    """A tag as threads carry it; NotFound for what can be no tag."""
    try:
        [name] = text.clean_tags(tag)
    except ValueError as error:
        raise NotFound from error
    return name


async def follow(tx: Transaction, member: Member, tag: str) -> None:
    """Have its threads on the home page; once, however often it is asked."""
    if not member.is_local:
        raise SignInNeeded
    held = select(func.count()).where(TagFollow.member_id == member.id)
    if (await tx.session.execute(held)).scalar_one() >= MOST:
        raise Invalid(message=f"You can follow {MOST} tags at most.")
    await tx.session.execute(
        insert(tx.session, TagFollow)
        .values(id=tx.ids.next(), member_id=member.id, tag=tidy(tag), created=tx.now)
        .on_conflict_do_nothing(index_elements=["member_id", "tag"])
    )


async def leave(tx: Transaction, member: Member, tag: str) -> None:
    """Follow it no longer."""
    await tx.session.execute(
        delete(TagFollow).where(TagFollow.member_id == member.id, TagFollow.tag == tidy(tag))
    )


def of(me: Any) -> Select[str]:
    """The tags that a member follows."""
    return select(TagFollow.tag).where(TagFollow.member_id == me)


async def does_follow(session: AsyncSession, viewer: Viewer, tag: str) -> bool:
    """Whether the member follows this tag."""
    if viewer.member is None:
        return False
    held = exists().where(TagFollow.member_id == viewer.member.id, TagFollow.tag == tag)
    return bool((await session.execute(select(held))).scalar_one())


async def followers(
    session: AsyncSession, posts: Collection[int], members: Collection[int]
) -> list[tuple[int, int]]:
    """(member, post) of those among these posts that carry a tag which the member follows."""
    question = (
        select(TagFollow.member_id, PostTag.post_id)
        .join(PostTag, PostTag.tag == TagFollow.tag)
        .where(PostTag.post_id.in_(posts), TagFollow.member_id.in_(members))
    )
    return [(row[0], row[1]) for row in (await session.execute(question)).all()]
