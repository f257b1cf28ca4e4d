# SPDX-License-Identifier: Apache-2.0
"""Asking, choosing and counting: the server of a poll's author decides."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import Gone, Invalid, NotFound
from server.facts import PollCounted, VoteCast
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.polls.drafts import PollDraft
from server.polls.pages import ShownPoll
from server.transaction import Transaction
from storage import base
from storage.forums import Forum
from storage.members import Member
from storage.polls import Poll, PollOption, PollVote
from storage.posts import Post, PostState

AT_ONCE = 50
# Written once, for they are asked every few minutes.
_IS_OURS = Post.author_id.in_(select(Member.id).where(Member.peer.is_(None)))
_HELD = (
    select(Poll, _IS_OURS)
    .join(Post, Post.id == Poll.post_id)
    .where(Poll.over.is_(False))
    .order_by(Poll.ends)
    .limit(AT_ONCE)
)
_CHANGED = _HELD.where(Poll.told != Poll.voters, _IS_OURS)
_ENDED = _HELD.where(Poll.ends <= bindparam("now", type_=base.UtcDateTime()))
TWICE = "You have voted already, and a vote is not changed."


def attach(tx: Transaction, post: Post, draft: PollDraft) -> None:
    """Have a thread that is being posted carry a poll."""
    ends = tx.now + timedelta(seconds=draft.seconds)
    tx.session.add(Poll(post_id=post.id, multiple=draft.multiple, hidden=draft.hidden, ends=ends))
    for place, title in enumerate(draft.options):
        tx.session.add(PollOption(post_id=post.id, place=place, title=title))


def must_be_choice(poll: Poll, places: Collection[int], options: int, now: datetime) -> None:
    """A choice is of what there is, of one thing unless several may be, and made in time."""
    if poll.ends <= now:
        raise Invalid(message="This poll has ended.")
    if not places or any(not 0 <= place < options for place in places):
        raise Invalid({"choices": "Choose one of what there is."})
    if len(places) > 1 and not poll.multiple:
        raise Invalid({"choices": "Choose one only."})


async def vote(tx: Transaction, member: Member, post: Post, places: Collection[int]) -> None:
    """One vote of one person, all choices at once; the server of the author is sent it."""
    poll, options, held = await _asked(tx, member, post)
    must_be_choice(poll, set(places), len(options), tx.now)
    if held:
        raise Invalid(message=TWICE)
    await _count(tx, member, poll, [options[place] for place in sorted(set(places))], first=True)
    if not (await tx.session.get_one(Member, post.author_id)).is_local:
        tx.record(VoteCast(post.id, member.id))


async def vote_by_name(tx: Transaction, member: Member, post: Post, name: str) -> None:
    """A vote as it comes from elsewhere, one choice at a time; the same twice counts once."""
    poll, options, held = await _asked(tx, member, post)
    place = next((one.place for one in options if one.title == name), -1)
    must_be_choice(poll, [place], len(options), tx.now)
    if place in held:
        return
    if held and not poll.multiple:
        raise Invalid(message=TWICE)
    await _count(tx, member, poll, [options[place]], first=not held)


async def _asked(
    tx: Transaction, member: Member, post: Post
) -> tuple[Poll, list[PollOption], set[int]]:
    """The poll of a thread, what it gives to choose from, and what the member chose before."""
    if post.state == PostState.DELETED:
        raise Gone
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, member, forum), Permission.ENDORSE)
    if await tx.session.get(Poll, post.id) is None:
        raise NotFound
    # Kept from others until the commit: two votes at once are counted one after the other.
    await base.held(tx.session, Post, post.id)
    poll = await tx.session.get_one(Poll, post.id, populate_existing=True)
    listed = select(PollOption).where(PollOption.post_id == post.id).order_by(PollOption.place)
    options = await tx.session.execute(listed.execution_options(populate_existing=True))
    mine = select(PollVote.place).where(
        PollVote.post_id == post.id, PollVote.member_id == member.id
    )
    held = set((await tx.session.execute(mine)).scalars())
    return poll, list(options.scalars()), held


async def _count(
    tx: Transaction, member: Member, poll: Poll, chosen: list[PollOption], *, first: bool
) -> None:
    for option in chosen:
        option.votes += 1
        tx.session.add(
            PollVote(
                id=tx.ids.next(),
                post_id=poll.post_id,
                member_id=member.id,
                place=option.place,
                created=tx.now,
            )
        )
    poll.voters += 1 if first else 0
    await tx.session.flush()


async def put(tx: Transaction, post: Post, said: ShownPoll) -> bool:
    """The poll of a thread from elsewhere, as its author's server says; whether that is news."""
    poll = await tx.session.get(Poll, post.id)
    author = await tx.session.get_one(Member, post.author_id)
    if poll is not None and author.is_local:
        return False
    listed = select(PollOption).where(PollOption.post_id == post.id).order_by(PollOption.place)
    options = list((await tx.session.execute(listed)).scalars())
    before = [(one.title, one.votes) for one in options]
    if [one.title for one in options] != [one.title for one in said.choices]:
        # It is asked anew: what was chosen before is no answer to it.
        for table in (PollVote, PollOption):
            await tx.session.execute(delete(table).where(table.post_id == post.id))
        options = [
            PollOption(post_id=post.id, place=place, title=one.title)
            for place, one in enumerate(said.choices)
        ]
        tx.session.add_all(options)
    for option, one in zip(options, said.choices, strict=True):
        option.votes = one.votes
    if poll is None:
        poll = Poll(post_id=post.id, over=False)
        tx.session.add(poll)
    news = before != [(one.title, one.votes) for one in said.choices] or poll.voters != said.voters
    news = news or said.over is not poll.over
    poll.multiple, poll.hidden, poll.ends = said.multiple, said.hidden, said.ends
    # A vote that was given here may not have come there yet.
    poll.voters = poll.told = said.voters
    if said.over:
        poll.ends = min(poll.ends, tx.now)
    await tx.session.flush()
    return news


async def tend(tx: Transaction) -> list[int]:
    """Have other servers told of new votes; the posts whose polls ended since."""
    found: dict[int, tuple[Poll, bool]] = {}
    for question, given in ((_CHANGED, {}), (_ENDED, {"now": tx.now})):
        rows = (await tx.session.execute(question, given)).all()
        found |= {row[0].post_id: (row[0], bool(row[1])) for row in rows}
    over = []
    for poll, ours in found.values():
        poll.told = poll.voters
        if poll.ends <= tx.now:
            poll.over = True
            over.append(poll.post_id)
        if ours:
            tx.record(PollCounted(poll.post_id, poll.voters, poll.over))
    return over


async def voters(session: AsyncSession, post: int) -> list[int]:
    """Who of this site voted."""
    question = (
        select(PollVote.member_id)
        .join(Member, Member.id == PollVote.member_id)
        .where(PollVote.post_id == post, Member.peer.is_(None))
        .distinct()
    )
    return list((await session.execute(question)).scalars())
