# SPDX-License-Identifier: Apache-2.0
"""Telling what authors warn of, and what is offered to them."""

import json
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import or_, select

from federation import forums, offers, posts
from federation.offers import SharedOffer
from federation.outbox import needs
from federation.outbox.telling import Telling
from federation.sharing import shared
from server.facts import ChangeOffered, OfferAnswered, OfferWithdrawn, PracticeWarned
from server.library import restating
from server.practices.ancestry import below
from server.practices.record import unpack
from storage.forums import FEDERATED, Forum, Visibility
from storage.log import Entry, Form
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import ChangeOffer, Practice
from storage.replications import Announcing, Replication

MOST_TOLD = 500


async def warned(t: Telling, fact: PracticeWarned) -> None:
    """To those who adapted or replicated it, and to the readers of adaptations in our forums.

    Followers of the practice's own forum hear it by the Update of the post.
    """
    # Before anything is told of it: what its forum elsewhere says, a practice of ours says too.
    await restating.restate(t.tx, fact)
    question = select(Post).where(Post.uri == fact.uri, Post.state != PostState.DELETED)
    post = (await t.tx.session.execute(question)).scalar_one_or_none()
    if post is not None:
        await _to_adopters(t, post, fact)
    for forum in await _forums_of_adaptations(t, fact.uri, post):
        await _point(t, forum, fact)


async def _to_adopters(t: Telling, post: Post, fact: PracticeWarned) -> None:
    """The Update of a practice of ours, to the servers of those who adopted it elsewhere."""
    author = await t.tx.session.get_one(Member, post.author_id)
    forum = await t.tx.session.get_one(Forum, post.forum_id)
    # A closed forum's words go to those who follow it, as listed agencies, and to nobody else.
    if not author.is_local or forum.visibility != Visibility.PUBLIC:
        return
    inboxes = await _inboxes(t, post)
    if not inboxes:
        return
    sharing = await shared(t.tx.session, post)
    document = await t.sign(author.uri, posts.to_wire(sharing))
    update = posts.update(sharing, document, post.revision)
    # The same Update may go to its forum's home under the usual name.
    update["id"] = f"{author.uri}#notice-{posts.short(post.uri)}-{fact.n}"
    lanes = [(await t.lane(inbox)).id for inbox in inboxes[1:]]
    await t.send_direct(
        update, author.uri, inboxes[0], order_key=post.uri, subject=post.uri, also=lanes
    )


async def _inboxes(t: Telling, post: Post) -> list[str]:
    """Where those live who adapted, replicated, or told of doing either."""
    adapted = select(Practice.post_id).where(below(post.uri), Practice.post_id != post.id)
    reported = select(Replication.post_id).where(Replication.of == post.uri)
    told = select(Announcing.post_id)
    question = (
        select(Member)
        .join(Post, Post.author_id == Member.id)
        .where(
            Member.peer.is_not(None),
            or_(
                Post.id.in_(adapted),
                Post.id.in_(reported),
                (Post.thread_id == post.id) & Post.id.in_(told),
            ),
        )
        .distinct()
        .order_by(Member.id)
        .limit(MOST_TOLD)
    )
    people: Sequence[Member] = (await t.tx.session.execute(question)).scalars().all()
    return list(dict.fromkeys(one.shared_inbox or one.inbox for one in people))


async def _forums_of_adaptations(t: Telling, uri: str, post: Post | None) -> list[Forum]:
    """Forums of ours, other than the practice's own, that hold something made of it."""
    question = (
        select(Forum)
        .join(Post, Post.forum_id == Forum.id)
        .join(Practice, Practice.post_id == Post.id)
        .where(
            below(uri),
            Post.uri != uri,
            Post.state == PostState.LIVE,
            Forum.peer.is_(None),
            Forum.visibility.in_(FEDERATED),
            Forum.id != (post.forum_id if post is not None else 0),
        )
        .distinct()
        .order_by(Forum.id)
    )
    return list((await t.tx.session.execute(question)).scalars())


async def _point(t: Telling, forum: Forum, fact: PracticeWarned) -> None:
    """Point those who follow a forum to the original; they ask its own server what it says now.

    Other software would show it as a thread of this forum's.
    """
    if not await needs.is_wanted(t.tx.session, forum, Form.POINTER):
        return
    is_public = forum.visibility == Visibility.PUBLIC
    head = forums.announce_head(forum.uri, f"{fact.uri}#notice-{fact.n}", is_public=is_public)
    document = await t.sign(forum.uri, head | {"object": fact.uri})
    entry = Entry(
        form=Form.POINTER,
        activity_id=str(head["id"]),
        signer=forum.uri,
        order_key=fact.uri,
        audience=forum.uri,
        subject=fact.uri,
        closed=not is_public,
    )
    await t.append(orjson.dumps(document).decode(), [(entry, ())])


async def offered(t: Telling, fact: ChangeOffered) -> None:
    row, person, author, sharing = await _offer(t, fact.offer)
    record, sections = unpack(row.record), json.loads(row.sections)
    document = offers.to_wire(sharing, sections, record, row.of_version, row.note)
    await _between(t, person, author, sharing, document)


async def answered(t: Telling, fact: OfferAnswered) -> None:
    row, person, author, sharing = await _offer(t, fact.offer)
    document = offers.answer(sharing, row.reason, taken=row.state == "taken")
    await _between(t, author, person, sharing, document)


async def withdrawn(t: Telling, fact: OfferWithdrawn) -> None:
    _, person, author, sharing = await _offer(t, fact.offer)
    await _between(t, person, author, sharing, offers.undo(sharing))


async def _offer(t: Telling, number: int) -> tuple[ChangeOffer, Member, Member, SharedOffer]:
    """An offer, who made it, whom it is for, and the ids of it all."""
    row = await t.tx.session.get_one(ChangeOffer, number)
    post = await t.tx.session.get_one(Post, row.post_id)
    person = await t.tx.session.get_one(Member, row.from_id)
    author = await t.tx.session.get_one(Member, post.author_id)
    return row, person, author, SharedOffer(
        row.uri, person.uri, row.based_on, post.uri, author.uri
    )  # fmt: skip


async def _between(
    t: Telling, sender: Member, receiver: Member, sharing: SharedOffer, document: dict[str, Any]
) -> None:
    """From one of us to somebody elsewhere, and to nobody else."""
    if sender.is_local and not receiver.is_local:
        await t.send_direct(
            document, sender.uri, receiver.shared_inbox or receiver.inbox,
            order_key=sharing.uri, subject=sharing.uri,
        )  # fmt: skip
