# SPDX-License-Identifier: Apache-2.0
"""Where the bytes of files lie: a folder, or a store that speaks S3."""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import obstore
from obstore.store import S3Store

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
PIECE = 256 * 1024


def key_of(sha256: str) -> str:
    """`ab/cd/abcd…`; ValueError for anything but a SHA-256 in hex."""
    if not _SHA256.match(sha256):
        raise ValueError("not the name of a stored file")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


class Shelf(Protocol):
    """Files by the SHA-256 of their bytes; each call raises OSError where the shelf fails."""

    async def put(self, source: Path, sha256: str) -> None:
        """Keep a file durably; the one at `source` may be moved away."""
        ...

    async def size(self, sha256: str) -> int | None:
        """How many bytes a file has; None where it is not held."""
        ...

    def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes of a file that is held, piece by piece."""
        ...

    async def remove(self, sha256: str) -> None:
        """Keep a file no longer; one that is not held is gone already."""
        ...

    def old(self, before: datetime, most: int) -> AsyncIterator[list[str]]:
        """The files that were last put here before a moment, at most so many at a time."""
        ...

    async def remove_old(self, sha256: str, before: datetime) -> bool:
        """Remove a file unless it was put here again since; answers whether it was."""
        ...


class Folder:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where a file lies."""
        return self._folder / key_of(sha256)

    async def put(self, source: Path, sha256: str) -> None:
        await asyncio.to_thread(_moved, source, self.path(sha256))

    async def size(self, sha256: str) -> int | None:
        try:
            return (await asyncio.to_thread(self.path(sha256).stat)).st_size
        except FileNotFoundError:
            return None

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self.path(sha256).open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
        finally:
            file.close()

    async def remove(self, sha256: str) -> None:
        await asyncio.to_thread(self.path(sha256).unlink, missing_ok=True)

    async def old(self, before: datetime, most: int) -> AsyncIterator[list[str]]:
        names = await asyncio.to_thread(self._subfolders)
        for name in names:
            found = await asyncio.to_thread(self._old_in, name, before.timestamp())
            for start in range(0, len(found), most):
                yield found[start : start + most]

    def _subfolders(self) -> list[Path]:
        return sorted(one for one in self._folder.glob("*") if one.is_dir())

    def _old_in(self, folder: Path, before: float) -> list[str]:
        """The old files in a folder; what was half copied there is dropped on the way."""
        found = []
        for path in folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime >= before:
                    continue
                if _SHA256.match(path.name):
                    found.append(path.name)
                else:
                    path.unlink()
        return found

    async def remove_old(self, sha256: str, before: datetime) -> bool:
        return await asyncio.to_thread(_removed, self.path(sha256), before.timestamp())


def _removed(path: Path, before: float) -> bool:
    """Remove a file that is old.

    It is taken aside before it is looked at: whoever puts the same bytes there in between makes a
    new file, and one that turns out to be young is put back as it was.
    """
    aside = path.with_name(f"{path.name}.old")
    try:
        path.replace(aside)
        if aside.stat().st_mtime >= before:
            aside.replace(path)
            return False
        aside.unlink()
    except FileNotFoundError:
        return False
    return True


def _moved(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place, so that nobody ever reads half of it.
    try:
        source.replace(path)
    except OSError:
        _copied(source, path)


def _copied(source: Path, path: Path) -> None:
    """The same from another disk."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file, source.open("rb") as read:
            while piece := read.read(PIECE):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise


@dataclass(frozen=True)
class Bucket:
    """Where a bucket is, and the key to it; an `endpoint` of "" is Amazon's."""

    name: str
    prefix: str
    endpoint: str
    region: str
    key: str
    secret: str


class Store:
    """Files in a bucket of a store that speaks S3."""

    def __init__(self, bucket: Bucket) -> None:
        amazon = f"https://s3.{bucket.region}.amazonaws.com"
        self._store = S3Store(
            bucket.name,
            prefix=bucket.prefix or None,
            region=bucket.region,
            access_key_id=bucket.key,
            secret_access_key=bucket.secret,
            endpoint=bucket.endpoint or amazon,
            virtual_hosted_style_request=False,
            client_options={"allow_http": bucket.endpoint.startswith("http:")},
        )

    async def put(self, source: Path, sha256: str) -> None:
        await obstore.put_async(self._store, key_of(sha256), source)

    async def size(self, sha256: str) -> int | None:
        try:
            return int((await obstore.head_async(self._store, key_of(sha256)))["size"])
        except FileNotFoundError:
            return None

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        found = await obstore.get_async(self._store, key_of(sha256))
        async for piece in found.stream(PIECE):
            yield bytes(piece)

    async def remove(self, sha256: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key_of(sha256))

    async def old(self, before: datetime, most: int) -> AsyncIterator[list[str]]:
        async for page in obstore.list(self._store, chunk_size=most):
            names = [
                one["path"].rpartition("/")[2] for one in page if one["last_modified"] < before
            ]
            if found := [name for name in names if _SHA256.match(name)]:
                yield found

    async def remove_old(self, sha256: str, before: datetime) -> bool:
        try:
            held = await obstore.head_async(self._store, key_of(sha256))
        except FileNotFoundError:
            return False
        if held["last_modified"] >= before:
            return False
        await self.remove(sha256)
        return True
