# SPDX-License-Identifier: Apache-2.0
"""What other instances say of reviews: each only of what is between us."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import func, select

from federation import authority
from federation.errors import WireError
from federation.incoming import Ignored, Incoming
from federation.reviews import Message, Step, from_wire
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity
from server import peers
from server.errors import Invalid, NotAllowed, Refusal
from server.facts import ReviewRequestRefused
from server.practices.record import pack
from server.reviews import endings, rows, seats, tasks
from server.reviews.course import LONGEST, OPEN_TASKS, NotNow
from server.reviews.forgetting import apply_withdrawal
from server.reviews.rows import open_review, request_about, review_about, seat_at, task_for
from server.reviews.rubric import Answers
from server.reviews.tasks import Invitation
from server.transaction import Transaction
from server.vetting import cases, drafts, requests
from storage import forums, posts
from storage.forums import FEDERATED, Forum
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post
from storage.practices import Practice
from storage.reviews import ReviewSeat, ReviewTask

MOST_OFFERED = 50
NOT_OURS = "This is about no review between us."


class NotYet(WireError):
    """The practice that this is about has not come yet."""

    permanent = False


async def take(incoming: Incoming, activity: Activity) -> None:
    """A message about a review, from the instance of an agency on our list."""
    authority.must_be_instance(activity.actor)
    host = host_of_uri(activity.actor)
    await incoming.actors.meet(host)
    instance = incoming.wire.instance
    async with instance.reading() as session:
        mode = instance.settings.federates
        if not await peers.is_agency(session, mode, host, instance.clock.now()):
            raise authority.Unauthorised(
                "Reviews are between agencies that a rule lists and that run Guildhall."
            )
    message = from_wire(activity.raw)
    await TAKERS[Step(message.step)](incoming, host, getattr(activity.object, "id", ""), message)


async def _invited(incoming: Incoming, host: str, about: str, said: Message) -> None:
    """Our agency is asked for a reviewer."""
    if said.practice is None or host_of_uri(about) != host:
        raise authority.Unauthorised("An instance invites to reviews of its own.")
    async with incoming.deed() as tx:
        if await task_for(tx.session, about) is not None:
            raise Ignored("This invitation is here already.")
        question = select(func.count()).where(
            ReviewTask.peer == host, ReviewTask.state.in_(sorted(OPEN_TASKS))
        )
        if (await tx.session.execute(question)).scalar_one() >= MOST_OFFERED:
            raise NotAllowed(f"{MOST_OFFERED} reviews are asked of us already.")
        peer = await tx.session.get_one(Peer, host)
        latest = tx.now + LONGEST + timedelta(days=2)
        invitation = Invitation(
            uri=about, peer=host, agency=peer.name or host, forum=said.forum,
            title=said.practice.name, record=pack(said.practice), version=said.version or 1,
            masked=said.masked, due=min(max(said.due or tx.now, tx.now), latest),
        )  # fmt: skip
        await tasks.offered(tx, invitation)


async def _seat(tx: Transaction, host: str, about: str) -> ReviewSeat:
    """The seat that was offered to this host."""
    prefix = rows.address(tx.settings.origin, "")
    word = about.removeprefix(prefix)
    seat = await seat_at(tx.session, word[:64]) if about.startswith(prefix) else None
    if seat is None or seat.peer != host:
        raise Ignored(NOT_OURS)
    return seat


async def _accepted(incoming: Incoming, host: str, about: str, said: Message) -> None:
    if host_of_uri(said.reviewer) != host:
        raise authority.Unauthorised("A reviewer is called by an address of their own agency.")
    async with incoming.deed() as tx:
        await seats.accepted(tx, await _seat(tx, host, about), said.reviewer, said.conflict)


async def _declined(incoming: Incoming, host: str, about: str, said: Message) -> None:
    async with incoming.deed() as tx:
        await seats.declined(tx, await _seat(tx, host, about), said.reason)


async def _reviewed(incoming: Incoming, host: str, about: str, said: Message) -> None:
    async with incoming.deed() as tx:
        await seats.answered(tx, await _seat(tx, host, about), said.answers or Answers())


async def _named(incoming: Incoming, host: str, about: str, said: Message) -> None:
    async with incoming.deed() as tx:
        await seats.named(tx, await _seat(tx, host, about), said.name)


async def _task(tx: Transaction, host: str, about: str) -> ReviewTask:
    """The task that an invitation of this host made."""
    task = await task_for(tx.session, about)
    if task is None or task.peer != host:
        raise Ignored(NOT_OURS)
    return task


async def _released(incoming: Incoming, host: str, about: str, said: Message) -> None:
    async with incoming.deed() as tx:
        await endings.released(tx, await _task(tx, host, about), said.reason)


async def _decided(incoming: Incoming, host: str, about: str, said: Message) -> None:
    async with incoming.deed() as tx:
        await endings.decided(tx, await _task(tx, host, about), said.state, said.of)


async def _practice(tx: Transaction, uri: str) -> tuple[Post, Forum, Practice]:
    """A practice that is held here."""
    post = await posts.by_uri(tx.session, uri)
    practice = await tx.session.get(Practice, post.id) if post is not None else None
    if post is None or practice is None:
        raise Ignored(NOT_OURS)
    return post, await tx.session.get_one(Forum, post.forum_id), practice


async def _submitted(incoming: Incoming, host: str, about: str, said: Message) -> None:
    """An author elsewhere asks a forum of ours for a review, of what is in it or is to be."""
    try:
        async with incoming.deed() as tx:
            if said.practice is not None:
                await _draft_submitted(tx, host, about, said)
                return
            post, forum, practice = await _practice(tx, about)
            author = await tx.session.get_one(Member, post.author_id)
            if author.peer != host or not forum.is_local or forum.visibility not in FEDERATED:
                raise Ignored(NOT_OURS)
            await cases.must_be_reviewable(tx, post, said.note)
            if said.version != practice.version:
                raise Invalid(message="Another version of it is held here: ask again in a while.")
            await cases.apply_submission(tx, post, practice.version, said.note)
    except Refusal as refusal:
        async with incoming.deed() as tx:
            tx.record(ReviewRequestRefused(host, about, refusal.sentence))


async def _draft_submitted(tx: Transaction, host: str, about: str, said: Message) -> None:
    if host_of_uri(about) != host or said.practice is None:
        raise authority.Unauthorised("An instance sends drafts of its own.")
    forum = await forums.by_uri(tx.session, said.group)
    if forum is None or not forum.is_local or forum.visibility not in FEDERATED:
        raise Ignored(NOT_OURS)
    await drafts.apply_submission(tx, host, about, forum, said.practice, said.note)


async def _published(incoming: Incoming, host: str, about: str, said: Message) -> None:
    """What came of a draft that was reviewed here."""
    async with incoming.deed() as tx:
        review = await review_about(tx.session, host, about)
        if review is None:
            raise Ignored(NOT_OURS)
        post = await posts.by_uri(tx.session, said.of)
        if post is None or await tx.session.get(Practice, post.id) is None:
            raise NotYet
        author = await tx.session.get_one(Member, post.author_id)
        if author.peer != host:
            raise Ignored(NOT_OURS)
        await drafts.apply_publication(tx, review, post)


async def _withdrawn(incoming: Incoming, host: str, about: str, said: Message) -> None:
    async with incoming.deed() as tx:
        draft = await review_about(tx.session, host, about)
        if draft is not None:
            await apply_withdrawal(tx, draft)
            return
        post, _, _ = await _practice(tx, about)
        author = await tx.session.get_one(Member, post.author_id)
        review = await open_review(tx.session, post.id)
        if author.peer != host or review is None:
            raise Ignored(NOT_OURS)
        await apply_withdrawal(tx, review)


async def _told(incoming: Incoming, host: str, about: str, said: Message) -> None:
    """How far the review of one of our practices is, or how it ended."""
    async with incoming.deed() as tx:
        request = await request_about(tx.session, about)
        forum = await tx.session.get(Forum, request.forum_id) if request is not None else None
        if request is None or forum is None or forum.peer != host:
            raise Ignored(NOT_OURS)
        if said.version not in (None, request.version):
            raise NotNow("This is about another version.")
        reviews = [{"agency": one.agency, "answers": one.answers.dump()} for one in said.reviews]
        counts = {"asked": said.asked, "accepted": said.accepted, "answered": said.answered}
        told = {**counts, "reviews": reviews}
        await requests.told(tx, request, said.state, said.letter or said.reason, told)


TAKERS: dict[Step, Callable[[Incoming, str, str, Message], Awaitable[None]]] = {
    Step.INVITE: _invited,
    Step.ACCEPT: _accepted,
    Step.DECLINE: _declined,
    Step.REVIEW: _reviewed,
    Step.NAME: _named,
    Step.RELEASE: _released,
    Step.DECISION: _decided,
    Step.SUBMIT: _submitted,
    Step.PROGRESS: _told,
    Step.VERDICT: _told,
    Step.WITHDRAW: _withdrawn,
    Step.PUBLISH: _published,
}
