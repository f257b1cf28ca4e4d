# SPDX-License-Identifier: Apache-2.0
"""Closing and pinning threads."""

from server.errors import NotFound
from server.facts import ThreadLocked, ThreadPinned
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.transaction import Transaction
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState


async def lock(tx: Transaction, actor: Member, post: Post, *, locked: bool) -> None:
    """Close a thread to new replies, or open it again."""
    post, at_home = await _thread(tx, actor, post, Permission.LOCK)
    if post.locked == locked:
        return
    if at_home:
        post.locked = locked
    tx.record(ThreadLocked(post.id, actor.id, locked, tx.ids.next()))


async def pin(tx: Transaction, actor: Member, post: Post, *, pinned: bool) -> None:
    """Keep a thread at the top of its forum, or no longer."""
    post, at_home = await _thread(tx, actor, post, Permission.PIN)
    if post.pinned == pinned:
        return
    if at_home:
        post.pinned = pinned
    tx.record(ThreadPinned(post.id, actor.id, pinned, tx.ids.next()))


async def _thread(
    tx: Transaction, actor: Member, post: Post, permission: Permission
) -> tuple[Post, bool]:
    """The thread, and whether this instance decides on it."""
    post = await tx.session.get_one(Post, post.id)
    if not post.is_thread or post.state == PostState.DELETED:
        raise NotFound
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, actor, forum), permission, post)
    return post, forum.is_local


async def apply_lock(tx: Transaction, actor: Member | None, post: Post, *, locked: bool) -> None:
    """The home says it is closed, or open again."""
    if post.is_thread and post.locked != locked:
        post.locked = locked
        tx.record(ThreadLocked(post.id, actor.id if actor else 0, locked, tx.ids.next()))


async def apply_pin(tx: Transaction, actor: Member | None, post: Post, *, pinned: bool) -> None:
    """The home says it is pinned, or no longer."""
    if post.is_thread and post.pinned != pinned:
        post.pinned = pinned
        tx.record(ThreadPinned(post.id, actor.id if actor else 0, pinned, tx.ids.next()))
