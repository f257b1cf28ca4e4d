# SPDX-License-Identifier: Apache-2.0
"""Warning of a practice: its author's notice, and lifting it again.

The practice is published anew with the notice at its head, in the same version, and a short reply
says it as well, for readers who know no practices. Whoever adapted it is told (`PracticeWarned`).
Stewards can withdraw what was published in their forum, and an agency what its people published
elsewhere: in its author's name where the author is one of ours, else by the forum's own word
(`withdrawing`).
"""

from dataclasses import replace

from server import audit
from server.errors import Gone, Invalid, NotAllowed
from server.forums.standing import standing_now
from server.library import withdrawing
from server.library.restating import body_of
from server.notifications import Notice as Tell
from server.notifications import tell_anew
from server.permissions import Permission, Standing, may, must
from server.posts import editing, writing
from server.posts.drafts import EditDraft, ReplyDraft
from server.practices import notices
from server.practices.notices import Notice, Warned
from server.practices.record import unpack
from server.records.editions import tags_of
from server.shown import ShownPerson
from server.transaction import Transaction
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import Practice
from storage.replications import Announcing


async def warn(tx: Transaction, member: Member, post: Post, kind: str, words: str) -> Notice:
    """Give a notice, in place of the one that stood; Invalid names `kind` or `words`."""
    notice = notices.check(kind, words, tx.now)
    post, stands = await _now(tx, member, post)
    must(stands, Permission.EDIT_POST, post)
    await _must_be_the_authors(tx, post)
    if await _said(tx, member, post, notice):
        reply = f"**{notice.label}:** {notice.words}"
        await _tell(tx, member, post, reply)
    return notice


async def withdraw(tx: Transaction, steward: Member, post: Post, words: str) -> Notice:
    """Withdraw a practice of the same agency as a steward of its forum; its author is told why."""
    post, stands = await _now(tx, steward, post)
    author = await tx.session.get_one(Member, post.author_id)
    _must_be_withdrawable(stands, author)
    notice = replace(notices.check("withdrawn", words, tx.now), steward=steward.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    if not author.is_local:
        await writing.must_be_calm(tx, steward)
        by_forum = replace(notice, steward=None, forum=forum.title)
        is_news = await withdrawing.withdraw(tx, steward, post, by_forum)
    else:
        is_news = await _said(tx, steward, post, notice)
        if is_news:
            await tell_anew(tx, author.id, Tell.WITHDRAWN, post, steward.id)
            who = f"the stewards of {forum.title}" if stands.steward else tx.settings.agency_name
            await _tell(tx, steward, post, f"**Withdrawn by {who}:** {notice.words}")
    if is_news:
        audit.note(tx, steward, "practice.withdrawn", post.uri, notice.words)
    return notice


def may_be_withdrawn(stands: Standing, author: Member | ShownPerson) -> bool:
    """Whether somebody can withdraw what this author published in this forum.

    In a forum of ours its stewards can. In one elsewhere those of ours who look after it, or
    after our site, can withdraw what one of us published: it is ours to speak for.
    """
    if stands.forum is not None and stands.forum.is_local:
        return may(stands, Permission.WITHDRAW_PRACTICE)
    return author.is_local and may(replace(stands, forum=None), Permission.WITHDRAW_PRACTICE)


def _must_be_withdrawable(stands: Standing, author: Member) -> None:
    if may_be_withdrawn(stands, author):
        return
    must(stands, Permission.WITHDRAW_PRACTICE)
    raise NotAllowed("The home of this forum, or its author’s agency, withdraws it: ask there.")


async def lift(tx: Transaction, member: Member, post: Post) -> None:
    """Take back the notice that stands; what stewards withdrew is theirs to take back."""
    post, stands = await _now(tx, member, post)
    author = await tx.session.get_one(Member, post.author_id)
    if not author.is_local:
        _must_be_withdrawable(stands, author)
        await withdrawing.lift(tx, member, post)
        return
    notice = await notices.of(tx.session, post.uri)
    is_stewards = notice is not None and notice.steward is not None
    if is_stewards and may_be_withdrawn(stands, author):
        audit.note(tx, member, "practice.withdrawal_lifted", post.uri)
    else:
        must(stands, Permission.EDIT_POST, post)
        await _must_be_the_authors(tx, post)
    if notice is None:
        raise Invalid(message="Nothing is said against this practice.")
    if await _said(tx, member, post, None):
        await _tell(tx, member, post, "The notice about this practice no longer stands.")


async def _must_be_the_authors(tx: Transaction, post: Post) -> None:
    """Refuse to have an author undo what the stewards did."""
    notice = await notices.of(tx.session, post.uri)
    if notice is not None and notice.steward is not None:
        raise NotAllowed("The stewards withdrew it: ask them to take that back.")


async def _now(tx: Transaction, member: Member, post: Post) -> tuple[Post, Standing]:
    """A published practice as it is now, and what somebody is in its forum."""
    post = await tx.session.get_one(Post, post.id)
    if post.state not in (PostState.LIVE, PostState.SENT):
        raise Gone("The practice is not published any longer.")
    forum = await tx.session.get_one(Forum, post.forum_id)
    return post, await standing_now(tx, member, forum)


async def _said(tx: Transaction, member: Member, post: Post, notice: Notice | None) -> bool:
    """Publish the practice with its notice, or without one; whether that changes anything."""
    await writing.must_be_calm(tx, member)
    practice = await tx.session.get_one(Practice, post.id)
    record = unpack(practice.record)
    by_forum = await notices.of_forum(tx.session, post.uri)
    draft = EditDraft(record.name, body_of(record, by_forum, notice), tags_of(record))
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
