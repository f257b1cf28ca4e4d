# SPDX-License-Identifier: Apache-2.0
"""What a received resource says beyond a thread, stored beside its post."""

from dataclasses import replace

from federation.posts import SharedPost
from federation.resources import SharedResource
from server.errors import NotAllowed
from server.hub import publishing, uses
from server.records.editions import Edition
from server.resources import links, prose
from server.resources.record import digest
from server.transaction import Transaction
from storage.posts import Kind, Post
from storage.resources import Resource, ResourceVersion


def as_told_here(sharing: SharedPost, said: SharedResource) -> SharedPost:
    """The words of a resource as they are made here, from its record."""
    return replace(sharing, html="", title=said.record.name, source=prose.markdown(said.record))


def must_stay_one(post: Post, sharing: SharedPost) -> None:
    """Refuse words for a resource that come without its record: the two would differ."""
    if post.kind == Kind.RESOURCE and sharing.resource is None:
        raise NotAllowed("A resource is changed with its record, and this came without one.")


async def opened(tx: Transaction, post: Post, sharing: SharedPost, said: SharedResource) -> None:
    """A resource was stored as a post: with its record and files."""
    at = min(sharing.updated or sharing.published, post.updated or post.published)
    edition = Edition(said.record, said.version, said.note, post.author_id, at)
    await publishing.apply(tx, post, edition)
    await _link_told(tx, post, said)


async def edited(
    tx: Transaction, post: Post, sharing: SharedPost, said: SharedResource, *, is_news: bool
) -> None:
    """A resource was changed; of old news only the version is kept, among those that came since.

    A version that was published never changes: another record under its number is refused.
    """
    version = await tx.session.get(ResourceVersion, (post.id, said.version))
    if version is not None and version.digest != digest(said.record):
        raise NotAllowed("A published version does not change: this needs a new number.")
    if not is_news:
        held = await tx.session.get(Resource, post.id)
        if held is None or said.version >= held.version:
            await _link_told(tx, post, said)
            return
    post.kind = Kind.RESOURCE
    await opened(tx, post, sharing, said)


async def _link_told(tx: Transaction, post: Post, said: SharedResource) -> None:
    if said.link is not None:
        await links.told(tx, post, said.version, said.link)


async def is_of_its_link(tx: Transaction, post: Post, sharing: SharedPost) -> bool:
    """Whether an Update says what is held already, and what was found at its link; kept then."""
    said = sharing.resource
    if said is None or said.link is None:
        return False
    held = await tx.session.get(Resource, post.id)
    if held is None or (held.version, held.digest) != (said.version, digest(said.record)):
        return False
    if await links.told(tx, post, said.version, said.link):
        tx.record(links.changed(post.id, said.link.visited))
    return True


async def answered(tx: Transaction, reply: Post, sharing: SharedPost) -> None:
    """A reply was stored: with what it says of the resource that it answers, and of no other."""
    if sharing.use is None:
        return
    opener = await tx.session.get_one(Post, reply.thread_id)
    if sharing.use.of == opener.uri:
        await uses.apply(tx, reply, sharing.use)
