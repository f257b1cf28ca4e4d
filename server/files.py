# SPDX-License-Identifier: Apache-2.0
"""Files kept under the SHA-256 of their bytes."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.settings import Settings
from server.transaction import Transaction
from storage.arrivals import Piece
from storage.base import insert
from storage.files import FilePreview, RemotePicture, StoredFile
from storage.members import Member
from storage.resources import ResourceFile, ResourceUpload
from storage.shelves import PIECE, Bucket, Folder, Shelf, Store
from storage.uploads import Upload


@dataclass(frozen=True)
class NewFile:
    """A file that is on its shelf, and not yet in the database."""

    sha256: str
    media_type: str
    size: int


class Arriving:
    """A file on its way to a shelf: written to the disk and hashed as it comes.

    As a context it is gone at the end, unless it was `kept` before.
    """

    def __init__(self, state: Path) -> None:
        folder = state / "arriving"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self.size = 0
        self._file = os.fdopen(descriptor, "w+b")
        self._hash = hashlib.sha256()

    def __enter__(self) -> "Arriving":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """The SHA-256 of what has come so far, in hex."""
        return self._hash.hexdigest()

    @property
    def content(self) -> BinaryIO:
        """What has come, to be read."""
        self._file.flush()
        return self._file

    def write(self, piece: bytes) -> None:
        """The next bytes; blocks."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def fill(self, source: BinaryIO) -> None:
        """All of a file; blocks."""
        source.seek(0)
        while piece := source.read(PIECE):
            self.write(piece)

    def settle(self) -> None:
        """Have all of it on the disk; blocks."""
        self._file.flush()
        os.fsync(self._file.fileno())


def _shelf(settings: Settings) -> Shelf:
    """Where files are kept, by the settings."""
    if not settings.files:
        return Folder(settings.state / "files")
    parts = urlsplit(settings.files)
    return Store(
        Bucket(
            name=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=settings.files_endpoint,
            region=settings.files_region,
            key=settings.files_key,
            secret=settings.files_secret,
        )
    )


class Files:
    """The files of an instance: on their way in a folder of this machine, then on a shelf."""

    def __init__(self, settings: Settings) -> None:
        self._state = settings.state
        self.shelf = _shelf(settings)

    def arriving(self) -> Arriving:
        """A new file on its way; blocks."""
        return Arriving(self._state)

    async def put(self, arriving: Arriving, media_type: str) -> NewFile:
        """Put a file on the shelf, durably; called before the transaction that `keep`s it."""
        await asyncio.to_thread(arriving.settle)
        await self.shelf.put(arriving.path, arriving.sha256)
        return NewFile(arriving.sha256, media_type, arriving.size)

    async def write(self, data: bytes, media_type: str) -> NewFile:
        """The same for bytes."""
        with await asyncio.to_thread(self.arriving) as arriving:
            await asyncio.to_thread(arriving.write, data)
            return await self.put(arriving, media_type)

    async def remove(self, sha256: str) -> None:
        """Take the bytes off the shelf."""
        await self.shelf.remove(sha256)


async def keep(tx: Transaction, new: NewFile) -> None:
    """Remember a written file; one that is kept already stays as it is."""
    await tx.session.execute(
        insert(tx.session, StoredFile)
        .values(sha256=new.sha256, media_type=new.media_type, size=new.size, created=tx.now)
        .on_conflict_do_nothing(index_elements=["sha256"])
    )


# What shows a file, or will. Each of these columns has an index.
_SHOWN_BY = (
    Member.avatar_file,
    RemotePicture.sha256,
    FilePreview.picture,
    Upload.sha256,
    Piece.sha256,
    ResourceFile.sha256,
    ResourceUpload.sha256,
)


def is_used(sha256: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether anything shows a file, or will."""
    return or_(*(exists().where(column == sha256) for column in _SHOWN_BY))


async def forget_unused(tx: Transaction, sha256: str) -> bool:
    """Drop a file's row when nothing shows it any more; its bytes go after the commit."""
    await tx.session.flush()
    if (await tx.session.execute(select(is_used(sha256)))).scalar_one():
        return False
    row = await tx.session.get(StoredFile, sha256)
    if row is not None:
        await tx.session.delete(row)
    tx.left.append(sha256)
    preview = await tx.session.get(FilePreview, sha256)
    if preview is not None:
        await tx.session.delete(preview)
        if preview.picture is not None:
            await forget_unused(tx, preview.picture)
    return True


async def is_shown(session: AsyncSession, sha256: str) -> bool:
    """Whether a file is a picture that a member shows: their own, or one for a post."""
    for column in (Member.avatar_file, Upload.sha256):
        if (await session.execute(select(column).where(column == sha256).limit(1))).first():
            return True
    return False


async def held(session: AsyncSession, sha256: str) -> StoredFile | None:
    """What is known of a kept file; None when there is none of that name."""
    return await session.get(StoredFile, sha256)
