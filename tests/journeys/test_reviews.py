# SPDX-License-Identifier: Apache-2.0
"""A practice is reviewed across four agencies, over real HTTP."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from server.library import publishing
from server.practices.standing import standing_of
from server.reviews import tasks
from server.vetting import authors, cases, drafts, requests
from server.vetting.authors import AuthorPage
from storage.forums import Forum
from storage.log import ActivityBody
from storage.members import Member
from storage.posts import Post
from storage.practices import Practice
from storage.reviews import Review, ReviewSeat, ReviewStatement, ReviewTask
from tests import makers
from tests.journeys.agency import Agency, until
from tests.journeys.keeping import Keeping
from tests.journeys.test_practices import practice_at
from tests.server.library.bench import begun, published
from tests.server.reviews.bench import answers, reviewed

SECRET = ("Zora Quill", "Yusuf Tamarind")
# Who wrote a draft, and what only those who are asked about it may read.
UNPUBLISHED = ("Lena Holm", "Tickets are called by quetzal bells.")


async def _asked(lakeside: Agency, steward: Member, review: int, *hosts: Agency) -> None:
    async with lakeside.instance.transaction() as tx:
        for agency in hosts:
            await cases.invite_agency(tx, steward, review, agency.host, cases.due_of(tx, ""))


async def _task(agency: Agency, state: str = "offered") -> ReviewTask:
    """Wait until an agency has a task in a state."""

    async def held() -> ReviewTask | None:
        async with agency.instance.reading() as session:
            rows = await session.execute(select(ReviewTask).where(ReviewTask.state == state))
            return rows.scalars().first()

    return await until(f"a task that is {state} at {agency.name}", held)


async def _named(agency: Agency, reviewer: Member) -> ReviewTask:
    """An admin names a reviewer for what their agency is asked."""
    task = await _task(agency)
    async with agency.instance.transaction() as tx:
        found = await tasks.must_find(tx, task.token)
        await tasks.name(tx, agency.admin, found, reviewer.handle)
    return task


async def _author_sees(
    agency: Agency, author: Member, post: Post, so: Callable[[AuthorPage], bool]
) -> AuthorPage:
    async def seen() -> AuthorPage | None:
        async with agency.instance.reading() as session:
            page = await authors.author_page(session, author, post.id)
            return page if so(page) else None

    return await until(f"where the review stands, at {agency.name}", seen)


async def _ladder(agency: Agency, uri: str, label: str) -> Practice:
    async def there() -> Practice | None:
        practice = await practice_at(agency, uri)
        return practice if standing_of(practice).step.label == label else None

    return await until(f"{label} at {agency.name}", there)


async def _review_at(lakeside: Agency, state: str = "") -> Review:
    async def held() -> Review | None:
        async with lakeside.instance.reading() as session:
            question = select(Review).order_by(Review.id.desc())
            found = (await session.execute(question)).scalars().first()
            return found if found is not None and state in ("", found.state) else None

    return await until("the review at Lakeside", held)


@pytest.fixture
async def practice(
    riverton: Agency, lakeside: Agency, harbor: Agency, cascadia: Agency
) -> tuple[Member, Post]:
    """Pia of Cascadia writes in Lakeside's forum, which people of all four follow."""
    forum = await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")
    copies: dict[str, Forum] = {}
    for agency in (riverton, harbor, cascadia):
        if agency is not cascadia:
            # What an author writes is held by agencies that list the author's as well.
            await agency.lists(cascadia)
        reader = await makers.member(agency.instance, "reader", name="Rea Der")
        copies[agency.name] = await agency.follow(reader, forum.uri)
    author = await makers.member(cascadia.instance, "pia", name="Pia Lund")
    post = await published(cascadia.instance, author, copies["cascadia"], agency="Cascadia Labs")
    await cascadia.sees(post.uri, state="live")
    for agency in (lakeside, riverton, harbor):
        await practice_at(agency, post.uri)
    return author, post


async def test_a_practice_is_reviewed_across_four_agencies(
    practice: tuple[Member, Post],
    riverton: Agency,
    lakeside: Agency,
    harbor: Agency,
    cascadia: Agency,
    keeping: Keeping,
) -> None:
    author, post = practice
    zora = await makers.member(riverton.instance, "zora", name=SECRET[0])
    yusuf = await makers.member(harbor.instance, "yusuf", name=SECRET[1])
    async with cascadia.instance.transaction() as tx:
        await requests.ask(tx, author, post, "Is it clear enough?")
    review = await _review_at(lakeside)
    await _asked(lakeside, lakeside.admin, review.id, riverton, harbor)
    await _author_sees(cascadia, author, post, lambda page: page.asked == 2)
    for agency, reviewer in ((riverton, zora), (harbor, yusuf)):
        task = await _named(agency, reviewer)
        assert "Cascadia Labs" not in task.record
        assert task.asked_by == "City of Lakeside"
        assert (await agency.page(f"/reviews/{task.token}", reviewer)).status_code == 200
        assert (await agency.page(f"/reviews/{task.token}")).status_code in (303, 404)
        await reviewed(agency.instance, reviewer, task.token, answers(words=f"From {agency.name}"))
    page = await _author_sees(cascadia, author, post, lambda page: page.answered == 2)
    assert (page.state, page.reviews) == ("underway", [])
    async with lakeside.instance.transaction() as tx:
        await cases.decide(tx, lakeside.admin, review.id, "accepted", "We all gain by it.")
    page = await _author_sees(cascadia, author, post, lambda page: page.state == "accepted")
    assert page.letter == "We all gain by it."
    assert {given.agency for given in page.reviews} == {"City of Riverton", "City of Harbor"}
    assert all(not given.name for given in page.reviews)

    home = await _ladder(lakeside, post.uri, "Reviewed")
    assert not standing_of(home).is_stated
    for agency in (riverton, harbor, cascadia):
        copy = await _ladder(agency, post.uri, "Reviewed")
        assert standing_of(copy).is_stated
        assert "Its home states that 2 reviewers of 2 agencies" in copy.why
    await _task(riverton, "decided")
    await _task(harbor, "decided")
    await _nobody_knows(keeping, riverton, lakeside, harbor, cascadia)
    await _named_and_revoked(review, zora, riverton, lakeside)
    for agency in (lakeside, riverton, cascadia):
        await _ladder(agency, post.uri, "Measured")
    await _author_sees(cascadia, author, post, lambda page: page.state == "withdrawn")
    await _before_it_is_published(keeping, riverton, lakeside, harbor, cascadia, zora)


async def _before_it_is_published(
    keeping: Keeping,
    riverton: Agency,
    lakeside: Agency,
    harbor: Agency,
    cascadia: Agency,
    zora: Member,
) -> None:
    """A draft of Cascadia's in Lakeside's forum is read by those who are asked, and them alone."""
    lena = await makers.member(cascadia.instance, "lena", name=UNPUBLISHED[0])
    number = await begun(
        cascadia.instance, lena, name="Counter hours", contact=UNPUBLISHED[0],
        problem=f"Queues. {UNPUBLISHED[1]}",
    )  # fmt: skip
    async with cascadia.instance.reading() as session:
        forum = (await session.execute(select(Forum.id).where(Forum.handle == "permits"))).scalar()
    assert "Permits (" in (await cascadia.page(f"/reviews/drafts/{number}", lena)).text
    async with cascadia.instance.transaction() as tx:
        await drafts.submit(tx, lena, number, forum or 0, "Is it too short?")
    first = await _review_at(lakeside, "submitted")
    async with cascadia.instance.transaction() as tx:
        await drafts.withdraw(tx, lena, number)
    gone = await _review_at(lakeside, "withdrawn")
    assert (gone.id, gone.record, gone.note) == (first.id, "", "")
    async with cascadia.instance.transaction() as tx:
        await drafts.submit(tx, lena, number, forum or 0, "Is it too short?")
    review = await _review_at(lakeside, "submitted")
    assert (review.author_id, review.post_id, review.peer) == (None, None, cascadia.host)
    case = (await lakeside.page(f"/reviews/cases/{review.id}", lakeside.admin)).text
    assert UNPUBLISHED[1] in case
    assert "sent by City of Cascadia" in case
    await _asked(lakeside, lakeside.admin, review.id, riverton)
    task = await _named(riverton, zora)
    assert (task.title, UNPUBLISHED[1] in task.record) == ("Counter hours", True)
    await reviewed(riverton.instance, zora, task.token)

    async def answered() -> bool:
        async with lakeside.instance.reading() as session:
            question = select(ReviewSeat.state).where(ReviewSeat.review_id == review.id)
            return (await session.execute(question)).scalar_one() == "answered"

    await until("the review of the draft at Lakeside", answered)
    await _outsiders_see_nothing(number, riverton, lakeside, harbor, cascadia)
    async with lakeside.instance.transaction() as tx:
        await cases.decide(tx, lakeside.admin, review.id, "accepted", "Publish it.")

    async def told() -> bool:
        async with cascadia.instance.reading() as session:
            page = await authors.draft_page(session, lena, number)
            return (page.state, page.letter, len(page.reviews)) == ("accepted", "Publish it.", 1)

    await until("the decision about the draft at Cascadia", told)
    for agency in (riverton, lakeside, harbor):
        kept = await asyncio.to_thread(keeping.content, agency.name)
        for held in (b"".join(agency.traffic.heard), kept):
            assert UNPUBLISHED[0].encode() not in held, agency.name
            assert (UNPUBLISHED[1].encode() in held) == (agency is not harbor), agency.name
    await _published_as_reviewed(cascadia, riverton, (lena, zora), number)


async def _outsiders_see_nothing(number: int, *agencies: Agency) -> None:
    """On no page of people who take no part."""
    for agency in agencies:
        other = await makers.member(agency.instance, "nosy", name="No Sy")
        for path in ("/practices", "/search?q=Counter", "/reviews", "/reviews/board", "/"):
            assert "Counter hours" not in (await agency.page(path, other)).text, path
        assert (await agency.page(f"/reviews/drafts/{number}", other)).status_code == 404


async def _published_as_reviewed(
    cascadia: Agency, riverton: Agency, people: tuple[Member, Member], number: int
) -> None:
    lena, zora = people
    cascadia.clock.turn(minutes=2)
    async with cascadia.instance.transaction() as tx:
        post = await publishing.publish(tx, lena, number)
        await drafts.ended(tx, number, post)

    async def stated() -> bool:
        async with riverton.instance.reading() as session:
            question = select(ReviewStatement).where(ReviewStatement.of == post.uri)
            said = (await session.execute(question)).scalar_one_or_none()
            return said is not None and (said.version, said.reviewers) == (1, 1)

    await until("the statement about what was published at Riverton", stated)
    own = await cascadia.page(f"/p/{post.id}/review", lena)
    assert "Publish it." in own.text
    # What she was told of the draft leads there now, and so does its address.
    for path in ("/reviews", "/notifications"):
        news = await cascadia.page(path, lena)
        assert f"/reviews/drafts/{number}" not in news.text
        assert f"/p/{post.id}/review" in news.text
    before = await cascadia.page(f"/reviews/drafts/{number}", lena)
    assert (before.status_code, before.headers["location"]) == (303, f"/p/{post.id}/review")

    async def known() -> bool:
        async with riverton.instance.reading() as session:
            question = select(ReviewTask.practice).where(ReviewTask.title == "Counter hours")
            return (await session.execute(question)).scalar_one() == post.uri

    await until("where the draft was published, at its reviewer's", known)
    assert "What you reviewed is published" in (await riverton.page("/notifications", zora)).text


async def _named_and_revoked(
    review: Review, zora: Member, riverton: Agency, lakeside: Agency
) -> None:
    # One of them agrees to be named: that name goes to the forum's home, and the other's nowhere.
    async with riverton.instance.transaction() as tx:
        task = (await tx.session.execute(select(ReviewTask))).scalar_one()
        await tasks.consent(tx, zora, await tasks.must_find(tx, task.token))

    async def named() -> bool:
        async with lakeside.instance.reading() as session:
            names = (await session.execute(select(ReviewSeat.named))).scalars().all()
            return sorted(names) == ["", SECRET[0]]

    await until("Zora's name at Lakeside", named)

    async with lakeside.instance.transaction() as tx:
        await cases.revoke(tx, lakeside.admin, review.id, "The register was wrong.")


async def _nobody_knows(keeping: Keeping, *agencies: Agency) -> None:
    """Neither reviewer's name in any byte that was sent, or that is kept away from their home."""
    for agency in agencies:
        heard = b"\n".join(agency.traffic.heard)
        assert b"review-submit" in heard or agency.name != "lakeside"
        for name in SECRET:
            assert name.encode() not in heard, f"{name} was sent to or by {agency.name}"
        kept = await asyncio.to_thread(keeping.content, agency.name)
        assert b"review_tasks" in kept
        own = {"riverton": SECRET[0], "harbor": SECRET[1]}.get(agency.name)
        for name in SECRET:
            assert (name.encode() in kept) == (name == own), f"{name} at {agency.name}"


async def test_nothing_is_left_anywhere_of_what_was_withdrawn(
    practice: tuple[Member, Post],
    riverton: Agency,
    lakeside: Agency,
    harbor: Agency,
    cascadia: Agency,
) -> None:
    author, post = practice
    zora = await makers.member(riverton.instance, "zora", name=SECRET[0])
    yusuf = await makers.member(harbor.instance, "yusuf", name=SECRET[1])
    async with cascadia.instance.transaction() as tx:
        await requests.ask(tx, author, post, "Please hurry.")
    review = await _review_at(lakeside)
    await _asked(lakeside, lakeside.admin, review.id, riverton, harbor)
    first = await _named(riverton, zora)
    await reviewed(riverton.instance, zora, first.token, answers(words="Weak numbers."))
    second = await _named(harbor, yusuf)
    async with harbor.instance.transaction() as tx:
        # He hands it back, and his agency says no.
        await tasks.decline(tx, yusuf, await tasks.must_find(tx, second.token), "No time")
    async with harbor.instance.transaction() as tx:
        found = await tasks.must_find(tx, second.token)
        assert (found.state, found.member_id) == ("offered", None)
        await tasks.decline(tx, harbor.admin, found, "Nobody has time")

    async def heard() -> bool:
        async with lakeside.instance.reading() as session:
            seats = (await session.execute(select(ReviewSeat))).scalars().all()
            return {seat.state for seat in seats} == {"answered", "declined"}

    await until("both answers at Lakeside", heard)
    async with cascadia.instance.transaction() as tx:
        await requests.withdraw(tx, author, post)
    await _task(riverton, "closed")
    async with lakeside.instance.reading() as session:
        held = (await session.execute(select(Review))).scalar_one()
        assert (held.state, held.note, held.record) == ("withdrawn", "", "")
        assert (await session.execute(select(ReviewStatement))).first() is None
    for agency in (lakeside, riverton, harbor):
        async with agency.instance.reading() as session:
            bodies = select(func.count()).where(ActivityBody.body.contains("Weak numbers"))
            assert (await session.execute(bodies)).scalar_one() == 0
            for row in (await session.execute(select(ReviewTask))).scalars():
                assert (row.record, row.answers) == ("", "")
    again = await _author_sees(cascadia, author, post, lambda page: page.state == "withdrawn")
    assert again.may_submit
