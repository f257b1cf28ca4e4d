# SPDX-License-Identifier: Apache-2.0
"""The files of published resources: which is asked for, and counting it.

Nothing is kept of who asks. A count goes up once a day for each address and browser, told apart
by a digest that lives in memory until midnight.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server import files
from server.errors import NotFound
from server.files import NewFile
from server.peers import Wanted
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage import versions
from storage.files import FilePreview, StoredFile
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.resources import Resource, ResourceFile, ResourceVersion

MOST_REMEMBERED = 50_000
_ROBOTS = ("bot", "crawl", "spider", "slurp", "preview", "monitor", "curl", "wget", "python")


@dataclass(frozen=True)
class Asked:
    """A file of a version that the asker may have; `held` is None until its bytes are here."""

    post: Post
    author: Member
    file: ResourceFile
    held: StoredFile | None


async def asked(
    session: AsyncSession, viewer: Viewer, number: int, version: int, position: int
) -> Asked:
    """A file of a resource that the viewer may see; NotFound for anything else."""
    question = (
        select(Post, Member, ResourceFile, StoredFile)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .join(ResourceFile, ResourceFile.post_id == Post.id)
        .outerjoin(StoredFile, StoredFile.sha256 == ResourceFile.sha256)
        .where(
            Post.id == number,
            ResourceFile.version == version,
            ResourceFile.position == position,
            Post.state != PostState.DELETED,
            visible_posts(viewer),
        )
    )
    row = (await session.execute(question)).one_or_none()
    if row is None:
        raise NotFound
    return Asked(*row)


async def preview_of(session: AsyncSession, file: ResourceFile) -> StoredFile:
    """The picture of a file; NotFound where there is none."""
    seen = await session.get(FilePreview, file.sha256)
    held = await session.get(StoredFile, seen.picture) if seen and seen.picture else None
    if held is None:
        raise NotFound
    return held


async def arrived(tx: Transaction, new: NewFile) -> None:
    """The bytes of another agency's file are here, as their digest says."""
    await files.keep(tx, new)
    await tx.session.execute(
        update(ResourceFile).where(ResourceFile.sha256 == new.sha256).values(failed=None, fault="")
    )


async def failed(tx: Transaction, file: Wanted, fault: str) -> None:
    """The home of a file did not give it out, or gave another one."""
    await tx.session.execute(
        update(ResourceFile)
        .where(ResourceFile.sha256 == file.sha256, ResourceFile.url == file.url)
        .values(failed=tx.now, fault=fault[:500])
    )


async def count(tx: Transaction, number: int, version: int) -> None:
    """One more download, which is told on the resource's own page."""
    of_all = update(Resource).where(Resource.post_id == number)
    of_one = update(ResourceVersion).where(
        ResourceVersion.post_id == number, ResourceVersion.version == version
    )
    for statement in (
        of_all.values(downloads=Resource.downloads + 1),
        of_one.values(downloads=ResourceVersion.downloads + 1),
    ):
        shown = {versions.SCOPES: (versions.thread(number),)}
        await tx.session.execute(statement, execution_options=shown)


class Counted:
    """Who has been counted today: digests under a secret, in memory, dropped at midnight."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._day: date | None = None
        self._seen: set[bytes] = set()

    def is_new(self, today: date, who: str, browser: str, what: str) -> bool:
        """Whether this one is to be counted; programs that walk the web are not."""
        name = browser.casefold()
        if not name or any(word in name for word in _ROBOTS):
            return False
        if today != self._day or len(self._seen) >= MOST_REMEMBERED:
            self._day, self._seen = today, set()
        told = f"{today} {who} {browser} {what}".encode()
        mark = hashlib.blake2b(told, key=self._secret[:64], digest_size=12).digest()
        if mark in self._seen:
            return False
        self._seen.add(mark)
        return True
