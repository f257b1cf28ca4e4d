# SPDX-License-Identifier: Apache-2.0
"""Publishing practices and their versions: the home decides, a copy applies.

`publish` goes by the rules of this instance; `apply` is its other half, which a translator calls
with what the home of a practice sent, after `writing.apply_thread` or `editing.apply_edit`.
"""

import asyncio
from dataclasses import replace

from sqlalchemy import or_, select

from server.errors import Gone, Invalid, Locked, NotAllowed
from server.facts import PracticeConfirmed, PracticePublished
from server.forums.standing import standing_now
from server.library import drafts
from server.library.restating import body_of
from server.permissions import Permission, may, must
from server.posts import editing, writing
from server.posts.drafts import EditDraft, ReplyDraft, ThreadDraft
from server.practices import notices, standing
from server.practices.comparing import changed_sections
from server.practices.forgetting import drop_drafts
from server.practices.notices import Warned
from server.practices.record import Record, Source, digest, pack, unpack
from server.practices.rendering import rendered
from server.practices.typed import record_of
from server.records import lineages
from server.records.editions import Edition, note_of, tags_of
from server.transaction import Transaction
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.posts import Kind, Post, PostState, by_uri
from storage.practices import (
    Practice,
    PracticeDraft,
    PracticeThread,
    PracticeVersion,
)
from storage.replications import Announcing


async def publish(tx: Transaction, member: Member, number: int, note: str = "") -> Post:
    """Publish a draft, as a new practice or as a new version of one; the draft is then gone.

    Invalid names the fields of the draft that need another look.
    """
    draft = await drafts.must_write(tx.session, member, number)
    if draft.owner_id != member.id:
        raise NotAllowed("Only the owner of a draft publishes it.")
    note = note_of(note)
    record = record_of(drafts.fields_of(draft))
    if draft.post_id is not None:
        post = await _next_version(tx, member, draft, record, note)
    else:
        post = await _first_version(tx, member, draft, record, note)
    await drop_drafts(tx, [draft.id])
    return post


async def _first_version(
    tx: Transaction, member: Member, draft: PracticeDraft, record: Record, note: str
) -> Post:
    forum = await tx.session.get(Forum, draft.forum_id or 0)
    if forum is None:
        raise Invalid({"forum": "Choose the forum to publish it in."})
    must(await standing_now(tx, member, forum), Permission.POST_THREAD)
    thread = await _discussion(tx, draft)
    record = await _with_source(tx, draft, record)
    record = await _within(tx, forum, thread, record)
    written = ThreadDraft(
        record.name, body_of(record), tags_of(record), record.language, kind=Kind.PRACTICE
    )
    post = await writing.post_thread(tx, member, forum, written)
    await apply(tx, post, Edition(record, 1, note or "First published.", member.id))
    if thread is not None:
        await _join(tx, post.id, thread.id)
    await _tell_the_source(tx, member, forum, post)
    return post


async def _tell_the_source(tx: Transaction, member: Member, forum: Forum, made: Post) -> None:
    """Say below a practice that somebody adapted it, to all who may read the adaptation."""
    practice = await tx.session.get_one(Practice, made.id)
    source = await by_uri(tx.session, practice.based_on) if practice.based_on else None
    if source is None or source.locked or source.state == PostState.DELETED:
        return
    where = await tx.session.get_one(Forum, source.forum_id)
    if forum.visibility != Visibility.PUBLIC and forum.id != where.id:
        return
    if source.author_id == member.id or not may(
        await standing_now(tx, member, where), Permission.REPLY
    ):
        return
    words = f"{practice.agency} adapted this practice: [{made.title}]({made.url})"
    note = await writing.apply_reply(tx, member, ReplyDraft(words, source.id, made.language))
    tx.session.add(Announcing(post_id=note.id, announces=made.uri))
    await tx.session.flush()


async def _next_version(
    tx: Transaction, member: Member, draft: PracticeDraft, record: Record, note: str
) -> Post:
    post = await tx.session.get_one(Post, draft.post_id)
    if post.state == PostState.DELETED:
        raise Gone("The practice was deleted meanwhile.")
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.EDIT_POST, post)
    if post.locked:
        raise Locked("This practice is closed: it can no longer be changed.")
    await writing.must_be_calm(tx, member)
    practice = await tx.session.get_one(Practice, post.id)
    if digest(record) == practice.digest:
        raise Invalid(message="Nothing differs from the version that is published.")
    if draft.source_version not in (None, practice.version):
        raise Invalid(
            message=f"Version {practice.version} was published since this draft was begun:"
            " begin again from it, and put your changes in."
        )
    if not note:
        raise Invalid({"note": "Say in a line what changed, for those who use it already."})
    notice = await notices.of(tx.session, post.uri)
    if notice is not None and notice.kind == "withdrawn" and notice.steward is None:
        # What its author withdrew is published again; what stewards withdrew stays so.
        notice = None
    by_forum = await notices.of_forum(tx.session, post.uri)
    post = await editing.apply_edit(
        tx, post, EditDraft(record.name, body_of(record, by_forum, notice), tags_of(record))
    )
    practice = await apply(tx, post, Edition(record, practice.version + 1, note, member.id))
    about = Warned(post.uri, post.title, post.url, practice.agency, member.id)
    await notices.apply(tx, about, notice, post.updated or tx.now)
    return post


async def _discussion(tx: Transaction, draft: PracticeDraft) -> Post | None:
    """The thread that a draft was distilled from, where it is still there."""
    thread = await tx.session.get(Post, draft.thread_id or 0)
    return thread if thread is not None and thread.state == PostState.LIVE else None


async def _with_source(tx: Transaction, draft: PracticeDraft, record: Record) -> Record:
    """The record with what it was adapted from, and which sections are its own."""
    source = await tx.session.get(Practice, draft.source_id or 0)
    if source is None:
        return record
    post = await tx.session.get_one(Post, source.post_id)
    version = draft.source_version or source.version
    seen = await tx.session.get(PracticeVersion, (source.post_id, version))
    original = unpack(seen.record if seen is not None else source.record)
    made = Source(
        uri=post.uri,
        version=version,
        digest=draft.source_digest or source.digest,
        changed=tuple(changed_sections(original, replace(record, based_on=original.based_on))),
    )
    others = tuple(one for one in record.based_on if one.uri != made.uri)
    return replace(record, based_on=(made, *others)[:5])


async def _within(tx: Transaction, forum: Forum, thread: Post | None, record: Record) -> Record:
    """The record without names from a discussion that its readers may not see."""
    if thread is None:
        return record
    where = await tx.session.get_one(Forum, thread.forum_id)
    if where.visibility == Visibility.PUBLIC or where.id == forum.id:
        return replace(record, derived_from=(thread.uri,))
    return replace(record, derived_from=(), credits=())


async def apply(tx: Transaction, post: Post, edition: Edition[Record]) -> Practice:
    """The practice as it then is, without asking whether it may be.

    A version held already, or an older one, is kept among the versions and changes nothing else.
    """
    record, stored = edition.record, pack(edition.record)
    mark = digest(record)
    author = await tx.session.get_one(Member, post.author_id)
    held = await tx.session.get(Practice, post.id)
    if await tx.session.get(PracticeVersion, (post.id, edition.version)) is None:
        tx.session.add(
            PracticeVersion(
                post_id=post.id, version=edition.version, record=stored, digest=mark,
                note=edition.note, by_id=edition.by,
                at=edition.at or post.updated or post.published,
            )
        )  # fmt: skip
    if held is not None and held.version >= edition.version:
        return held
    practice = held or Practice(post_id=post.id, evidence=0, why="{}")
    practice.kind, practice.summary = record.kind, record.summary
    # Whose it is says its author's home; what the record calls its agency is shown beside it.
    practice.agency = author.agency or author.peer or tx.settings.agency_name
    practice.record, practice.digest, practice.version = stored, mark, edition.version
    practice.parts = await asyncio.to_thread(rendered, record)
    practice.reviewed = post.updated or post.published
    await lineages.trace(tx, practice, post, record.based_on)
    tx.session.add(practice)
    await tx.session.flush()
    await _join_threads(tx, post, author, record)
    await standing.reckon(tx, practice)
    tx.record(PracticePublished(post.id, edition.version))
    return practice


async def _join_threads(tx: Transaction, post: Post, author: Member, record: Record) -> None:
    """Join a practice to the discussions that it says it came of.

    People elsewhere say so of discussions in the same forum only, whose rules they go by.
    """
    question = (
        select(Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            Post.uri.in_(record.derived_from[:20]),
            Post.kind == Kind.THREAD,
            Post.state == PostState.LIVE,
        )
    )
    own = Forum.id == post.forum_id
    public = Forum.visibility == Visibility.PUBLIC
    question = question.where(or_(own, public) if author.is_local else own)
    for thread in (await tx.session.execute(question)).scalars().all():
        await _join(tx, post.id, thread)


async def _join(tx: Transaction, practice: int, thread: int) -> None:
    """Join a practice to a discussion, once."""
    if await tx.session.get(PracticeThread, (practice, thread)) is None:
        tx.session.add(PracticeThread(practice_id=practice, thread_id=thread))
        await tx.session.flush()


async def confirm(tx: Transaction, member: Member, post: Post) -> None:
    """Say that a practice was looked over and still holds."""
    post = await tx.session.get_one(Post, post.id)
    if post.state != PostState.LIVE:
        raise Gone
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.CONFIRM_PRACTICE, post)
    if not forum.is_local and post.author_id != member.id:
        raise NotAllowed("Only its own agency says whether a practice still holds.")
    practice = await tx.session.get_one(Practice, post.id)
    practice.reviewed = tx.now
    tx.record(PracticeConfirmed(post.id, member.id))
