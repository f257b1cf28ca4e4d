# SPDX-License-Identifier: Apache-2.0
"""Files that nothing shows are swept up, and none that is on its way."""

import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from federation.station import Station
from federation.worker import Worker
from server import files, sweeping
from server.files import NewFile
from server.instance import Instance
from server.posts import editing
from server.resources import arrivals
from storage.base import Base
from storage.files import FilePreview, StoredFile
from storage.members import Member
from storage.posts import Post
from storage.shelves import Folder
from tests import makers
from tests.clock import TurnableClock
from tests.server.hub import bench
from tests.web.test_media import png


def age(folder: Path, moment: datetime) -> None:
    """Have everything in a folder be from then."""
    for one in filter(Path.is_file, folder.rglob("*")):
        os.utime(one, (moment.timestamp(), moment.timestamp()))


async def lying(instance: Instance, *contents: NewFile) -> list[bool]:
    """Which of these files are on the shelf."""
    return [await instance.files.shelf.size(one.sha256) is not None for one in contents]


async def test_what_nothing_shows_is_swept_up_and_what_is_on_its_way_is_not(
    instance: Instance, admin: Member, clock: TurnableClock
) -> None:
    state = instance.settings.state
    post = await bench.shared(
        instance, admin, await makers.forum(instance, admin), {"a.csv": bench.CSV, "b.png": png()}
    )
    orphan, again = [await instance.files.write(said, "text/plain") for said in (b"one", b"again")]
    used = [*await in_use(instance, admin)]
    async with instance.transaction() as tx:
        await files.keep(tx, again)
    held = await count(instance, FilePreview), await count(instance, StoredFile)
    assert isinstance(instance.files.shelf, Folder)
    half = instance.files.shelf.path(orphan.sha256).with_name("tmp1")
    for left in (half, state / "arriving" / "tmp2"):
        left.write_bytes(b"half of it")
    age(state, clock.now())

    # Within a day anything may be on its way.
    clock.turn(hours=23)
    assert await sweeping.sweep(instance) == (0, 0)
    clock.turn(hours=2)
    with instance.files.arriving() as coming:
        coming.write(b"half")
        # The same bytes as something forgotten, put on the shelf and not yet in the database.
        assert await instance.files.write(b"again", "text/plain") == again
        for young in (coming.path, instance.files.shelf.path(again.sha256)):
            os.utime(young, (clock.now().timestamp(),) * 2)
        # And whoever looked before they came looks once more.
        assert not await instance.files.shelf.remove_old(again.sha256, clock.now() - sweeping.GRACE)
        assert await sweeping.sweep(instance) == (1, 1)
        assert coming.path.exists()
    assert not half.exists()
    assert list((state / "arriving").iterdir()) == []
    assert await lying(instance, *used, again) == [True] * (len(used) + 1)
    assert await lying(instance, orphan) == [False]
    assert (await count(instance, FilePreview), await count(instance, StoredFile) + 1) == held

    # What goes with its post leaves nothing for the sweeping; what never came to its commit does.
    async with instance.transaction() as tx:
        await editing.remove(tx, admin, await tx.session.get_one(Post, post.id))
    clock.turn(days=2)
    assert await sweeping.sweep(instance) == (0, 1)
    assert await lying(instance, again) == [False]


async def in_use(instance: Instance, person: Member) -> list[NewFile]:
    """A picture of somebody's, and a piece of a file that is on its way into a draft."""
    draft = await bench.begun(instance, person, files={"c.txt": b"in a draft"})
    shown, piece = [await instance.files.write(said, "text/plain") for said in (b"shown", b"piece")]
    async with instance.transaction() as tx:
        await files.keep(tx, shown)
        (await tx.session.get_one(Member, person.id)).avatar_file = shown.sha256
        begun = await arrivals.begin(tx, person, draft, "d.csv", 100, "")
        await arrivals.add_piece(tx, person, begun.id, 0, piece)
    return [shown, piece]


async def test_the_worker_sweeps_once_a_day(
    instance: Instance, admin: Member, clock: TurnableClock
) -> None:
    """And not as soon as it begins, since it may begin often."""
    worker = Worker(Station(instance))
    for hours, is_left in ((0, True), (1, False), (20, True), (4, False)):
        left = await instance.files.write(f"{hours}".encode(), "text/plain")
        age(instance.settings.state / "files", clock.now() - sweeping.GRACE * 2)
        clock.turn(hours=hours)
        await worker._sweep()
        assert await lying(instance, left) == [is_left]


async def count(instance: Instance, table: type[Base]) -> int:
    async with instance.reading() as session:
        return int((await session.execute(select(func.count()).select_from(table))).scalar_one())
