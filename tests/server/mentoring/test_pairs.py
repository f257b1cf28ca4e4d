# SPDX-License-Identifier: Apache-2.0
"""Asking, answering and meeting, between two members of one agency."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from federation import sharing
from federation.posts import to_wire
from server.errors import Invalid, NotAllowed, NotFound, Refusal, TooFast
from server.mentoring import (
    agreements,
    asks,
    cards,
    desk,
    drafts,
    entries,
    invitations,
    meeting,
    needs,
    pairs,
    posting,
)
from storage.letters import Letter
from storage.log import LogRow
from storage.members import Member, MemberState
from storage.mentoring import (
    Match,
    MatchState,
    Pairing,
    PairState,
)
from storage.mentoring import pairs as pairings
from tests import makers
from tests.server.mentoring import bench
from tests.server.mentoring.office import Office, told


async def test_the_last_place_goes_to_one_and_is_free_again_when_they_part(office: Office) -> None:
    first = await office.asks(office.ana, await office.needs(office.ana))
    second = await office.asks(office.dee, await office.needs(office.dee, anonymous="yes"))
    async with office.instance.reading() as session:
        page = await asks.page(session, office.tom, second.id)
        assert page.mentee is None
        with pytest.raises(NotFound):
            await asks.page(session, office.sam, first.id)
        with pytest.raises(NotFound):
            await asks.page(session, office.ana, first.id)
    async with office.instance.transaction() as tx:
        await asks.accept(tx, office.tom, first.id)
        with pytest.raises(NotAllowed, match="no place free"):
            await asks.accept(tx, office.tom, second.id)
    async with office.instance.transaction() as tx:
        pairing = await pairings.pairing_by_uri(tx.session, first.uri)
        assert pairing is not None
        with pytest.raises(NotFound):
            await pairs.end(tx, office.dee, pairing.id)
        await pairs.end(tx, office.ana, pairing.id)
        await asks.accept(tx, office.tom, second.id)
    async with office.instance.reading() as session:
        taken = await asks.page(session, office.tom, second.id)
        assert taken.mentee is not None
        assert taken.mentee.handle == "dee"
        letters = (await session.execute(select(Letter.text).order_by(Letter.id))).scalars().all()
        assert list((await session.execute(select(LogRow))).scalars()) == []
    assert await told(office, office.tom) == ["asked", "asked", "parted"]
    assert await told(office, office.ana) == ["accepted"]
    assert "Ana Ruiz asks you to mentor them." in letters[0]
    assert letters[1].startswith("Somebody asks you to mentor them.")
    assert all("Would you" not in one for one in letters)


async def test_an_answer_comes_in_time_or_not_at_all(office: Office) -> None:
    need = await office.needs(office.ana)
    match = await office.asks(office.ana, need)
    with pytest.raises(NotAllowed, match="already"):
        await office.asks(office.ana, need)
    office.instance.clock.turn(days=8)  # type: ignore[attr-defined]
    async with office.instance.transaction() as tx:
        with pytest.raises(NotAllowed, match="run out"):
            await asks.accept(tx, office.tom, match.id)
        assert await asks.expire(tx) == 1
    again = await office.asks(office.ana, need)
    async with office.instance.transaction() as tx:
        with pytest.raises(NotFound):
            await asks.withdraw(tx, office.dee, again.id)
        await asks.close_need(tx, office.ana, need.id)
        assert (await tx.session.get_one(Match, again.id)).state == MatchState.WITHDRAWN
        with pytest.raises(NotAllowed):
            await asks.decline(tx, office.tom, again.id)
    # What was taken back, or has run out, no longer waits for the mentor.
    assert await told(office, office.tom) == []
    assert await told(office, office.ana) == ["expired"]


async def test_one_may_ask_three_and_nobody_whom_a_rule_keeps_apart(office: Office) -> None:
    need = await office.needs(office.ana, not_with="tom")
    with pytest.raises(NotAllowed, match="ruled the other out"):
        await office.asks(office.ana, need)
    need = await office.needs(office.ana, not_with="")
    mentors = [await makers.member(office.instance, f"mentor{n}") for n in range(4)]
    held = [await bench.card(office.instance, one) for one in mentors]
    async with office.instance.transaction() as tx:
        for card in held[:3]:
            await asks.ask(tx, office.ana, need.id, card.id, "Hello.")
        with pytest.raises(TooFast):
            await asks.ask(tx, office.ana, need.id, held[3].id, "Hello.")
        with pytest.raises(NotFound):
            await asks.ask(tx, office.dee, need.id, held[3].id, "Hello.")
    async with office.instance.reading() as session:
        page = await needs.page(session, office.instance, office.ana, need.id)
        shown = {one.card.id for one in page.suggestions}
        assert shown == {held[3].id, office.card.id}
        with pytest.raises(NotFound):
            await needs.page(session, office.instance, office.sam, need.id)


async def test_a_steward_proposes_and_sees_totals_of_five_and_more_only(office: Office) -> None:
    need = await office.needs(office.ana, anonymous="yes")
    async with office.instance.transaction() as tx:
        with pytest.raises(NotAllowed):
            await desk.propose(tx, office.tom, office.programme, need.id, office.card.id)
        await desk.propose(tx, office.sam, office.programme, need.id, office.card.id)
        with pytest.raises(NotAllowed, match="already"):
            await desk.propose(tx, office.sam, office.programme, need.id, office.card.id)
    async with office.instance.reading() as session:
        page = await desk.page(session, office.instance, office.sam, office.programme)
        assert page.needs[0].mentee is None
        assert {total.count for total in page.totals} == {None}
        proposed = (await session.execute(select(Match))).scalar_one()
        with pytest.raises(NotFound):
            await asks.page(session, office.tom, proposed.id)
    for n in range(4):
        await office.needs(await makers.member(office.instance, f"seeker{n}"))
    async with office.instance.reading() as session:
        page = await desk.page(session, office.instance, office.sam, office.programme)
        assert page.totals[0].count == desk.LEAST
        assert len(page.needs) == desk.LEAST
    async with office.instance.transaction() as tx:
        seeker = await tx.session.get_one(Member, page.needs[-1].need.member_id)
        seeker.state = MemberState.SUSPENDED
    async with office.instance.reading() as session:
        page = await desk.page(session, office.instance, office.sam, office.programme)
        assert len(page.needs) == desk.LEAST - 1
    await office.asks(office.ana, need)


async def test_what_a_pair_writes_is_for_the_two_and_notes_for_one(office: Office) -> None:
    pairing = await office.paired()
    await office.write(office.ana, pairing, kind="message", text="<script>x</script> *Hello*")
    await office.write(office.ana, pairing, shared=False, kind="note", text="Only me.")
    report = await office.write(office.ana, pairing, kind="report", text="He never came.")
    starts = datetime(2027, 3, 28, 7, 30, tzinfo=UTC)
    session_ = await office.write(
        office.tom, pairing, kind="session", title="First look", starts=starts, minutes=45
    )
    async with office.instance.reading() as session:
        for reader, notes in ((office.ana, 1), (office.tom, 0)):
            page = await meeting.page(session, reader, pairing.id)
            assert "<script>" not in page.messages[0].html
            assert "<em>Hello</em>" in page.messages[0].html
            assert len(page.notes) == notes
            assert page.zone == ("America/Chicago" if reader is office.tom else "America/New_York")
        for stranger in (office.dee, office.sam):
            with pytest.raises(NotFound):
                await meeting.page(session, stranger, pairing.id)
            with pytest.raises(NotFound):
                await invitations.session_of(session, stranger, pairing.id, session_.id)
        assert (await told(office, office.sam)) == ["reported"]
        desk_page = await desk.page(session, office.instance, office.sam, office.programme)
        assert [one.entry.id for one in desk_page.reports] == [report.id]
    async with office.instance.transaction() as tx:
        with pytest.raises(NotFound):
            await entries.mark(tx, office.tom, pairing.id, report.id, "done")
        with pytest.raises(Invalid):
            await entries.mark(tx, office.ana, pairing.id, session_.id, "done")
        await entries.mark(tx, office.ana, pairing.id, session_.id, "cancelled")
    made = invitations.written(session_, office.ana, "http://x/mentoring/pairs/1", starts)
    event = icalendar.Calendar.from_ical(made).walk("VEVENT")[0]
    assert event.decoded("dtstart") == starts
    assert event.decoded("dtend") == starts + timedelta(minutes=45)
    assert str(event["summary"]) == "First look (Ana Ruiz)"
    assert "@riverton.example.gov" not in made.decode()


async def test_every_message_of_a_long_talk_can_be_reached(
    office: Office, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "MOST_SHOWN", 2)
    pairing = await office.paired()
    written = [
        (await office.write(office.ana, pairing, kind="message", text=f"Word {n}")).id
        for n in range(5)
    ]
    address, shown = f"/mentoring/pairs/{pairing.id}", []
    async with makers.browser(app) as browser:
        await makers.sign_in(browser, office.instance, office.tom)
        while True:
            page = await browser.get(address)
            assert page.status_code == 200
            shown.append([int(n) for n in re.findall(r'data-entry="(\d+)"', page.text)])
            on = re.search(r'rel="next" href="([^"]+)"', page.text)
            if on is None:
                break
            address = on[1]
    assert shown == [written[3:], written[1:3], written[:1]]


async def test_terms_count_once_both_agree_and_a_pause_rests(office: Office) -> None:
    pairing = await office.paired()
    terms = agreements.read({"goals": "Ten checks.", "confidentiality": "lessons"})
    async with office.instance.transaction() as tx:
        held = await agreements.propose(tx, office.ana, pairing.id, terms)
        assert not agreements.is_agreed(held)
        with pytest.raises(NotAllowed, match="changed meanwhile"):
            await agreements.agree(tx, office.tom, pairing.id, 7)
        assert agreements.is_agreed(await agreements.agree(tx, office.tom, pairing.id, 1))
        await agreements.propose(tx, office.tom, pairing.id, terms)
        assert not agreements.is_agreed(held)
        await agreements.change(tx, office.tom, pairing.id, agreements.PAUSED)
    with pytest.raises(NotAllowed, match="pausing"):
        await office.write(office.ana, pairing, kind="message", text="Hello?")
    async with office.instance.transaction() as tx:
        await agreements.change(tx, office.ana, pairing.id, agreements.RESUMED)
        with pytest.raises(NotFound):
            await meeting.certificate(tx.session, office.ana, pairing.id)
        await agreements.change(tx, office.ana, pairing.id, agreements.COMPLETED)
        done = await meeting.certificate(tx.session, office.tom, pairing.id)
        assert (done.sessions, done.skills[0]) == (0, "Digital permits")
    await office.write(office.ana, pairing, shared=False, kind="feedback", rating=5)
    with pytest.raises(NotAllowed, match="has ended"):
        await office.write(office.ana, pairing, kind="message", text="Hello?")


async def test_an_offer_is_posted_in_a_forum_only_when_its_owner_chooses(office: Office) -> None:
    forum = await makers.forum(office.instance, office.sam)
    async with office.instance.transaction() as tx:
        with pytest.raises(NotAllowed, match="mentor card first"):
            await posting.post(tx, office.ana, forum.id)
        with pytest.raises(Invalid):
            await posting.post(tx, office.tom, 1)
        made = await posting.post(tx, office.tom, forum.id)
    assert made.title == "I offer to mentor: Digital permits, Plain language"
    assert "<li>Digital permits (expert)</li>" in made.html
    assert "tom@" not in made.html
    async with office.instance.reading() as session:
        document = to_wire(await sharing.shared(session, made))
    assert (document["type"], document["purpose"]) == ("Article", "offer")
    assert document["publishes"]["action"] == "deliverService"
    assert "gh:mentorCard" not in document


async def test_of_two_terms_made_at_once_both_sides_keep_the_mentors() -> None:
    one, two = (agreements.read({"goals": goals, "confidentiality": "open"}) for goals in "ab")
    sides = []
    for first_is_mentor in (True, False):
        held = Pairing(terms="{}", terms_number=0, mentor_agreed=0, mentee_agreed=0)
        for by_mentor in (first_is_mentor, not first_is_mentor):
            terms = one if by_mentor else two
            agreements.apply_terms(held, terms, 1, by_mentor=by_mentor)
        sides.append(agreements.of(held))
    assert sides == [one, one]


@pytest.mark.parametrize("way", ["flash", "group"])
async def test_flash_is_one_conversation_and_a_group_is_told_together(
    office: Office, way: str
) -> None:
    async with office.instance.transaction() as tx:
        draft = cards.read({**bench.CARD, way: "yes", "capacity": "3"}, office.instance.settings)
        await cards.keep(tx, office.tom, draft)
    pairing = await office.paired()
    now = office.instance.clock.now()
    said: dict[str, Any] = {"kind": "session", "title": "Together", "starts": now, "minutes": 30}
    if way == "flash":
        entry = await office.write(office.tom, pairing, **said)
        async with office.instance.transaction() as tx:
            await entries.mark(tx, office.ana, pairing.id, entry.id, "held")
            assert (await pairs.own(tx.session, office.tom, pairing.id)).state == (
                PairState.COMPLETED
            )
        return
    match = await office.asks(office.dee, await office.needs(office.dee))
    async with office.instance.transaction() as tx:
        await asks.accept(tx, office.tom, match.id)
        draft_ = drafts.read(said)
        with pytest.raises(NotAllowed):
            await entries.write_to_group(tx, office.ana, pairing.id, draft_)
        assert await entries.write_to_group(tx, office.tom, pairing.id, draft_) == 2


@pytest.mark.parametrize(
    "made",
    [
        {}, {"kind": "song"}, {"kind": ["message"], "text": "x"}, {"kind": "message", "text": ""},
        {"kind": "message", "text": "x" * 9_000}, {"kind": "session", "title": "x", "minutes": 30},
        {"kind": "action", "title": "x", "due": "2027-02-30"}, {"kind": "feedback", "rating": 6},
        {"kind": "feedback", "rating": True}, {"kind": "goal", "title": "x", "state": "held"},
        {"kind": "goal", "title": 7}, {"kind": "note", "text": None},
    ],
)  # fmt: skip
def test_an_entry_that_is_not_whole_is_refused_in_words(made: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        drafts.read(made)
    assert refused.value.sentence.endswith(".")
