# SPDX-License-Identifier: Apache-2.0
"""Pictures sent ahead of the post that shows them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server import files, text
from server.errors import Invalid, NotFound, TooFast
from server.facts import PostDeleted
from server.files import NewFile
from server.transaction import Transaction
from storage.base import held
from storage.members import Member
from storage.posts import Post, PostState
from storage.uploads import Upload

LONGEST_DESCRIPTION = 1_500
MOST_A_POST = 4
MOST_WAITING = 40
WAITS = timedelta(days=1)


# What means something in Markdown.
_MARKS = re.compile(r"[\[\]\\`*_<>!]")


@dataclass(frozen=True)
class Picture:
    """A picture made anew by us, with its size in pixels."""

    file: NewFile
    width: int
    height: int


async def keep(tx: Transaction, member: Member, picture: Picture, description: str) -> Upload:
    """Keep a picture until its post comes; a member may have a few dozen waiting."""
    await held(tx.session, Member, member.id)
    waiting = select(func.count()).where(
        Upload.member_id == member.id, Upload.posted.is_(None), Upload.created > tx.now - WAITS
    )
    if (await tx.session.execute(waiting)).scalar_one() >= MOST_WAITING:
        raise TooFast("Many pictures of yours wait for their post: post some of them first.")
    await files.keep(tx, picture.file)
    upload = Upload(
        id=tx.ids.next(),
        member_id=member.id,
        sha256=picture.file.sha256,
        description=_described(description),
        width=picture.width,
        height=picture.height,
        created=tx.now,
    )
    tx.session.add(upload)
    await tx.session.flush()
    return upload


async def own(session: AsyncSession, member: Member, identifier: int) -> Upload:
    """A picture of the member's own."""
    found = await session.get(Upload, identifier)
    if found is None or found.member_id != member.id:
        raise NotFound
    return found


async def describe(tx: Transaction, member: Member, identifier: int, description: str) -> Upload:
    """Say what a picture shows, for those who cannot see it."""
    upload = await own(tx.session, member, identifier)
    upload.description = _described(description)
    await tx.session.flush()
    return upload


def _described(description: str) -> str:
    if len(description) > LONGEST_DESCRIPTION:
        message = f"Keep it to {LONGEST_DESCRIPTION} characters: this has {len(description)}."
        raise Invalid({"description": message})
    return text.clean_line(description, LONGEST_DESCRIPTION)


async def as_markdown(session: AsyncSession, member: Member, ids: list[int], origin: str) -> str:
    """The pictures as a post shows them, below its words."""
    if len(ids) > MOST_A_POST:
        raise Invalid({"media_ids": f"A post can show at most {MOST_A_POST} pictures."})
    shown = []
    for identifier in dict.fromkeys(ids):
        upload = await own(session, member, identifier)
        words = " ".join(_MARKS.sub(" ", upload.description).split())
        shown.append(f"![{words}]({origin}/media/{upload.sha256})")
    return "\n\n".join(shown)


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    """The pictures that a deleted post showed go with it, unless another of the author's does."""
    post = await tx.session.get_one(Post, fact.post)
    later = (Upload.member_id == post.author_id, Upload.posted >= post.published)
    shown = list((await tx.session.execute(select(Upload).where(*later).limit(500))).scalars())
    if not shown:
        return
    alive = select(Post.source).where(
        Post.author_id == post.author_id,
        Post.state != PostState.DELETED,
        Post.source.contains("/media/"),
    )
    sources = (await tx.session.execute(alive)).scalars().all()
    await _drop(tx, [one for one in shown if not any(one.sha256 in text for text in sources)])


async def tidy(tx: Transaction) -> None:
    """Drop pictures whose post never came."""
    late = (Upload.posted.is_(None), Upload.created < tx.now - WAITS)
    await _drop(tx, (await tx.session.execute(select(Upload).where(*late).limit(200))).scalars())


async def _drop(tx: Transaction, uploads: Iterable[Upload]) -> None:
    for upload in list(uploads):
        await tx.session.delete(upload)
        await files.forget_unused(tx, upload.sha256)


async def posted(tx: Transaction, member: Member, ids: list[int]) -> None:
    """A post shows them now."""
    await tx.session.execute(
        update(Upload)
        .where(Upload.member_id == member.id, Upload.id.in_(ids))
        .values(posted=tx.now)
    )
