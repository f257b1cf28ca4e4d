# SPDX-License-Identifier: Apache-2.0
"""Withdrawing from a forum of ours what another agency published in it.

The stewards say so in a reply below the practice, which travels as every reply of the forum; the
home of its author, once it has heard, says so in the practice itself (`restating`).
"""

from server import audit
from server.errors import Invalid
from server.notifications import Notice as Tell
from server.notifications import tell_anew
from server.posts import editing, writing
from server.posts.drafts import ReplyDraft
from server.practices import withdrawals
from server.practices.notices import Notice, Warned
from server.practices.withdrawals import Said
from server.transaction import Transaction
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, by_uri
from storage.practices import Practice, PracticeWithdrawal


async def withdraw(tx: Transaction, steward: Member, post: Post, notice: Notice) -> bool:
    """The stewards of a forum of ours say so; whether that changes anything."""
    forum = await tx.session.get_one(Forum, post.forum_id)
    held = await tx.session.get(PracticeWithdrawal, post.uri)
    if held is not None and held.active:
        if held.words == notice.words:
            return False
        await _take_back(tx, steward, held)
    words = f"**Withdrawn by the stewards of {forum.title}:** {notice.words}"
    note = await writing.apply_reply(tx, steward, ReplyDraft(words, post.id, post.language))
    about = await _about(tx, post, steward)
    return await withdrawals.apply(tx, about, notice, tx.now, note.uri)


async def lift(tx: Transaction, steward: Member, post: Post) -> None:
    """The stewards take that back; Invalid where nothing stands."""
    held = await tx.session.get(PracticeWithdrawal, post.uri)
    if held is None or not held.active:
        raise Invalid(message="Nothing is said against this practice.")
    await _take_back(tx, steward, held)
    audit.note(tx, steward, "practice.withdrawal_lifted", post.uri)


async def _take_back(tx: Transaction, steward: Member, held: PracticeWithdrawal) -> None:
    note = await by_uri(tx.session, held.note)
    if note is not None:
        await editing.apply_removal(tx, note, steward, "It is no longer so.")


async def heard(tx: Transaction, note: Post, said: Said) -> None:
    """The home of a forum withdraws a practice of it; an author of ours is told why."""
    post = await by_uri(tx.session, said.of)
    if post is None or post.forum_id != note.forum_id or post.kind != Kind.PRACTICE:
        return
    forum = await tx.session.get_one(Forum, note.forum_id)
    by = await tx.session.get_one(Member, note.author_id)
    notice = withdrawals.by_forum(said, forum.title)
    about = await _about(tx, post, by)
    if not await withdrawals.apply(tx, about, notice, note.published, note.uri):
        return
    author = await tx.session.get_one(Member, post.author_id)
    if author.is_local:
        audit.note(tx, by, "practice.withdrawn", post.uri, notice.words)
        await tell_anew(tx, author.id, Tell.WITHDRAWN, post, by.id)


async def _about(tx: Transaction, post: Post, by: Member) -> Warned:
    practice = await tx.session.get_one(Practice, post.id)
    return Warned(post.uri, post.title, post.url, practice.agency, by.id)
