# SPDX-License-Identifier: Apache-2.0
"""Files kept in the state folder under the SHA-256 of their bytes."""

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.transaction import Transaction
from storage.base import insert
from storage.files import RemotePicture, StoredFile
from storage.members import Member
from storage.uploads import Upload

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class NewFile:
    """A file that is on the disk, and not yet in the database."""

    sha256: str
    media_type: str
    size: int


def path_of(state: Path, sha256: str) -> Path:
    """Where a file lies: `files/ab/cd/abcd…`; ValueError for anything but a SHA-256 in hex."""
    if not _SHA256.match(sha256):
        raise ValueError("not the name of a stored file")
    return state / "files" / sha256[:2] / sha256[2:4] / sha256


async def write(state: Path, data: bytes, media_type: str) -> NewFile:
    """Put bytes on the disk, durably; called before the transaction that `keep`s them."""
    sha256 = hashlib.sha256(data).hexdigest()
    await asyncio.to_thread(_write, path_of(state, sha256), data)
    return NewFile(sha256, media_type, len(data))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place, so that nobody ever reads half of it.
    descriptor, beside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise


async def keep(tx: Transaction, new: NewFile) -> None:
    """Remember a written file; one that is kept already stays as it is."""
    await tx.session.execute(
        insert(tx.session, StoredFile)
        .values(sha256=new.sha256, media_type=new.media_type, size=new.size, created=tx.now)
        .on_conflict_do_nothing(index_elements=["sha256"])
    )


async def forget_unused(tx: Transaction, sha256: str) -> bool:
    """Drop a file's row when nothing shows it any more; the bytes may then be removed."""
    await tx.session.flush()
    users = (
        select(func.count()).where(Member.avatar_file == sha256),
        select(func.count()).where(RemotePicture.sha256 == sha256),
        select(func.count()).where(Upload.sha256 == sha256),
    )
    for question in users:
        if (await tx.session.execute(question)).scalar_one():
            return False
    row = await tx.session.get(StoredFile, sha256)
    if row is not None:
        await tx.session.delete(row)
    return True


async def remove(state: Path, sha256: str) -> None:
    """Take the bytes off the disk, after the transaction that forgot them."""
    await asyncio.to_thread(path_of(state, sha256).unlink, missing_ok=True)


async def read(session: AsyncSession, state: Path, sha256: str) -> tuple[StoredFile, bytes] | None:
    """A kept file and its bytes; None when there is none of that name."""
    if not _SHA256.match(sha256):
        return None
    row = await session.get(StoredFile, sha256)
    if row is None:
        return None
    try:
        return row, await asyncio.to_thread(path_of(state, sha256).read_bytes)
    except FileNotFoundError:
        return None
