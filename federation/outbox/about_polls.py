# SPDX-License-Identifier: Apache-2.0
"""Telling what polls of ours came to, and what members chose elsewhere."""

from sqlalchemy import select

from federation import polls
from federation.outbox.restating import restate
from federation.outbox.telling import Telling
from federation.polls import CastVote
from server.facts import PollCounted, VoteCast
from storage.members import Member
from storage.polls import PollOption, PollVote
from storage.posts import Post


async def counted(t: Telling, fact: PollCounted) -> None:
    """Update of a poll of ours."""
    await restate(t, fact.post, f"counted-{fact.n}{'-over' if fact.over else ''}")


async def voted(t: Telling, fact: VoteCast) -> None:
    """Each choice of a member as a Note to the author alone, whose server counts."""
    post = await t.tx.session.get_one(Post, fact.post)
    member = await t.tx.session.get_one(Member, fact.member)
    author = await t.tx.session.get_one(Member, post.author_id)
    question = (
        select(PollVote, PollOption.title)
        .join(
            PollOption,
            (PollOption.post_id == PollVote.post_id) & (PollOption.place == PollVote.place),
        )
        .where(PollVote.post_id == post.id, PollVote.member_id == member.id)
        .order_by(PollVote.place)
    )
    for row, title in (await t.tx.session.execute(question)).all():
        uri = f"{member.uri}#vote-{post.id}-{row.place}"
        cast = CastVote(uri, member.uri, author.uri, post.uri, title, row.created)
        await t.send_direct(
            polls.vote(cast), member.uri, author.shared_inbox or author.inbox,
            order_key=f"{post.uri}#votes", subject=uri,
        )  # fmt: skip
