# SPDX-License-Identifier: Apache-2.0
"""Making more of a resource: an adaptation, or its next version."""

from dataclasses import replace

from sqlalchemy import select

from server.errors import Gone, NotAllowed
from server.forums.standing import standing_now
from server.permissions import Permission, may
from server.records.editions import Beginning
from server.resources import drafts
from server.resources.record import unpack
from server.resources.typed import typed_of, typed_of_file
from server.transaction import Transaction
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.resources import Resource, ResourceDraft, ResourceUpload


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
