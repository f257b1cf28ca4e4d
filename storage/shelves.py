# SPDX-License-Identifier: Apache-2.0
"""Where the bytes of files lie: a folder, or a store that speaks S3."""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
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
