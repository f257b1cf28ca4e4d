# SPDX-License-Identifier: Apache-2.0
"""Leaving nothing of a deleted resource."""

from sqlalchemy import delete, select, update

from server import files
from server.facts import PostDeleted
from server.resources import drafts
from server.transaction import Transaction
from storage.links import ResourceLink
from storage.resources import (
    Resource,
    ResourceDraft,
    ResourceFacet,
    ResourceFile,
    ResourceUse,
    ResourceVersion,
)
from storage.versions import COUNTED


async def forget(tx: Transaction, fact: PostDeleted) -> None:
    """Forget a resource with its versions and files, and drafts of more of them."""
    said = delete(ResourceUse).where(ResourceUse.post_id == fact.post)
    await tx.session.execute(said, execution_options=COUNTED)
    if await tx.session.get(Resource, fact.post) is None:
        return
    begun = select(ResourceDraft.id).where(ResourceDraft.post_id == fact.post)
    await drafts.drop(tx, list((await tx.session.execute(begun)).scalars()))
    await tx.session.execute(
        update(ResourceDraft).where(ResourceDraft.source_id == fact.post).values(source_id=None)
    )
    held = select(ResourceFile.sha256).where(ResourceFile.post_id == fact.post).distinct()
    found = list((await tx.session.execute(held)).scalars())
    for table in (ResourceVersion, ResourceFacet, ResourceFile, ResourceLink, Resource):
        await tx.session.execute(delete(table).where(table.post_id == fact.post))
    for sha256 in found:
        await files.forget_unused(tx, sha256)
