# SPDX-License-Identifier: Apache-2.0
"""A mentee at Riverton and a mentor at Lakeside, while Harbor learns nothing."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text

from federation.mentoring import pulling
from server import peers
from server.errors import NotAllowed
from server.mentoring import (
    agreements,
    asks,
    cards,
    drafts,
    entries,
    meeting,
    needs,
    notices,
    pairs,
    room,
    tending,
)
from server.mentoring.needs import Suggestion
from storage.base import Base
from storage.log import ActivityBody, LogRow
from storage.members import Member
from storage.mentoring import (
    Match,
    MatchState,
    MentorCard,
    Need,
    NeedState,
    Pairing,
    PairState,
    Pull,
)
from storage.passing import PassingBody
from storage.peers import Peer
from tests import makers
from tests.journeys.agency import Agency, until
from tests.server.mentoring import bench

WORDS = "Zwölf Anträge a day, and I do not know where to begin."
SECRETS = (
    "zqprivateqz",
    "First look",
    "Cut our permit times",
    "Zwölf",
    "mentoring-offer",
    "#agreement-",
)


async def everything(agency: Agency) -> str:
    """Every row of every table, as one text."""
    found = []
    async with agency.instance.reading() as session:
        for table in Base.metadata.sorted_tables:
            rows = await session.execute(text(f'SELECT * FROM "{table.name}"'))  # noqa: S608
            found += [repr(row) for row in rows]
    return "\n".join(found)


async def suggested(agency: Agency, member: Member, need: Need) -> Suggestion:
    """The best mentor for a need, once both other agencies were asked for theirs."""

    async def first() -> Suggestion | None:
        async with agency.instance.reading() as session:
            page = await needs.page(session, agency.instance, member, need.id)
        return page.suggestions[0] if len(page.suggestions) == 2 else None

    return await until(f"mentors for {member.handle} at {agency.name}", first)


async def acquainted(*agencies: Agency) -> None:
    """Wait until each knows that the others run what it runs: before, nobody is shown a card."""
    for agency in agencies:

        async def knows(agency: Agency = agency) -> bool:
            question = select(Peer.host).where(Peer.software == peers.GUILDHALL)
            async with agency.instance.reading() as session:
                return len((await session.execute(question)).all()) == len(agencies) - 1

        await until(f"{agency.name} knows the others", knows)


async def match_at(agency: Agency, uri: str, state: str) -> Match:
    async def so() -> Match | None:
        async with agency.instance.reading() as session:
            question = select(Match).where(Match.uri == uri, Match.state == state)
            return (await session.execute(question)).scalar_one_or_none()

    return await until(f"the match {uri} as {state} at {agency.name}", so)


async def pairing_at(agency: Agency, uri: str, state: str = PairState.ACTIVE) -> Pairing:
    async def so() -> Pairing | None:
        async with agency.instance.reading() as session:
            question = select(Pairing).where(Pairing.uri == uri, Pairing.state == state)
            return (await session.execute(question)).scalar_one_or_none()

    return await until(f"the pair {uri} as {state} at {agency.name}", so)


async def asked(agency: Agency, member: Member, need: Need, card: MentorCard) -> Match:
    async with agency.instance.transaction() as tx:
        return await asks.ask(tx, member, need.id, card.id, WORDS)


@pytest.mark.fep("0837")
async def test_two_agencies_match_and_a_third_never_learns_of_it(
    riverton: Agency, lakeside: Agency, harbor: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found, asked, accepted and ended; asked again without a name, and declined."""
    monkeypatch.setattr(pulling, "AT_ONCE", 1)  # As where there are very many agencies.
    await riverton.lists(harbor)
    await harbor.lists(riverton)
    ana = await makers.member(riverton.instance, "ana")
    marek = await makers.member(lakeside.instance, "marek", name="Marek Nowak")
    hana = await makers.member(harbor.instance, "hana", name="Hana Silva")
    await bench.card(lakeside.instance, marek)
    await bench.card(harbor.instance, hana, **{"skill.0": "Beekeeping"})
    place = await bench.programme(riverton.instance, riverton.admin)
    for agency in (lakeside, harbor):
        await bench.programme(agency.instance, agency.admin)
    await acquainted(riverton, lakeside, harbor)
    # A request has those agencies asked again that were asked half a minute ago, or earlier.
    riverton.clock.turn(minutes=1)
    need = await bench.need(riverton.instance, ana, place)

    best = await suggested(riverton, ana, need)
    assert (best.card.name, best.card.agency) == ("Marek Nowak", "City of Lakeside")
    assert best.card.member_id is None
    assert best.score.reasons[0].points > 0
    match = await asked(riverton, ana, need, best.card)
    there = await match_at(lakeside, match.uri, MatchState.ASKED)
    async with lakeside.instance.reading() as session:
        page = await asks.page(session, marek, there.id)
    assert page.mentee is not None
    assert (page.mentee.name, page.mentee.agency) == ("Ana Ruiz", "City of Riverton")
    assert page.told.message == WORDS
    assert page.told.wanted.goal == "", "the goal stays at home"
    assert page.score == best.score

    await _taken_and_ended(riverton, lakeside, ana, marek, there)
    await _without_a_name(riverton, lakeside, ana, marek)
    await _nothing_at(harbor)


async def _taken_and_ended(
    riverton: Agency, lakeside: Agency, ana: Member, marek: Member, there: Match
) -> None:
    async with lakeside.instance.transaction() as tx:
        await asks.accept(tx, marek, there.id)
    here = await match_at(riverton, there.uri, MatchState.ACCEPTED)
    pair = await pairing_at(riverton, there.uri)
    await pairing_at(lakeside, there.uri)
    async with riverton.instance.reading() as session:
        assert (await session.get_one(Need, here.need_id)).state == NeedState.MATCHED
        assert (await meeting.page(session, ana, pair.id)).other.name == "Marek Nowak"
    await _they_meet(riverton, lakeside, ana, marek, there.uri)
    async with riverton.instance.transaction() as tx:
        await pairs.end(tx, ana, pair.id)
    await pairing_at(lakeside, there.uri, PairState.ENDED)
    async with lakeside.instance.reading() as session:
        card = (await cards.page(session, marek)).card
        assert card is not None
        assert (card.taken, card.is_open) == (0, True)


async def _they_meet(
    riverton: Agency, lakeside: Agency, ana: Member, marek: Member, uri: str
) -> None:
    """Terms, a message, a session that was held, a goal, a private note and a pause."""
    mine, theirs = (await pairing_at(riverton, uri)).id, (await pairing_at(lakeside, uri)).id
    terms = agreements.read({"goals": "Ten checks.", "confidentiality": "between-us"})
    session: dict[str, Any] = {
        "kind": "session",
        "title": "First look",
        "minutes": 45,
        "text": "- the list",
    }
    session["starts"] = riverton.clock.now() + timedelta(days=3)
    async with riverton.instance.transaction() as tx:
        await agreements.propose(tx, ana, mine, terms)
        said = drafts.read({"kind": "message", "text": "Hello **Marek**, zqprivateqz."})
        await entries.write(tx, ana, mine, said, shared=True)
        await entries.write(tx, ana, mine, drafts.read(session), shared=True)
        goal = drafts.read({"kind": "goal", "title": "Ten checks in use"})
        aim = await entries.write(tx, ana, mine, goal, shared=True)
        note = drafts.read({"kind": "note", "text": "zqonlyanaqz"})
        await entries.write(tx, ana, mine, note, shared=False)
        on_the_way = drafts.read({"kind": "check-in", "text": "Three.", "parent": aim.uri})
        await entries.write(tx, ana, mine, on_the_way, shared=True)

    async def arrived() -> meeting.MeetingPage | None:
        async with lakeside.instance.reading() as opened:
            page = await meeting.page(opened, marek, theirs)
        return page if page.goals and page.goals[0].check_ins else None

    seen = await until("what Ana shares at Lakeside", arrived)
    assert seen.terms == terms
    assert seen.waits_for_me
    assert "<strong>Marek</strong>" in seen.messages[0].html
    assert (seen.sessions[0].starts, seen.sessions[0].minutes) == (session["starts"], 45)
    assert seen.notes == []
    assert "zqonlyanaqz" not in await everything(lakeside)
    await _thought_better(riverton, lakeside, (ana, mine), (marek, theirs))
    async with lakeside.instance.transaction() as tx:
        await agreements.agree(tx, marek, theirs, 1)
        await entries.mark(tx, marek, theirs, seen.sessions[0].id, "held")
        await agreements.change(tx, marek, theirs, agreements.PAUSED)

    async def paused() -> meeting.MeetingPage | None:
        async with riverton.instance.reading() as opened:
            page = await meeting.page(opened, ana, mine)
        return page if page.pairing.state == PairState.PAUSED else None

    seen = await until("Marek's pause at Riverton", paused)
    assert seen.is_agreed
    assert seen.sessions[0].state == "held"
    assert "zqonlyanaqz" in seen.notes[0].source


async def _thought_better(
    riverton: Agency, lakeside: Agency, here: tuple[Member, int], there: tuple[Member, int]
) -> None:
    """A message changed and one taken back are so at both, and nothing that was sent is kept."""
    (ana, mine), (marek, theirs) = here, there
    async with riverton.instance.transaction() as tx:
        page = await meeting.page(tx.session, ana, mine)
        hello = page.messages[0].id
        better = drafts.read({"kind": "message", "text": "Good day, Marek."})
        await entries.change(tx, ana, (mine, hello), better, after=0)
        regretted = drafts.read({"kind": "message", "text": "zqregrettedqz"})
        late = await entries.write(tx, ana, mine, regretted, shared=True)

    async def so(words: list[str]) -> list[str] | None:
        async with lakeside.instance.reading() as opened:
            page = await meeting.page(opened, marek, theirs)
        return words if [one.source for one in page.messages] == words else None

    await until("the better message", partial(so, ["Good day, Marek.", "zqregrettedqz"]))
    async with riverton.instance.transaction() as tx:
        await entries.remove(tx, ana, mine, late.id)
    await until("the message taken back", partial(so, ["Good day, Marek.", ""]))

    async def scrubbed() -> bool:
        await tending.tend(riverton.instance)
        async with riverton.instance.reading() as session:
            return not (await session.execute(select(PassingBody.seq))).all()

    await until("nothing is on its way", scrubbed)
    for agency in (riverton, lakeside):
        held = await everything(agency)
        assert "zqregrettedqz" not in held
        assert "zqprivateqz" not in held
    assert not [row for row in await bodies(riverton) if "mentoring-" in row or "Marek." in row]
    async with lakeside.instance.reading() as session:
        kinds = {one.kind for one in await notices.latest(session, marek)}
    assert kinds == {"asked", "terms", "message", "session", "written"}


async def bodies(agency: Agency) -> list[str]:
    """What is kept of activities that were sent."""
    async with agency.instance.reading() as session:
        rows = (await session.execute(select(ActivityBody.body))).scalars()
        return [body for body in rows if body]


async def _without_a_name(riverton: Agency, lakeside: Agency, ana: Member, marek: Member) -> None:
    async with riverton.instance.reading() as session:
        place = (await room.page(session, ana)).programmes[0]
    riverton.clock.turn(minutes=1)
    need = await bench.need(riverton.instance, ana, place, anonymous="yes")
    best = await suggested(riverton, ana, need)
    match = await asked(riverton, ana, need, best.card)
    there = await match_at(lakeside, match.uri, MatchState.ASKED)
    assert there.mentee_id is None
    seen = await lakeside.page(f"/mentoring/asks/{there.id}", marek)
    assert "Somebody of riverton.localhost" in seen.text
    assert "Ana Ruiz" not in seen.text
    assert "/u/ana" not in seen.text
    async with lakeside.instance.transaction() as tx:
        await asks.accept(tx, marek, there.id)
    await pairing_at(riverton, match.uri)
    theirs = await pairing_at(lakeside, match.uri)
    seen = await lakeside.page(f"/mentoring/pairs/{theirs.id}", marek)
    assert "Ana Ruiz" in seen.text
    async with lakeside.instance.transaction() as tx:
        await pairs.end(tx, marek, theirs.id)
    await pairing_at(riverton, match.uri, PairState.ENDED)

    riverton.clock.turn(minutes=1)
    second = await bench.need(riverton.instance, ana, place)
    best = await suggested(riverton, ana, second)
    match = await asked(riverton, ana, second, best.card)
    there = await match_at(lakeside, match.uri, MatchState.ASKED)
    async with lakeside.instance.transaction() as tx:
        await asks.decline(tx, marek, there.id, "Not this spring.")
    here = await match_at(riverton, match.uri, MatchState.DECLINED)
    assert here.reason == "Not this spring."
    with pytest.raises(NotAllowed, match="asked this mentor already"):
        await asked(riverton, ana, second, best.card)


async def _nothing_at(harbor: Agency) -> None:
    """Harbor fetched cards and showed its own; nothing else went there, or stands there."""

    async def pulled() -> bool:
        async with harbor.instance.reading() as session:
            held = {row.host: row.held for row in (await session.execute(select(Pull))).scalars()}
        return len(held) == 2 and sum(held.values()) == 1

    # Those are asked once more that did not know Harbor yet.
    harbor.clock.turn(minutes=11)
    harbor.instance.wake()
    await until("Harbor's own pulls", pulled)
    held = await everything(harbor)
    assert "Beekeeping" in held
    assert "Marek Nowak" in held, "cards are for every listed agency with a programme"
    for secret in SECRETS:
        assert secret not in held, secret
    async with harbor.instance.reading() as session:
        assert list((await session.execute(select(LogRow))).scalars()) == []
        assert list((await session.execute(select(ActivityBody))).scalars()) == []
