# SPDX-License-Identifier: Apache-2.0
"""A match is between two: no third agency, and no neighbour, gets a word in."""

from datetime import timedelta

from sqlalchemy import func, select

from federation.mentoring import entries, wire
from federation.mentoring.entries import Between, SharedEntry
from federation.mentoring.wire import Asked, Parties
from server.mentoring import agreements, asks, cards, drafts
from server.mentoring.agreements import Heard
from server.mentoring.asks import Told as ToldOfNeed
from server.mentoring.cards import Arrived
from server.mentoring.elsewhere import NOT_AVAILABLE
from server.mentoring.profiles import offered, wanted
from storage.members import Member
from storage.mentoring import (
    Entry,
    Match,
    MatchState,
    MentorCard,
    Pairing,
    PairState,
    Programme,
)
from tests import makers
from tests.hostile.commons import Commons
from tests.hostile.peer import Json, ScriptedPeer, mallory, vera
from tests.server.mentoring import bench

CARDS = "/instance/mentors?programme=open"
LOOK = wanted({"v": 1, "skills": ["Permits"], "languages": ["en"], "zone": "UTC", "hours": 1})


def asking(gh: Commons, peer: ScriptedPeer, mentor: Member, number: int) -> tuple[Parties, Json]:
    """Vera asks a mentor of ours."""
    agreement = f"{peer.origin}/instance#agreement-{number}"
    parties = Parties(agreement, f"{vera(peer)}#mentoring-offer-{number}", mentor.uri)
    asked = Asked(
        agreement, f"{mentor.uri}#mentor-card", "one-to-one", ToldOfNeed(LOOK, "Would you?"),
        gh.clock.now() + timedelta(days=7),
    )  # fmt: skip
    return parties, wire.offer(parties, asked)


async def states(gh: Commons) -> list[str]:
    async with gh.instance.reading() as session:
        return list((await session.execute(select(Match.state).order_by(Match.id))).scalars())


async def written(gh: Commons) -> int:
    async with gh.instance.reading() as session:
        return (await session.execute(select(func.count(Entry.id)))).scalar_one()


async def opened(gh: Commons, *agencies: ScriptedPeer) -> Member:
    """Tom, a mentor of ours with one place, and a programme; the agencies run what we run."""
    await gh.is_guildhall(*(peer.host for peer in agencies))
    tom = await makers.member(gh.instance, "tom")
    await bench.card(gh.instance, tom)
    await bench.programme(gh.instance, gh.admin)
    return tom


async def test_cards_are_for_agencies_that_show_theirs(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, third: ScriptedPeer
) -> None:
    await opened(gh, vic)
    shown = (await gh.get(CARDS, vic)).json()
    assert [item["gh:mentorCard"]["handle"] for item in shown["items"]] == ["tom"]
    assert not {"capacity", "taken", "notWith"} & set(shown["items"][0]["gh:mentorCard"])
    assert (await gh.get(CARDS.partition("?")[0], vic)).status_code == 404
    assert (await gh.get(CARDS, evil)).status_code == 404, "other software, though it is listed"
    assert (await gh.get(CARDS, third)).status_code == 403
    assert (await gh.get(CARDS)).status_code == 401


async def test_only_who_asked_takes_it_back_and_only_the_pair_writes(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    tom = await opened(gh, vic, evil)
    parties, offer = asking(gh, vic, tom, 1)
    forged = {**asking(gh, evil, tom, 1)[1], "object": offer["object"]}
    assert (await gh.sent(evil, forged)).state == "refused"
    assert (await gh.sent(vic, offer)).state == "applied"
    for thief in (mallory(evil), mallory(vic)):
        peer = evil if thief == mallory(evil) else vic
        undo = {**wire.undo_offer(parties), "actor": thief, "id": f"{thief}#mentoring-undo-1"}
        assert (await gh.sent(peer, undo)).state in {"refused", "ignored"}
    assert await states(gh) == [MatchState.ASKED]
    vic.requests.clear()
    async with gh.instance.transaction() as tx:
        match = (await tx.session.execute(select(Match))).scalar_one()
        await asks.accept(tx, tom, match.id)
    await gh.settled()
    assert [one["type"] for one in vic.delivered] == ["Accept"]
    assert evil.delivered == []
    assert await gh.announced() == ["Create"], "the thread that was there before, alone"
    await _strangers_write(gh, vic, evil, parties, tom)
    late = asking(gh, vic, tom, 2)[1]
    nowhere = asking(gh, vic, gh.admin, 3)[1]
    vic.requests.clear()
    for one in (late, nowhere):
        assert (await gh.sent(vic, one)).state == "applied"
    assert {one["content"] for one in vic.delivered} == {NOT_AVAILABLE}
    undone = await gh.sent(vic, wire.undo_offer(parties))
    assert undone.state == "applied"
    async with gh.instance.reading() as session:
        assert (await session.execute(select(Pairing.state))).scalar_one() == PairState.ENDED


async def _strangers_write(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, parties: Parties, tom: Member
) -> None:
    """Nobody but Vera puts an entry, terms or a pause into what is hers and Tom's."""
    draft = drafts.read({"kind": "message", "text": "Hello."})
    for peer, who in ((evil, mallory(evil)), (vic, mallory(vic))):
        between = Between(parties.agreement, who, tom.uri)
        shared = SharedEntry(f"{peer.origin}/instance#entry-1", who, 0, draft)
        assert (await gh.sent(peer, entries.entry(between, shared))).state == "refused"
        pause = entries.told(between, Heard(agreements.PAUSED), 1)
        assert (await gh.sent(peer, pause)).state == "refused"
    between = Between(parties.agreement, vera(vic), tom.uri)
    elsewhere = SharedEntry(f"{evil.origin}/instance#entry-2", vera(vic), 0, draft)
    assert (await gh.sent(vic, entries.entry(between, elsewhere))).state == "refused"
    of_tom = SharedEntry(f"{vic.origin}/instance#entry-3", tom.uri, 0, draft)
    assert (await gh.sent(vic, entries.entry(between, of_tom))).state == "refused"
    assert await written(gh) == 0
    own = SharedEntry(f"{vic.origin}/instance#entry-4", vera(vic), 0, draft)
    assert (await gh.sent(vic, entries.entry(between, own))).state == "applied"
    assert await written(gh) == 1


async def test_only_the_mentor_who_was_asked_accepts(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await opened(gh, vic, evil)
    ana = await makers.member(gh.instance, "ana")
    async with gh.instance.transaction() as tx:
        made = offered({**bench_document(), "formats": ["one-to-one"]})
        uri = f"{vera(vic)}#mentor-card"
        card = Arrived(uri, vera(vic), "vera", "Vera", "", made, is_open=True)
        assert await cards.hold(tx, vic.host, "Vic", [card]) == 1
    async with gh.instance.reading() as session:
        question = select(MentorCard.id).where(MentorCard.peer == vic.host)
        number = (await session.execute(question)).scalar_one()
        place = (await session.execute(select(Programme))).scalars().first()
    assert place is not None
    need = await bench.need(gh.instance, ana, place)
    vic.requests.clear()
    async with gh.instance.transaction() as tx:
        match = await asks.ask(tx, ana, need.id, number, "Would you?")
    await gh.settled()
    offers = [one for one in vic.delivered if one["type"] == "Offer"]
    assert [one["actor"] for one in offers] == [ana.uri]
    assert "Cut our permit times" not in str(offers)
    assert evil.delivered == []
    for peer, who in ((evil, mallory(evil)), (vic, mallory(vic))):
        theirs = wire.accept(Parties(match.uri, match.offer, who), uri)
        assert (await gh.sent(peer, theirs)).state in {"refused", "ignored"}
    assert await states(gh) == [MatchState.ASKED]
    honest = wire.accept(Parties(match.uri, match.offer, vera(vic)), uri)
    assert (await gh.sent(vic, honest)).state == "applied"
    assert await states(gh) == [MatchState.ACCEPTED]


def bench_document() -> Json:
    return {
        "v": 1, "skills": [{"name": "Digital permits", "level": 3}], "languages": ["en"],
        "zone": "UTC", "hours": 3,
    }  # fmt: skip
