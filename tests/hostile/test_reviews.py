# SPDX-License-Identifier: Apache-2.0
"""Nobody speaks in a review but who takes part in it, of their own part."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from federation.reviews import Message, Route, Step, statement_members, to_wire
from server.practices import record
from server.practices.standing import standing_of
from server.reviews.rows import tasks_of_seats
from server.reviews.rubric import Answers
from server.vetting import cases
from server.vetting.statements import Statement
from storage.peers import Peer
from storage.posts import Post
from storage.practices import Practice
from storage.reviews import Review, ReviewSeat, ReviewStatement, ReviewTask
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing
from tests.hostile.copy import announce, copied, words
from tests.hostile.peer import Json, ScriptedPeer, vera
from tests.server.library.bench import published
from tests.server.practices.test_record import PERMITS
from tests.server.reviews.bench import answers, reviewed

APPLIED, REFUSED, IGNORED = "applied", "refused", "ignored"


class Case:
    """A review here, with a seat that was offered to VIC."""

    def __init__(self, gh: Commons, number: int, seat: str, practice: Post) -> None:
        self.gh, self.number, self.practice = gh, number, practice
        self.seat = f"{ORIGIN}/reviews/{seat}"
        self.count = 0

    async def say(
        self, peer: ScriptedPeer, step: Step, about: str = "", actor: str = "", **said: Any
    ) -> tuple[str, str]:
        """One message; how that ended, and why."""
        return await self.tell(peer, self.message(peer, step, about, actor, **said))

    def message(
        self, peer: ScriptedPeer, step: Step, about: str = "", actor: str = "", **said: Any
    ) -> Json:
        self.count += 1
        actor = actor or f"{peer.origin}/instance"
        route = Route(actor, f"{ORIGIN}/instance", about or self.seat, f"mark {self.count}")
        return to_wire(route, Message(step=step, **said))

    async def tell(self, peer: ScriptedPeer, document: Json) -> tuple[str, str]:
        row = await self.gh.sent(peer, document)
        return row.state, row.note

    async def state(self) -> str:
        async with self.gh.instance.reading() as session:
            return (await session.execute(select(ReviewSeat.state))).scalar_one()

    async def tasks(self) -> list[ReviewTask]:
        async with self.gh.instance.reading() as session:
            return list((await session.execute(select(ReviewTask))).scalars())


@pytest.fixture
async def review(gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer) -> Case:
    for peer in (evil, vic):
        peer.actor("/instance", "Application")
    await gh.is_guildhall(evil.host, vic.host)
    author = await makers.member(gh.instance, "ana")
    post = await published(gh.instance, author, gh.forum)
    async with gh.instance.transaction() as tx:
        found = await cases.submit(tx, author, post, "")
        seat = await cases.invite_agency(tx, gh.admin, found.id, vic.host, cases.due_of(tx, ""))
    await gh.settled()
    return Case(gh, found.id, seat.token, post)


async def test_a_seat_is_taken_by_the_agency_that_it_was_offered_to(
    review: Case, gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    mine, theirs = f"{evil.origin}/reviews/1", f"{vic.origin}/reviews/1"
    assert await review.say(evil, Step.ACCEPT, reviewer=mine) == (
        IGNORED, "This is about no review between us.",
    )  # fmt: skip
    state, note = await review.say(vic, Step.ACCEPT, reviewer=mine)
    assert (state, "their own agency" in note) == (REFUSED, True)
    state, note = await review.say(vic, Step.ACCEPT, actor=f"{vic.origin}/u/vera", reviewer=theirs)
    assert (state, "Only the instance itself" in note) == (REFUSED, True)
    plain = review.message(vic, Step.ACCEPT, reviewer=theirs) | {"type": "Accept"}
    state, note = await review.tell(vic, plain)
    assert (state, "of the types" in note) == (REFUSED, True)
    assert (await review.say(vic, Step.REVIEW, answers=answers()))[0] == REFUSED
    assert await review.state() == "invited"

    assert await review.say(vic, Step.ACCEPT, reviewer=theirs, conflict="None.") == (APPLIED, "")
    for step in (Step.REVIEW, Step.DECLINE, Step.NAME):
        state, _ = await review.say(evil, step, answers=answers(), name="Mallory")
        assert state == IGNORED
    half = Answers(v=1, recommendation="accept")
    assert (await review.say(vic, Step.REVIEW, answers=half))[0] == REFUSED
    assert await review.state() == "accepted"
    assert await review.say(vic, Step.REVIEW, answers=answers()) == (APPLIED, "")
    assert (await review.say(vic, Step.REVIEW, answers=answers("decline")))[0] == REFUSED
    # Nobody is named before it is decided, and nobody takes back what was decided about.
    assert (await review.say(vic, Step.NAME, name="Vera"))[0] == REFUSED
    async with gh.instance.transaction() as tx:
        await cases.decide(tx, gh.admin, review.number, "accepted", "Thank you.")
    await gh.settled()
    assert (await review.say(vic, Step.DECLINE, reason="After all"))[0] == REFUSED
    assert await review.say(vic, Step.NAME, name="Vera Holm") == (APPLIED, "")
    async with gh.instance.reading() as session:
        seat = (await session.execute(select(ReviewSeat))).scalar_one()
        assert (seat.state, seat.recommendation, seat.named) == ("answered", "accept", "Vera Holm")
    # Whoever asks for an invitation or a reviewer by address finds nothing.
    path = review.seat.removeprefix(ORIGIN)
    assert (await gh.get(path, vic, key_id=f"{vic.origin}/instance#main-key")).status_code != 200


async def test_an_invitation_is_of_its_own_agency_and_ends_by_it(
    review: Case, gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    said: Json = {
        "forum": "Permits", "practice": record.parse(PERMITS), "version": 1,
        "due": gh.clock.now(),
    }  # fmt: skip
    offered = f"{vic.origin}/reviews/{'a' * 32}"
    state, note = await review.say(evil, Step.INVITE, offered, **said)
    assert (state, "reviews of its own" in note) == (REFUSED, True)
    assert await review.say(vic, Step.INVITE, offered, **said) == (APPLIED, "")
    assert (await review.say(vic, Step.INVITE, offered, **said))[0] == IGNORED
    for step in (Step.RELEASE, Step.DECISION):
        assert (await review.say(evil, step, offered, state="accepted"))[0] == IGNORED
    [task] = await review.tasks()
    assert (task.state, task.decision, task.peer) == ("offered", "", vic.host)
    assert await review.say(vic, Step.RELEASE, offered) == (APPLIED, "")
    [task] = await review.tasks()
    assert (task.state, task.record) == ("closed", "")
    # What is off the list, or runs something else, takes no part.
    async with gh.instance.transaction() as tx:
        seat = (await tx.session.execute(select(ReviewSeat))).scalar_one()
        assert seat.state == "invited"
    vic.software = "mastodon"
    vic.describe()
    await _forgets(gh, vic)
    state, note = await review.say(vic, Step.ACCEPT, reviewer=f"{vic.origin}/reviews/1")
    assert (state, "run Guildhall" in note) == (REFUSED, True)


async def _forgets(gh: Commons, peer: ScriptedPeer) -> None:
    """What a peer runs is asked anew."""
    async with gh.instance.transaction() as tx:
        found = await tx.session.get_one(Peer, peer.host)
        found.software, found.described = "", None


async def test_only_an_authors_agency_asks_for_their_practice(
    review: Case, gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    about = review.practice.uri
    assert (await review.say(evil, Step.SUBMIT, about, version=1))[0] == IGNORED
    assert (await review.say(evil, Step.WITHDRAW, about))[0] == IGNORED
    for step in (Step.PROGRESS, Step.VERDICT):
        state, _ = await review.say(evil, step, about, state="accepted", letter="Yes.")
        assert state == IGNORED
    assert (await review.say(evil, Step.SUBMIT, f"{evil.origin}/p/1", version=1))[0] == IGNORED
    await _of_drafts(review, gh, evil, vic)
    async with gh.instance.reading() as session:
        held = (await session.execute(select(Review).order_by(Review.id))).scalars().all()
        assert [one.state for one in held] == ["underway", "submitted"]
        assert held[1].author_id is held[1].post_id is None
    await _publications(review, gh, vic, held[1].id)


async def _of_drafts(review: Case, gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer) -> None:
    """A draft is sent, published and taken back by its own agency, and stays unnamed."""
    draft = f"{vic.origin}/reviews/{'b' * 32}"
    sent = record.parse({**PERMITS, "contact": "Vera Holm"})
    said: Json = {"practice": sent, "version": 1, "group": gh.forum.uri}
    state, note = await review.say(evil, Step.SUBMIT, draft, **said)
    assert (state, "drafts of its own" in note) == (REFUSED, True)
    elsewhere = said | {"group": f"{vic.origin}/f/permits"}
    assert (await review.say(vic, Step.SUBMIT, draft, **elsewhere))[0] == IGNORED
    assert await review.say(vic, Step.SUBMIT, draft, **said) == (APPLIED, "")
    # Whose it is does not stay, even where its own agency says so.
    async with gh.instance.reading() as session:
        held = (await session.execute(select(Review).where(Review.about == draft))).scalar_one()
        assert ("Vera" in held.record, held.peer) == (False, vic.host)
    assert (await review.say(vic, Step.SUBMIT, draft, **said))[0] == APPLIED
    for step in (Step.WITHDRAW, Step.PUBLISH):
        assert (await review.say(evil, step, draft, of=review.practice.uri))[0] == IGNORED
    # Nobody has what somebody else wrote taken for theirs.
    assert (await review.say(vic, Step.PUBLISH, draft, of=review.practice.uri))[0] == IGNORED


async def _publications(review: Case, gh: Commons, vic: ScriptedPeer, accepted: int) -> None:
    """An acceptance waits for its practice; what is published otherwise ends its review."""
    kim = await makers.member(gh.instance, "kim")
    async with gh.instance.transaction() as tx:
        seat = await cases.invite_member(tx, gh.admin, accepted, "kim", cases.due_of(tx, ""))
        [task] = (await tasks_of_seats(tx.session, [seat])).values()
    await reviewed(gh.instance, kim, task.token)
    async with gh.instance.transaction() as tx:
        await cases.decide(tx, gh.admin, accepted, "accepted", "Publish it.")
    other = f"{vic.origin}/reviews/{'c' * 32}"
    said: Json = {"practice": record.parse(PERMITS), "version": 1, "group": gh.forum.uri}
    assert await review.say(vic, Step.SUBMIT, other, **said) == (APPLIED, "")
    waiting = []
    for number, about in ((71, f"{vic.origin}/reviews/{'b' * 32}"), (72, other)):
        message = review.message(vic, Step.PUBLISH, about, of=f"{vic.origin}/p/{number}")
        assert (await review.tell(vic, message))[0] == "waiting"
        waiting.append(message["id"])
    for number, changes in ((71, {}), (72, {"lessons": ["Written since."]})):
        article = words(vic, gh.forum.uri, number, **{"gh:practice": {**PERMITS, **changes}})
        assert (await gh.sent(vic, doing("Create", vera(vic), article, number))).state == APPLIED
    gh.clock.turn(hours=1)
    await gh.settled()
    assert [(await gh.row(one)).state for one in waiting] == [APPLIED] * 2
    async with gh.instance.reading() as session:
        held = (await session.execute(select(Review).order_by(Review.id))).scalars().all()
        stated = (await session.execute(select(ReviewStatement.of))).scalars().all()
        [task] = (await tasks_of_seats(session, [seat])).values()
    assert [(one.state, one.post_id is None, one.record == "") for one in held[1:]] == [
        ("accepted", False, False), ("withdrawn", True, True),
    ]  # fmt: skip
    assert (stated, task.practice) == ([f"{vic.origin}/p/71"], f"{vic.origin}/p/71")


async def test_only_the_home_states_that_its_practices_are_reviewed_or_withdrawn(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    article = words(vic, forum.uri, 1, **{"gh:practice": PERMITS})
    said = statement_members(
        Statement(of=article["id"], version=1, reviewers=9, agencies=9, against=0)
    )
    replies = {"type": "Note", "inReplyTo": article["id"], "context": article["context"]}

    async def told(peer: ScriptedPeer, number: int, document: Json, does: str = "Create") -> str:
        activity = peer.proven(
            doing(does, vera(peer), document, number), vera(peer), gh.clock.now()
        )
        return await announce(gh, vic, forum.uri, activity, number)

    async def step() -> str:
        async with gh.instance.reading() as session:
            return standing_of((await session.execute(select(Practice))).scalar_one()).step.label

    assert await told(vic, 1, article) == APPLIED
    before = await step()
    for number, (peer, value) in enumerate(
        ((evil, said["gh:reviewed"]), (vic, {"v": 1, "of": article["id"], "reviewers": "9"})), 2
    ):
        note_ = words(peer, forum.uri, number, **replies, **{"gh:reviewed": value})
        assert await told(peer, number, note_) == APPLIED
        assert await step() == before
    assert await told(vic, 9, words(vic, forum.uri, 9, **replies, **said)) == APPLIED
    assert await step() == "Reviewed"

    about = {"of": article["id"], "content": "Stop.", "published": "2026-11-23T09:00:00Z"}
    for number, (peer, value) in enumerate(_no_withdrawals(vic, evil, about), 20):
        wrong = words(peer, forum.uri, number, **replies, **{"gh:withdraws": value})
        assert await told(peer, number, wrong) == APPLIED
        assert await step() == "Reviewed", value
    stop = words(vic, forum.uri, 30, **replies, **{"gh:withdraws": about})
    assert await told(vic, 30, stop) == APPLIED
    assert await step() == "Idea"
    # Its author's next edit does not take back what is the forum's word; its home does.
    assert await told(vic, 31, {**article, "updated": "2026-11-23T09:30:00Z"}, "Update") == APPLIED
    assert await step() == "Idea"
    gone = doing("Delete", vera(vic), stop["id"], 32)
    assert await announce(gh, vic, forum.uri, gone, 32) == APPLIED
    assert await step() == "Reviewed"


def _no_withdrawals(
    vic: ScriptedPeer, evil: ScriptedPeer, about: Json
) -> Iterator[tuple[ScriptedPeer, Any]]:
    yield evil, about
    yield vic, {**about, "of": f"{vic.origin}/p/99"}
    yield vic, "Stop."
    yield vic, {**about, "content": " "}
    yield vic, {**about, "published": None}
