# SPDX-License-Identifier: Apache-2.0
"""Files on a shelf: a folder, and a bucket of a store that speaks S3."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from server.files import Files
from server.settings import Settings
from storage.shelves import Folder, Store

LARGE = bytes(range(256)) * 4_000


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of a store with a bucket `hub`."""
    # Imported by the one worker that runs this, since it takes long.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    # The first request imports what answers it, which takes long on a busy machine.
    assert httpx.put(f"{address}/hub", trust_env=False, timeout=60).status_code == 200
    yield address
    server.stop()


@pytest.fixture(params=["folder", "store"])
async def files(request: pytest.FixtureRequest, settings: Settings, store: str) -> Files:
    """The files of an instance that keeps them so."""
    if request.param == "folder":
        return Files(settings)
    there = {
        "files": "s3://hub/riverton", "files_endpoint": store, "files_key": "key",
        "files_secret": "secret",
    }  # fmt: skip
    return Files(Settings(**settings.model_dump() | there))


async def test_a_file_is_kept_read_and_removed_the_same_way_everywhere(
    files: Files, settings: Settings
) -> None:
    assert isinstance(files.shelf, Folder | Store)
    for content in (b"small", b"", LARGE):
        new = await files.write(content, "text/plain")
        assert new.sha256 == hashlib.sha256(content).hexdigest()
        assert await files.shelf.size(new.sha256) == len(content)
        # The same bytes again are the same file.
        assert await files.write(content, "text/plain") == new
        read = [piece async for piece in files.shelf.read(new.sha256)]
        assert b"".join(read) == content
        # Old is what was put there before a moment, and only that may be swept up.
        now = datetime.now(UTC)
        young, old = now - timedelta(hours=1), now + timedelta(hours=1)
        assert [names async for names in files.shelf.old(young, 10)] == []
        assert [names async for names in files.shelf.old(old, 10)] == [[new.sha256]]
        assert not await files.shelf.remove_old(new.sha256, young)
        assert await files.shelf.remove_old(new.sha256, old)
        assert not await files.shelf.remove_old(new.sha256, old)
        assert await files.shelf.size(new.sha256) is None
        await files.write(content, "text/plain")
        await files.remove(new.sha256)
        await files.remove(new.sha256)
        assert await files.shelf.size(new.sha256) is None
    assert list((settings.state / "arriving").iterdir()) == []
    with pytest.raises(ValueError, match="not the name"):
        await files.shelf.size("../master.key")


async def test_what_does_not_arrive_leaves_nothing(files: Files, settings: Settings) -> None:
    with files.arriving() as arriving:
        arriving.write(b"half of it")
        assert arriving.path.exists()
    assert not arriving.path.exists()
