# SPDX-License-Identifier: Apache-2.0
"""Publishing resources and their versions: the home decides, a copy applies.

`publish` goes by the rules of this instance; `apply` is its other half, which a translator calls
with what the home of a resource sent, after `writing.apply_thread` or `editing.apply_edit`.
"""

import asyncio
from dataclasses import replace
from urllib.parse import quote

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Gone, Invalid, Locked
from server.facts import ResourcePublished
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.posts import editing, writing
from server.posts.drafts import EditDraft, ThreadDraft
from server.records import lineages
from server.records.editions import Edition, note_of, tags_of
from server.resources import drafts, licences, prose
from server.resources.drafts import Open
from server.resources.record import Record, Source, digest, dump, pack, unpack
from server.resources.typed import OTHER, record_of
from server.transaction import Transaction
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostState
from storage.resources import Resource, ResourceFacet, ResourceFile, ResourceVersion


async def publish(tx: Transaction, member: Member, number: int) -> Post:
    """Publish a draft, as a new resource or as a new version of one; the draft is then gone.

    Invalid names the fields of the draft that need another look.
    """
    found = await drafts.opened(tx.session, member, number)
    note = note_of(found.typed.get("note", ""))
    if found.draft.post_id is not None:
        post = await _next_version(tx, member, found, note)
    else:
        post = await _first_version(tx, member, found, note)
    # After the version has its files, so that none of them counts as left behind.
    await drafts.drop(tx, [number])
    return post


async def _first_version(tx: Transaction, member: Member, found: Open, note: str) -> Post:
    nowhere = [f"{tx.settings.origin}/x" for _ in found.attached]
    record = record_of(found.typed, found.attached, nowhere)
    forum = await tx.session.get(Forum, found.draft.forum_id or 0)
    if forum is None:
        raise Invalid({"forum": "Choose the forum to share it in."})
    must(await standing_now(tx, member, forum), Permission.POST_THREAD)
    record = await _with_source(tx, found, record)
    language = record.language or forum.language
    written = ThreadDraft(
        record.name, record.summary, tags_of(record), language, kind=Kind.RESOURCE
    )
    post = await writing.post_thread(tx, member, forum, written)
    # Where its files lie is known only once it has a number.
    record = _at(record, post, 1)
    await writing.write_body(tx, post, replace(written, source=prose.markdown(record)))
    await apply(tx, post, Edition(record, 1, note or "First published.", member.id))
    return post


async def _next_version(tx: Transaction, member: Member, found: Open, note: str) -> Post:
    post = await tx.session.get_one(Post, found.draft.post_id)
    if post.state == PostState.DELETED:
        raise Gone("The resource was deleted meanwhile.")
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.EDIT_POST, post)
    if post.locked:
        raise Locked("This resource is closed: it can no longer be changed.")
    await writing.must_be_calm(tx, member)
    held = await tx.session.get_one(Resource, post.id)
    before = unpack(held.record)
    nowhere = [f"{tx.settings.origin}/x" for _ in found.attached]
    record = replace(record_of(found.typed, found.attached, nowhere), based_on=before.based_on)
    if found.draft.source_version not in (None, held.version):
        raise Invalid(
            message=f"Version {held.version} was published since this draft was begun:"
            " begin again from it, and put your changes in."
        )
    if _compared(record) == _compared(before):
        raise Invalid(message="Nothing differs from the version that is published.")
    if not note:
        raise Invalid({"note": "Say in a line what changed, for those who use it already."})
    record = _at(record, post, held.version + 1)
    edit = EditDraft(record.name, prose.markdown(record), tags_of(record))
    post = await editing.apply_edit(tx, post, edit)
    await apply(tx, post, Edition(record, held.version + 1, note, member.id))
    return post


def _at(record: Record, post: Post, version: int) -> Record:
    """The record with the addresses of its files, which belong to this version for good."""
    placed = (
        replace(file, url=f"{post.uri}/files/{version}/{at}/{quote(file.name, safe='')}")
        for at, file in enumerate(record.files)
    )
    return replace(record, files=tuple(placed))


def _compared(record: Record) -> dict[str, object]:
    """What makes two versions differ: everything but where their files lie."""
    bare = tuple(replace(file, url="https://x") for file in record.files)
    return dump(replace(record, files=bare))


async def _with_source(tx: Transaction, found: Open, record: Record) -> Record:
    """The record with what it was adapted from."""
    source = await tx.session.get(Resource, found.draft.source_id or 0)
    if source is None:
        return record
    post = await tx.session.get_one(Post, source.post_id)
    version = found.draft.source_version or source.version
    made = Source(uri=post.uri, version=version, digest=found.draft.source_digest or source.digest)
    return replace(record, based_on=(made,))


async def warning(session: AsyncSession, found: Open) -> str:
    """Why the licence chosen in a draft does not go with that of its source; "" where it may."""
    source = await session.get(Resource, found.draft.source_id or 0)
    if source is None:
        return ""
    chosen = found.typed.get("license", "")
    own = found.typed.get("licenseOther", "") if chosen == OTHER else chosen
    return licences.warning(source.license, own)


async def apply(tx: Transaction, post: Post, edition: Edition[Record]) -> Resource:
    """The resource as it then is, without asking whether it may be.

    A version held already never changes; an older one is kept among the versions.
    """
    record, mark = edition.record, digest(edition.record)
    held = await tx.session.get(Resource, post.id)
    if await tx.session.get(ResourceVersion, (post.id, edition.version)) is None:
        await _keep_version(tx, post, edition, mark)
    elif held is not None and held.version == edition.version:
        return held
    if held is not None and held.version >= edition.version:
        return held
    author = await tx.session.get_one(Member, post.author_id)
    resource = held or Resource(post_id=post.id, downloads=0)
    resource.kind, resource.summary, resource.license = record.kind, record.summary, record.license
    # Whose it is says its author's home; what the record calls its agency is shown beside it.
    resource.agency = author.agency or author.peer or tx.settings.agency_name
    resource.record, resource.digest, resource.version = pack(record), mark, edition.version
    resource.html = await asyncio.to_thread(text.render, record.description)
    await lineages.trace(tx, resource, post, record.based_on)
    tx.session.add(resource)
    await tx.session.flush()
    await _put_facets(tx, post, resource, record)
    tx.record(ResourcePublished(post.id, edition.version))
    return resource


async def _keep_version(tx: Transaction, post: Post, edition: Edition[Record], mark: str) -> None:
    tx.session.add(
        ResourceVersion(
            post_id=post.id, version=edition.version, label=edition.record.label,
            record=pack(edition.record), digest=mark, note=edition.note, by_id=edition.by,
            at=edition.at or post.updated or post.published, downloads=0,
        )
    )  # fmt: skip
    for at, file in enumerate(edition.record.files):
        tx.session.add(
            ResourceFile(
                post_id=post.id, version=edition.version, position=at, sha256=file.sha256,
                size=file.size or 0, name=file.name, media_type=file.media_type, url=file.url,
                failed=None, fault="",
            )
        )  # fmt: skip
    await tx.session.flush()


async def _put_facets(tx: Transaction, post: Post, resource: Resource, record: Record) -> None:
    """What it is found by from now on."""
    found = {("kind", record.kind), ("agency", resource.agency[:200])}
    found |= {("license", record.license), ("language", record.language or post.language)}
    found |= {("topic", topic) for topic in record.topics}
    found |= {("tag", tag.lower()) for tag in record.tags}
    await tx.session.execute(delete(ResourceFacet).where(ResourceFacet.post_id == post.id))
    for facet, value in sorted(found):
        if value:
            tx.session.add(ResourceFacet(post_id=post.id, facet=facet, value=value))
    await tx.session.flush()
