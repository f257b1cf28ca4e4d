# SPDX-License-Identifier: Apache-2.0
"""What a copy puts right on the word of its home, without telling it again."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select

from server import notifications, search
from server.digests import agree, day_of, post_changed
from server.endorsements import apply_withdrawal
from server.facts import (
    Endorsed,
    EndorsementWithdrawn,
    Fact,
    PostEdited,
    ReplyPosted,
    ThreadPosted,
)
from server.ids import Ids
from server.posts import editing, receipts, writing
from server.posts.drafts import EditDraft, Origin, ReplyDraft, ThreadDraft
from server.transaction import Transaction
from storage import posts
from storage.base import held, insert
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.posts import Draft, Post, PostRevision, PostState, PostTag, Withheld
from storage.versions import COUNTED


async def restore_endorsement(tx: Transaction, member: Member, post: Post, uri: str) -> None:
    """The home counts an endorsement that one of us gave, and that was lost here."""
    post = await held(tx.session, Post, post.id)
    given = await tx.session.get(Endorsement, (post.id, member.id))
    if given is not None:
        if given.active and given.state != PostState.LIVE:
            given.state = PostState.LIVE
            await post_changed(tx, post)
        return
    number = uri.rpartition("-")[2]
    given = Endorsement(
        post_id=post.id,
        member_id=member.id,
        uri=uri,
        active=True,
        state=PostState.LIVE,
        n=int(number) if number.isdecimal() and len(number) < 9 else 1,
        at=tx.now,
    )
    tx.session.add(given)
    post.endorsement_count += 1
    await post_changed(tx, post)
    # What its author was told of it was lost as well.
    await notifications.tell_of_endorsement(tx, Endorsed(post.id, member.id, given.n))


async def endorsed_by_no_others(tx: Transaction, post: Post, actors: set[str]) -> None:
    """The home names everybody who endorses a post: nobody else does.

    What one of us gave, and the home has not taken yet, stays.
    """
    question = (
        select(Member, Endorsement)
        .join(Endorsement, Endorsement.member_id == Member.id)
        .where(
            Endorsement.post_id == post.id,
            Endorsement.active,
            Endorsement.state == PostState.LIVE,
        )
    )
    for member, given in (await tx.session.execute(question)).all():
        if member.uri in actors:
            continue
        if not member.is_local:
            await apply_withdrawal(tx, member, post)
            continue
        # Not as a deed of our member: that would be sent to the home again.
        post = await held(tx.session, Post, post.id)
        given.active = False
        post.endorsement_count = max(0, post.endorsement_count - 1)
        await post_changed(tx, post)
        withdrawn = EndorsementWithdrawn(post.id, member.id, given.n)
        await notifications.forget_endorsement(tx, withdrawn)


async def no_longer_withheld(tx: Transaction, uri: str) -> None:
    """A post that was kept out is here now, or gone at its home: it is counted no longer."""
    row = await tx.session.get(Withheld, uri)
    if row is None:
        return
    if row.thread_id is not None:
        opener = await held(tx.session, Post, row.thread_id)
        opener.withheld_count = max(0, opener.withheld_count - 1)
    await tx.session.delete(row)


class _Given(Ids):
    """Gives out one number for what was written elsewhere: the one in its address."""

    def __init__(self, tx: Transaction, number: int) -> None:
        super().__init__(tx.clock, tx.randomness)
        self._number = number

    def at(self, published: datetime) -> int:
        return self._number


async def restore_post(
    tx: Transaction,
    author: Member,
    forum: Forum,
    draft: ThreadDraft | ReplyDraft,
    number: int,
    revision: int,
) -> Post:
    """The home holds a post that one of us wrote, and that was lost here.

    It gets its number back, and its count of edits, so that the next is named anew.
    """
    within = replace(tx, ids=_Given(tx, number), facts=[])
    if isinstance(draft, ThreadDraft):
        post = await writing.apply_thread(within, author, forum, draft)
    else:
        post = await writing.apply_reply(within, author, draft)
    post.state, post.revision = PostState.LIVE, revision
    await _only_here(tx, within.facts)
    # Some may have come before it, and stood under the opener until now.
    await notifications.tell_of_answers(tx, post)
    return post


async def restore_edit(tx: Transaction, post: Post, draft: EditDraft, revision: int) -> None:
    """The home holds what one of us made of their post, and that was lost here."""
    within = replace(tx, facts=[])
    post = await editing.apply_edit(within, post, draft)
    post.revision = max(post.revision, revision)
    await _only_here(tx, within.facts)


async def put_back(tx: Transaction, post: Post, draft: EditDraft, kept: int) -> None:
    """The home keeps what one of us said before an edit, which it did not take.

    Nothing is changed where the post has another revision than `kept` by now. Its author finds
    the words that were not taken among their drafts, and at the post why.
    """
    post = await held(tx.session, Post, post.id)
    if post.revision != kept or post.state != PostState.LIVE or draft.origin is None:
        return
    await _keep_as_draft(tx, post)
    post.updated = draft.origin.updated
    former = delete(PostRevision).where(
        PostRevision.post_id == post.id,
        PostRevision.written >= (post.updated or post.published),
    )
    await tx.session.execute(former, execution_options=COUNTED)
    # The number of edits stays: the next one needs a name that none had before.
    await editing.put_words(tx, post, draft)
    post.reason = post.reason or receipts.NO_REASON
    await _only_here(tx, [PostEdited(post.id, post.revision)])


async def _keep_as_draft(tx: Transaction, post: Post) -> None:
    """What a post says, as its author's draft of a change, unless they have begun another."""
    tags = select(PostTag.tag).where(PostTag.post_id == post.id).order_by(PostTag.tag)
    values = {
        "member_id": post.author_id,
        "place": f"edit:{post.id}",
        "title": post.title,
        "source": post.source,
        "tags": ", ".join((await tx.session.execute(tags)).scalars())[:500],
        "poll": "",
        "updated": tx.now,
    }
    begun = insert(tx.session, Draft).values(values)
    await tx.session.execute(begun.on_conflict_do_nothing(index_elements=["member_id", "place"]))


async def _only_here(tx: Transaction, facts: list[Fact]) -> None:
    """Found by the search again, and summed up; the home is told nothing that it holds already.

    Our own people are told, as of what others wrote: their notices were lost with the post.
    """
    await tx.session.flush()
    for fact in facts:
        if isinstance(fact, ThreadPosted | ReplyPosted | PostEdited):
            await search.index_post(tx, fact)
            await notifications.tell_of_post(tx, fact)
            await post_changed(tx, await tx.session.get_one(Post, fact.post))


@dataclass(frozen=True)
class Remains:
    """A deleted post that was never held here; `parent` is None for an opener.

    `reason` is a steward's, and "" where its author deleted it.
    """

    uri: str
    parent: str | None
    context: str
    published: datetime
    deleted: datetime
    reason: str = ""


async def hold_remains(
    tx: Transaction, author: Member, forum: Forum, remains: Remains, day: str
) -> None:
    """A copy holds a deleted post as deleted, because something live answers it.

    `day` is the one that its home lists it under. Nobody is told, for there is nothing to read.
    """
    if await posts.is_held(tx.session, remains.uri):
        return
    origin = Origin(remains.uri, remains.uri, "", remains.published, context=remains.context)
    within = replace(tx, facts=[])
    if remains.parent is None:
        post = await writing.apply_thread(within, author, forum, ThreadDraft("", "", origin=origin))
    else:
        parent = await posts.by_uri(tx.session, remains.parent)
        if parent is None or parent.forum_id != forum.id:
            return
        draft = ReplyDraft("", parent.id, origin=origin)
        post = await writing.apply_reply(within, author, draft)
    await editing.apply_removal(within, post, None, remains.reason)
    post.deleted = min(remains.deleted, tx.now)
    await post_changed(tx, post)
    if day_of(post.published) == day:
        await agree(tx, forum, post.uri)
