# SPDX-License-Identifier: Apache-2.0
"""A practice is reviewed within one agency, from asking for it to the ladder."""

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.errors import Invalid, NotAllowed, NotFound
from server.instance import Instance
from server.posts import editing
from server.practices.standing import standing_of
from server.reviews import rows, rubric, tasks
from server.reviews.course import NotNow
from server.vetting import authors, cases, pages, reviewing, schedule
from server.vetting.authors import AuthorPage
from storage.forums import Forum, Visibility
from storage.letters import Letter
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import Practice
from storage.reviews import Review, ReviewNotice, ReviewSeat, ReviewStatement, ReviewTask
from tests import makers
from tests.clock import TurnableClock
from tests.server.library.bench import published
from tests.server.reviews.bench import answers, reviewed


@dataclass
class Stage:
    """Ana's practice in Sam's forum, and two who might review it."""

    instance: Instance
    forum: Forum
    post: Post
    people: dict[str, Member]

    async def submit(self, note: str = "Look at the numbers.") -> Review:
        async with self.instance.transaction() as tx:
            return await cases.submit(tx, self.people["ana"], self.post, note)

    async def invite(self, review: Review, *handles: str) -> list[ReviewTask]:
        made = []
        for handle in handles:
            async with self.instance.transaction() as tx:
                due = cases.due_of(tx, "")
                seat = await cases.invite_member(tx, self.people["sam"], review.id, handle, due)
                task = await rows.task_of_seat(tx.session, seat.id)
                assert task is not None
                made.append(task)
        return made

    async def decide(self, review: Review, decision: str, letter: str = "Thank you.") -> None:
        async with self.instance.transaction() as tx:
            await cases.decide(tx, self.people["sam"], review.id, decision, letter)

    async def ladder(self) -> str:
        async with self.instance.reading() as session:
            return standing_of(await session.get_one(Practice, self.post.id)).step.label

    async def author(self) -> AuthorPage:
        async with self.instance.reading() as session:
            return await authors.author_page(session, self.people["ana"], self.post.id)


@pytest.fixture
async def stage(instance: Instance, admin: Member) -> Stage:
    people = {name: await makers.member(instance, name) for name in ("ana", "dee", "lee", "kim")}
    forum = await makers.forum(instance, admin)
    post = await published(instance, people["ana"], forum, contact="Ana, permits@riverton")
    return Stage(instance, forum, post, {**people, "sam": admin})


async def test_a_review_from_asking_to_the_letter(stage: Stage, instance: Instance) -> None:
    review = await stage.submit()
    with pytest.raises(NotAllowed, match="under review already"):
        await stage.submit()
    [first, second] = await stage.invite(review, "dee", "lee")
    assert "permits@riverton" not in first.record
    assert (await stage.author()).asked == 2
    for task, who in ((first, "lee"), (second, "dee"), (first, "sam"), (first, "ana")):
        async with instance.reading() as session:
            with pytest.raises(NotFound):
                await reviewing.task_page(session, stage.people[who], task.token)
    with pytest.raises(Invalid, match="wait for a review"):
        await stage.decide(review, "accepted")
    async with instance.transaction() as tx:
        task = await tasks.must_find(tx, first.token)
        with pytest.raises(Invalid, match="sway"):
            await tasks.accept(tx, stage.people["dee"], task, None)
        with pytest.raises(NotNow):
            await tasks.send(tx, stage.people["dee"], task, answers())
    await reviewed(instance, stage.people["dee"], first.token)
    await _decided(stage, review, first, second)


async def _decided(stage: Stage, review: Review, first: ReviewTask, second: ReviewTask) -> None:
    instance = stage.instance
    async with instance.reading() as session:
        case = await pages.case_page(session, stage.people["sam"], review.id, [])
        assert [(line.name, line.seat.state) for line in case.seats] == [
            ("Dee Okafor", "answered"), ("Lee", "invited"),
        ]  # fmt: skip
        for who in ("ana", "dee", "kim"):
            with pytest.raises(NotFound):
                await pages.case_page(session, stage.people[who], review.id, [])
    before = await stage.author()
    assert (before.answered, before.reviews, before.letter) == (1, [], "")
    await stage.decide(review, "accepted", "Clear, and well proved.")
    after = await stage.author()
    assert after.letter == "Clear, and well proved."
    assert [(given.agency, given.name) for given in after.reviews] == [("City of Riverton", "")]
    async with instance.reading() as session:
        page = await reviewing.task_page(session, stage.people["lee"], second.token)
        assert (page.task.state, page.record) == ("closed", None)
    async with instance.transaction() as tx:
        task = await tasks.must_find(tx, first.token)
        await tasks.consent(tx, stage.people["dee"], task)
    assert (await stage.author()).reviews[0].name == "Dee Okafor"
    # One agency is not two.
    assert await stage.ladder() == "Measured"
    with pytest.raises(NotNow):
        await stage.decide(review, "declined")
    async with instance.reading() as session:
        letters = (await session.execute(select(Letter.subject, Letter.text).distinct())).all()
        told = (await session.execute(select(ReviewNotice.member_id, ReviewNotice.kind))).all()
    # A letter says nothing that an admin may not read.
    assert len(letters) == 1
    names = {member.id: name for name, member in stage.people.items()}
    assert {(names[member], kind) for member, kind in told} == {
        ("sam", "submitted"), ("sam", "took"), ("sam", "answered"), ("dee", "asked"),
        ("lee", "asked"), ("dee", "outcome"), ("lee", "released"), ("ana", "decided"),
    }  # fmt: skip


async def _from_elsewhere(stage: Stage, review: Review, host: str, recommendation: str) -> None:
    """A reviewer of another agency has answered."""
    async with stage.instance.transaction() as tx:
        tx.session.add(
            ReviewSeat(
                id=tx.ids.next(), review_id=review.id, token=rows.token(tx), peer=host,
                agency=host, state="answered", answers=rubric.pack(answers(recommendation)),
                recommendation=recommendation, invited=tx.now, due=tx.now, answered=tx.now,
            )
        )  # fmt: skip


async def test_the_ladder_rises_and_falls_with_reviews(
    stage: Stage, instance: Instance, clock: TurnableClock
) -> None:
    review = await stage.submit()
    [task] = await stage.invite(review, "dee")
    await reviewed(instance, stage.people["dee"], task.token)
    await _from_elsewhere(stage, review, "lakeside.localhost", "accept")
    assert await stage.ladder() == "Measured"
    await stage.decide(review, "accepted")
    assert await stage.ladder() == "Reviewed"
    async with instance.reading() as session:
        said = (await session.execute(select(ReviewStatement))).scalar_one()
        note = await session.get_one(Post, said.post_id)
        assert (said.reviewers, said.agencies, said.against) == (2, 2, 0)
        assert "2 reviewers of 2 agencies" in note.html
        assert note.author_id == stage.people["sam"].id
    # It grows old: the schedule takes it down, and nothing else has to happen.
    clock.turn(minutes=60 * 24 * 731)
    async with instance.transaction() as tx:
        await schedule.tend(tx)
    assert await stage.ladder() == "Measured"

    again = await stage.submit()
    for host, recommendation in (("a.example", "accept"), ("b.example", "decline")):
        await _from_elsewhere(stage, again, host, recommendation)
    await stage.decide(again, "accepted")
    assert await stage.ladder() == "Measured"
    async with instance.reading() as session:
        [said] = (await session.execute(select(ReviewStatement))).scalars().all()
        assert (said.reviewers, said.against) == (1, 1)
        assert (await session.get_one(Post, note.id)).state == PostState.DELETED

    third = await stage.submit()
    for host in ("a.example", "b.example"):
        await _from_elsewhere(stage, third, host, "accept")
    await stage.decide(third, "accepted")
    assert await stage.ladder() == "Reviewed"
    async with instance.transaction() as tx:
        with pytest.raises(Invalid):
            await cases.revoke(tx, stage.people["sam"], third.id, " ")
        await cases.revoke(tx, stage.people["sam"], third.id, "The figures were another city's.")
    assert await stage.ladder() == "Measured"
    assert (await stage.author()).letter == "The figures were another city's."
    async with instance.reading() as session:
        assert (await session.execute(select(ReviewStatement))).first() is None


@pytest.mark.parametrize("how", ["withdrawn", "deleted"])
async def test_nothing_is_left_of_a_review_that_was_withdrawn(
    stage: Stage, instance: Instance, how: str
) -> None:
    review = await stage.submit("Please hurry.")
    given, open_ = await stage.invite(review, "dee", "lee")
    await reviewed(instance, stage.people["dee"], given.token, answers(words="Secret words."))
    async with instance.transaction() as tx:
        if how == "withdrawn":
            await cases.withdraw(tx, stage.people["ana"], stage.post)
        else:
            await editing.remove(tx, stage.people["ana"], stage.post)
    async with instance.reading() as session:
        for table in (Review, ReviewSeat, ReviewTask):
            for row in (await session.execute(select(table))).scalars():
                left = json.dumps({key: str(value) for key, value in vars(row).items()})
                assert "Secret words" not in left
                assert "hurry" not in left
                assert "completeness" not in left
        states = {t.state for t in (await session.execute(select(ReviewTask))).scalars()}
        assert states == {"closed"}
    for task, who in ((given, "dee"), (open_, "lee")):
        async with instance.transaction() as tx:
            found = await tasks.must_find(tx, task.token)
            with pytest.raises(NotNow):
                await tasks.accept(tx, stage.people[who], found, "")
    with pytest.raises(NotNow):
        await stage.decide(review, "declined")


async def test_reviewers_are_reminded_once_and_then_given_up(
    stage: Stage, instance: Instance, clock: TurnableClock
) -> None:
    review = await stage.submit()
    [task] = await stage.invite(review, "dee")
    async with instance.transaction() as tx:
        await tasks.accept(tx, stage.people["dee"], await tasks.must_find(tx, task.token), "")

    async def notices(who: str, kind: str) -> int:
        async with instance.transaction() as tx:
            await schedule.tend(tx)
        async with instance.reading() as session:
            rows_ = select(ReviewNotice).where(
                ReviewNotice.member_id == stage.people[who].id, ReviewNotice.kind == kind
            )
            return len((await session.execute(rows_)).all())

    assert await notices("dee", "due") == 0
    clock.turn(minutes=60 * 24 * 26)
    assert await notices("dee", "due") == 1
    assert await notices("dee", "due") == 1
    clock.turn(minutes=60 * 24 * 6)
    assert await notices("sam", "lapsed") == 1
    assert await notices("dee", "released") == 1
    [again] = await stage.invite(review, "dee")
    assert again.token != task.token


async def test_who_is_close_to_it_takes_no_part(stage: Stage, instance: Instance) -> None:
    review = await stage.submit()
    for handle, why in (("ana", "their own practice"), ("sam", "You decide"), ("nobody", "name")):
        with pytest.raises(Invalid, match=why):
            await stage.invite(review, handle)
    await stage.invite(review, "dee")
    with pytest.raises(Invalid, match="asked already"):
        await stage.invite(review, "dee")
    for day in ("soon", "2020-01-01", "2199-01-01"):
        async with instance.transaction() as tx:
            with pytest.raises(Invalid) as refusal:
                cases.due_of(tx, day)
            assert set(refusal.value.fields) == {"due"}
    async with instance.transaction() as tx:
        forum = await tx.session.get_one(Forum, stage.forum.id)
        forum.visibility = Visibility.MEMBERS
    with pytest.raises(Invalid, match="may not enter"):
        await stage.invite(review, "kim")
    async with instance.transaction() as tx:
        sam, due = stage.people["sam"], cases.due_of(tx, "")
        with pytest.raises(Invalid, match="stays within our agency"):
            await cases.invite_agency(tx, sam, review.id, "lakeside.localhost", due)
        (await tx.session.get_one(Forum, stage.forum.id)).visibility = Visibility.PUBLIC
    own = await published(instance, stage.people["sam"], stage.forum, name="Sam's own")
    async with instance.transaction() as tx:
        theirs = await cases.submit(tx, stage.people["sam"], own, "")
        with pytest.raises(NotFound):
            await cases.must_keep(tx, stage.people["sam"], theirs.id)
    async with instance.transaction() as tx:
        wanted = tx.now + timedelta(days=10)
        assert cases.due_of(tx, wanted.date().isoformat()) > wanted
