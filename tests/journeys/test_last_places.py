# SPDX-License-Identifier: Apache-2.0
"""People of two agencies who want the last place, on either database."""

import asyncio

import pytest
from sqlalchemy import select

from server.errors import NotAllowed
from server.mentoring import asks, needs
from storage.events import GuestState
from storage.forums import Forum
from storage.members import Member
from storage.mentoring import Match, MatchState, MentorCard, Need, Pairing
from storage.posts import Kind
from tests import makers
from tests.databases import EITHER
from tests.journeys.agency import Agency, until
from tests.journeys.test_events import counts, stands, told, wants
from tests.journeys.test_mentoring import acquainted, asked, match_at
from tests.server.calendar.bench import announced
from tests.server.mentoring import bench


@pytest.mark.parametrize("kept_in", EITHER, indirect=True)
async def test_the_last_place_of_an_event_and_of_a_mentor_goes_to_one_of_two(
    riverton: Agency, lakeside: Agency
) -> None:
    forum = await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")
    ana = await makers.member(riverton.instance, "ana")
    dee = await makers.member(lakeside.instance, "dee", name="Dee Park")
    await riverton.follow(ana, forum.uri)
    await _at_an_event(riverton, lakeside, ana, dee, forum)
    await _at_a_mentor(riverton, lakeside, ana, dee)


async def _at_an_event(
    riverton: Agency, lakeside: Agency, ana: Member, dee: Member, forum: Forum
) -> None:
    post = await announced(lakeside.instance, lakeside.admin, forum)
    copy = await riverton.sees(post.uri, kind=Kind.EVENT)
    await asyncio.gather(wants(riverton, ana, copy), wants(lakeside, dee, post))
    both = (GuestState.GOING, GuestState.WAITING)
    there, here = await stands(riverton, copy, ana, *both), await stands(lakeside, post, dee, *both)
    assert {there.state, here.state} == set(both)
    assert await counts(lakeside, post) == (1, 1)
    # Whoever waits is first on the list, and is told so.
    if there.state == GuestState.WAITING:
        assert there.place == 1
        assert await told(riverton, ana, "event_waiting") == 1
    else:
        page = await lakeside.page(f"/p/{post.id}/{post.slug}", dee)
        assert "Waiting list, number 1" in page.text


async def _at_a_mentor(riverton: Agency, lakeside: Agency, ana: Member, dee: Member) -> None:
    """A mentor with one place says yes to two at once: the second yes is refused in words."""
    marek = await makers.member(lakeside.instance, "marek", name="Marek Nowak")
    card = await bench.card(lakeside.instance, marek, capacity="1")
    here = await bench.programme(lakeside.instance, lakeside.admin)
    there = await bench.programme(riverton.instance, riverton.admin)
    await acquainted(riverton, lakeside)
    riverton.clock.turn(minutes=1)
    far = await bench.need(riverton.instance, ana, there)
    match = await asked(riverton, ana, far, await _found(riverton, ana, far))
    first = await match_at(lakeside, match.uri, MatchState.ASKED)
    near = await bench.need(lakeside.instance, dee, here)
    second = await asked(lakeside, dee, near, card)

    async def takes(one: Match) -> None:
        async with lakeside.instance.transaction() as tx:
            await asks.accept(tx, marek, one.id)

    said = await asyncio.gather(takes(first), takes(second), return_exceptions=True)
    refused = [one for one in said if one is not None]
    assert len(refused) == 1
    assert isinstance(refused[0], NotAllowed)
    async with lakeside.instance.reading() as session:
        pairs = (await session.execute(select(Pairing))).scalars().all()
        held = await session.get_one(MentorCard, card.id)
    assert len(pairs) == 1
    assert (held.taken, held.is_open) == (1, False)
    wanted = MatchState.ACCEPTED if said[0] is None else MatchState.ASKED
    await match_at(riverton, match.uri, wanted)


async def _found(agency: Agency, member: Member, need: Need) -> MentorCard:
    """The only mentor there is for a need, once their agency was asked."""

    async def first() -> MentorCard | None:
        async with agency.instance.reading() as session:
            page = await needs.page(session, agency.instance, member, need.id)
        return page.suggestions[0].card if page.suggestions else None

    return await until("Marek's card at Riverton", first)
