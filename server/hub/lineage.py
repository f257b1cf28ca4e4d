# SPDX-License-Identifier: Apache-2.0
"""Where a resource came from, what was made of it, and making more.

A lineage is everything with the same `root`: one question finds it, and its links are followed
here. At a copy the root of an adaptation is what was known when it came.
"""

from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Gone, NotAllowed
from server.forums.standing import standing_now
from server.permissions import Permission, may
from server.resources import drafts
from server.resources.drafts import Beginning
from server.resources.record import unpack
from server.resources.typed import typed_of, typed_of_file
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.resources import Resource, ResourceDraft, ResourceUpload

MOST = 200


@dataclass
class Kin:
    """A resource of a lineage, and what was adapted from it."""

    id: int
    slug: str
    uri: str
    title: str
    agency: str
    version: int
    license: str
    based_on: str | None
    based_on_version: int | None
    children: "list[Kin]" = field(default_factory=list)


@dataclass(frozen=True)
class Lineage:
    """Where a resource came from and what came of it, as far as the viewer may see.

    `source_uri` is the address of a source that is not held here. `has_news` when the source has
    a newer version than the one this was made from.
    """

    source: Kin | None
    source_uri: str
    has_news: bool
    tree: Kin | None
    adaptations: tuple[Kin, ...]


async def lineage_of(
    session: AsyncSession, viewer: Viewer, resource: Resource, uri: str
) -> Lineage:
    """The lineage of a resource."""
    question = (
        select(
            *(Post.id, Post.slug, Post.uri, Post.title, Resource.agency, Resource.version),
            *(Resource.license, Resource.based_on, Resource.based_on_version),
        )
        .join(Resource, Resource.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Resource.root == resource.root, Post.state == PostState.LIVE, visible_posts(viewer))
        .order_by(Post.id)
        .limit(MOST)
    )
    kin = {row[2]: Kin(*row) for row in (await session.execute(question)).all()}
    for one in kin.values():
        above = kin.get(one.based_on or "")
        if above is not None and not _descends(above, one, kin):
            above.children.append(one)
    source = kin.get(resource.based_on or "")
    mine = kin.get(uri)
    made_from = resource.based_on_version
    return Lineage(
        source=source,
        source_uri=(resource.based_on or "") if source is None else "",
        has_news=bool(source and made_from and source.version > made_from),
        tree=kin.get(resource.root),
        adaptations=tuple(mine.children) if mine is not None else (),
    )


def _descends(one: Kin, other: Kin, kin: dict[str, Kin]) -> bool:
    """Whether `one` is `other` or comes from it: strangers may name each other as their source."""
    seen: set[str] = set()
    here: Kin | None = one
    while here is not None and here.uri not in seen:
        if here is other:
            return True
        seen.add(here.uri)
        here = kin.get(here.based_on or "")
    return False


async def adapt(tx: Transaction, member: Member, source: Post) -> ResourceDraft:
    """Begin an adaptation: what it says is taken over, its files are for the adapter to bring."""
    resource = await tx.session.get(Resource, source.id)
    if resource is None or source.state == PostState.DELETED:
        raise Gone
    record = replace(
        unpack(resource.record), agency="", contact="", label="", doi="", citation="",
        peer_reviewed=False, link="", files=(), based_on=(),
    )  # fmt: skip
    beginning = Beginning(
        typed_of(record),
        source=source.id,
        source_version=resource.version,
        source_digest=resource.digest,
    )
    return await drafts.begin(tx, member, beginning)


async def revise(tx: Transaction, member: Member, post: Post) -> ResourceDraft:
    """The draft of a resource's next version: the one that was begun, or a new one."""
    resource = await tx.session.get(Resource, post.id)
    if resource is None or post.state == PostState.DELETED:
        raise Gone
    forum = await tx.session.get_one(Forum, post.forum_id)
    if not may(await standing_now(tx, member, forum), Permission.EDIT_POST, post):
        raise NotAllowed("Only its author publishes new versions. You can adapt it.")
    question = (
        select(ResourceDraft)
        .where(ResourceDraft.post_id == post.id, ResourceDraft.owner_id == member.id)
        .order_by(ResourceDraft.updated.desc())
        .limit(1)
    )
    begun = (await tx.session.execute(question)).scalar_one_or_none()
    if begun is not None and begun.source_version == resource.version:
        return begun
    record = unpack(resource.record)
    keys = [tx.ids.next() for _ in record.files]
    typed = typed_of(record)
    for at, key in enumerate(keys):
        typed |= typed_of_file(record, at, str(key))
    beginning = Beginning(typed, forum=post.forum_id, post=post.id, source_version=resource.version)
    draft = await drafts.begin(tx, member, beginning)
    for key, file in zip(keys, record.files, strict=True):
        tx.session.add(
            ResourceUpload(
                id=key, draft_id=draft.id, owner_id=member.id, sha256=file.sha256,
                size=file.size or 0, name=file.name, media_type=file.media_type, said="",
                at=tx.now,
            )
        )  # fmt: skip
    await tx.session.flush()
    return draft
