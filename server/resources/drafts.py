# SPDX-License-Identifier: Apache-2.0
"""Resources being prepared: fields and files, kept until publishing.

A draft is its owner's alone: to anybody else, admins included, it answers as if it were not there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import files, text
from server.errors import Invalid, NotAllowed, NotFound
from server.records.editions import Beginning
from server.resources import pieces, previews
from server.resources.intake import TakenIn
from server.resources.record import MOST_FILES
from server.resources.terms import size_label
from server.resources.typed import FIELDS, LONGEST, OF_FILES, Attached
from server.transaction import Transaction
from storage.arrivals import Arrival
from storage.base import held
from storage.members import Member, MemberState
from storage.posts import Post
from storage.resources import ResourceDraft, ResourceFile, ResourceUpload

MOST_DRAFTS = 50


@dataclass(frozen=True)
class Open:
    """A draft with its files, as its owner sees it."""

    draft: ResourceDraft
    typed: dict[str, str]
    uploads: tuple[ResourceUpload, ...]
    arrivals: tuple[Arrival, ...] = ()

    @property
    def attached(self) -> tuple[Attached, ...]:
        """The files as the record will name them."""
        return tuple(
            Attached(str(one.id), one.name, one.media_type, one.size, one.sha256)
            for one in self.uploads
        )


async def begin(tx: Transaction, member: Member, beginning: Beginning) -> ResourceDraft:
    """Begin a draft of one's own."""
    if not member.is_local or member.state != MemberState.ACTIVE:
        raise NotAllowed
    mine = select(func.count()).where(ResourceDraft.owner_id == member.id)
    if (await tx.session.execute(mine)).scalar_one() >= MOST_DRAFTS:
        raise NotAllowed(
            f"You have {MOST_DRAFTS} drafts of resources already: publish or discard some first."
        )
    draft = ResourceDraft(
        id=tx.ids.next(),
        owner_id=member.id,
        forum_id=beginning.forum,
        post_id=beginning.post,
        source_id=beginning.source,
        source_version=beginning.source_version,
        source_digest=beginning.source_digest,
        title=text.clean_line(beginning.typed.get("name", ""), 200),
        typed=json.dumps(dict(beginning.typed), ensure_ascii=False),
        created=tx.now,
        updated=tx.now,
    )
    tx.session.add(draft)
    await tx.session.flush()
    return draft


async def must_own(session: AsyncSession, member: Member | None, number: int) -> ResourceDraft:
    """The draft, for its owner; NotFound for everybody else."""
    found = await session.get(ResourceDraft, number)
    if found is None or member is None or member.state != MemberState.ACTIVE:
        raise NotFound
    if found.owner_id != member.id:
        raise NotFound
    return found


async def opened(session: AsyncSession, member: Member | None, number: int) -> Open:
    """A draft with its files, for its owner."""
    draft = await must_own(session, member, number)
    question = (
        select(ResourceUpload)
        .where(ResourceUpload.draft_id == draft.id)
        .order_by(ResourceUpload.id)
    )
    uploads = tuple((await session.execute(question)).scalars())
    return Open(draft, json.loads(draft.typed), uploads, await pieces.of_draft(session, draft.id))


async def mine(session: AsyncSession, member: Member) -> list[ResourceDraft]:
    """Somebody's drafts, the latest first."""
    question = (
        select(ResourceDraft)
        .where(ResourceDraft.owner_id == member.id)
        .order_by(ResourceDraft.updated.desc(), ResourceDraft.id.desc())
        .limit(MOST_DRAFTS)
    )
    return list((await session.execute(question)).scalars())


async def save(tx: Transaction, member: Member, number: int, typed: Mapping[str, str]) -> None:
    """Keep what was typed, right or wrong; fields that a form did not have stay as they are."""
    found = await opened(tx.session, member, number)
    keys = {file.key for file in found.attached}
    known = {name for name in typed if name in FIELDS or _is_of_file(name, keys)}
    kept = {**found.typed, **{name: typed[name][:LONGEST] for name in known}}
    found.draft.typed = json.dumps({n: v for n, v in kept.items() if v}, ensure_ascii=False)
    found.draft.title = text.clean_line(kept.get("name", ""), 200)
    found.draft.updated = tx.now
    await tx.session.flush()


def _is_of_file(name: str, keys: set[str]) -> bool:
    what, _, rest = name.partition(".")
    key, _, part = rest.partition(".")
    return what == "file" and key in keys and part in OF_FILES


async def must_fit(
    session: AsyncSession, member: Member, number: int, size: int, most: int
) -> None:
    """Refuse more files than a resource has, and more bytes than `most` for each member."""
    found = await opened(session, member, number)
    if len(found.uploads) + len(found.arrivals) >= MOST_FILES:
        raise Invalid({"upload": f"A resource has at most {MOST_FILES} files."})
    used = await used_by(session, member)
    if used + size > most:
        raise Invalid(
            {
                "upload": f"You have {size_label(used)} of files in the hub, and at most"
                f" {size_label(most)} fit: remove some from your drafts, or ask an administrator."
            }
        )


async def used_by(session: AsyncSession, member: Member) -> int:
    """How many bytes a member has in the hub, and on their way to it.

    The same file counts once among what is published and once among what waits.
    """
    published = (
        select(ResourceFile.sha256, ResourceFile.size)
        .join(Post, Post.id == ResourceFile.post_id)
        .where(Post.author_id == member.id)
        .distinct()
        .subquery()
    )
    waiting = (
        select(ResourceUpload.sha256, ResourceUpload.size)
        .where(ResourceUpload.owner_id == member.id)
        .distinct()
        .subquery()
    )
    _, total = await pieces.announced_by(session, member)
    for table in (published, waiting):
        question = select(func.coalesce(func.sum(table.c.size), 0))
        total += int((await session.execute(question)).scalar_one())
    return total


async def add_file(tx: Transaction, member: Member, number: int, new: TakenIn) -> ResourceUpload:
    """Put a file into a draft, at the end."""
    # Two at once would each find room for itself alone.
    await held(tx.session, Member, member.id)
    await must_fit(tx.session, member, number, new.file.size, tx.settings.upload_quota * 1_000_000)
    upload = ResourceUpload(
        id=tx.ids.next(),
        draft_id=number,
        owner_id=member.id,
        sha256=new.file.sha256,
        size=new.file.size,
        name=new.name,
        media_type=new.file.media_type,
        said=new.said,
        at=tx.now,
    )
    await files.keep(tx, new.file)
    await previews.keep(tx, new.file.sha256, new.preview)
    tx.session.add(upload)
    (await must_own(tx.session, member, number)).updated = tx.now
    await tx.session.flush()
    return upload


async def let_go(tx: Transaction, new: TakenIn) -> None:
    """Leave nothing of a file that found no place."""
    await files.forget_unused(tx, new.file.sha256)
    if new.preview is not None and new.preview.picture is not None:
        await files.forget_unused(tx, new.preview.picture.sha256)


async def remove_file(tx: Transaction, member: Member, number: int, upload: int) -> None:
    """Take a file out of a draft."""
    await must_own(tx.session, member, number)
    row = await tx.session.get(ResourceUpload, upload)
    if row is None or row.draft_id != number:
        raise NotFound
    await tx.session.delete(row)
    await files.forget_unused(tx, row.sha256)


async def discard(tx: Transaction, member: Member, number: int) -> None:
    """Throw a draft away with its files."""
    await must_own(tx.session, member, number)
    await drop(tx, [number])


async def drop(tx: Transaction, numbers: Sequence[int]) -> None:
    """Forget drafts with their files, asking nobody."""
    await pieces.drop_of_drafts(tx, numbers)
    question = select(ResourceUpload.sha256).where(ResourceUpload.draft_id.in_(numbers)).distinct()
    uploads = list((await tx.session.execute(question)).scalars())
    await tx.session.execute(delete(ResourceUpload).where(ResourceUpload.draft_id.in_(numbers)))
    await tx.session.execute(delete(ResourceDraft).where(ResourceDraft.id.in_(numbers)))
    for sha256 in uploads:
        await files.forget_unused(tx, sha256)
