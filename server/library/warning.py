# SPDX-License-Identifier: Apache-2.0
"""Warning of a practice: its author's notice, and lifting it again.

The practice is published anew with the notice at its head, in the same version, and a short reply
says it as well, for readers who know no practices. Whoever adapted it is told (`PracticeWarned`).
"""

from server.errors import Gone, Invalid
from server.forums.standing import standing_now
from server.library.publishing import body_of
from server.permissions import Permission, may, must
from server.posts import editing, writing
from server.posts.drafts import EditDraft, ReplyDraft
from server.practices import notices
from server.practices.notices import Notice, Warned
from server.practices.record import unpack
from server.records.editions import tags_of
from server.transaction import Transaction
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import Practice
from storage.replications import Announcing


async def warn(tx: Transaction, member: Member, post: Post, kind: str, words: str) -> Notice:
    """Give a notice, in place of the one that stood; Invalid names `kind` or `words`."""
    notice = notices.check(kind, words, tx.now)
    if await _said(tx, member, post, notice):
        reply = f"**{notice.label}:** {notice.words}"
        await _tell(tx, member, post, reply)
    return notice


async def lift(tx: Transaction, member: Member, post: Post) -> None:
    """Take back the notice that stands."""
    if await notices.of(tx.session, post.uri) is None:
        raise Invalid(message="Nothing is said against this practice.")
    if await _said(tx, member, post, None):
        await _tell(tx, member, post, "The notice about this practice no longer stands.")


async def _said(tx: Transaction, member: Member, post: Post, notice: Notice | None) -> bool:
    """Publish the practice with its notice, or without one; whether that changes anything."""
    post = await tx.session.get_one(Post, post.id)
    if post.state not in (PostState.LIVE, PostState.SENT):
        raise Gone("The practice is not published any longer.")
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.EDIT_POST, post)
    await writing.must_be_calm(tx, member)
    practice = await tx.session.get_one(Practice, post.id)
    record = unpack(practice.record)
    draft = EditDraft(record.name, body_of(record, notice), tags_of(record))
    post = await editing.apply_edit(tx, post, draft)
    about = Warned(post.uri, post.title, post.url, practice.agency, member.id)
    return await notices.apply(tx, about, notice, post.updated or tx.now)


async def _tell(tx: Transaction, member: Member, post: Post, words: str) -> None:
    """Say it in the discussion as well, where that is open."""
    forum = await tx.session.get_one(Forum, post.forum_id)
    post = await tx.session.get_one(Post, post.id)
    if not post.locked and may(await standing_now(tx, member, forum), Permission.REPLY):
        note = await writing.apply_reply(tx, member, ReplyDraft(words, post.id, post.language))
        # A forum points its followers to what tells of something, and to no other reply.
        tx.session.add(Announcing(post_id=note.id, announces=post.uri))
        await tx.session.flush()
