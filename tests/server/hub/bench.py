# SPDX-License-Identifier: Apache-2.0
"""Resources for tests, by the real deeds."""

import io
from collections.abc import Mapping

from server.hub import lineage, publishing
from server.instance import Instance
from server.records.editions import Beginning
from server.resources import drafts, intake
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests.clock import TurnableClock

CSV = b"Register,Owner\nPeople,Health\n"
TEMPLATE = {
    "kind": "template",
    "name": "Unified data platform",
    "summary": "A plan for one platform instead of nine registers.",
    "description": "Fill in the **registers** first.",
    "license": "CC-BY-4.0",
    "topics": "digital-services",
    "tags": "data",
}
FILES = {"plan.csv": CSV}
SAID: Mapping[str, str] = {}


async def begun(
    instance: Instance,
    author: Member,
    forum: Forum | None = None,
    files: Mapping[str, bytes] = FILES,
    said: Mapping[str, str] = SAID,
    *,
    source: Post | None = None,
    revises: Post | None = None,
) -> int:
    """The draft of a template with these files and fields over the usual ones."""
    async with instance.transaction() as tx:
        if source is not None:
            draft = await lineage.adapt(tx, author, source)
        elif revises is not None:
            draft = await lineage.revise(tx, author, revises)
        else:
            draft = await drafts.begin(tx, author, Beginning(TEMPLATE))
        if forum is not None:
            draft.forum_id = forum.id
        await drafts.save(tx, author, draft.id, said)
    for name, content in files.items():
        new = await intake.take_in(instance.files, io.BytesIO(content), name, largest=1_000_000)
        async with instance.transaction() as tx:
            await drafts.add_file(tx, author, draft.id, new)
    return draft.id


async def shared(
    instance: Instance,
    author: Member,
    forum: Forum,
    files: Mapping[str, bytes] = FILES,
    said: Mapping[str, str] = SAID,
    *,
    source: Post | None = None,
    revises: Post | None = None,
) -> Post:
    """A published resource, two minutes after whatever came before."""
    if isinstance(instance.clock, TurnableClock):
        instance.clock.turn(minutes=2)
    number = await begun(instance, author, forum, files, said, source=source, revises=revises)
    async with instance.transaction() as tx:
        return await publishing.publish(tx, author, number)
