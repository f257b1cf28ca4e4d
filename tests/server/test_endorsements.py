# SPDX-License-Identifier: Apache-2.0
"""Endorsing, and taking it back."""

import asyncio

import pytest

from server import endorsements
from server.errors import Gone, NotAllowed
from server.instance import Instance
from server.posts import editing, receipts
from storage.endorsements import Endorsement
from storage.forums import Visibility
from storage.members import Member
from storage.posts import Post, PostState
from tests import databases, makers
from tests.server.town import Town, row, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def endorse(town: Town, member: Member, post: Post, uri: str = "") -> bool:
    async with town.instance.transaction() as tx:
        return await endorsements.endorse(tx, member, post, uri)


async def withdraw(town: Town, member: Member, post: Post) -> bool:
    async with town.instance.transaction() as tx:
        return await endorsements.withdraw(tx, member, post)


async def total(town: Town, post: Post) -> int:
    return (await town.post(post)).endorsement_count


async def test_an_endorsement_counts_once_and_can_be_taken_back(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum)
    assert await endorse(town, town.dee, post)
    assert not await endorse(town, town.dee, post)
    assert await endorse(town, town.sam, post)
    assert await total(town, post) == 2
    assert (await town.page(post, town.dee)).opener.endorsed
    assert not (await town.page(post, town.ana)).opener.endorsed
    assert await withdraw(town, town.dee, post)
    assert not await withdraw(town, town.dee, post)
    assert await total(town, post) == 1
    assert await town.facts() == ["ThreadPosted", "Endorsed", "Endorsed", "EndorsementWithdrawn"]


async def test_given_again_it_has_a_wire_id_of_its_own(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum)
    uris = []
    for _ in range(2):
        await endorse(town, town.dee, post)
        held: Endorsement = await row(town.instance, Endorsement, (post.id, town.dee.id))
        uris.append(held.uri)
        await withdraw(town, town.dee, post)
    assert uris == [f"{town.dee.uri}#like-{post.id}-1", f"{town.dee.uri}#like-{post.id}-2"]


async def test_the_count_is_exact_when_many_endorse_at_once(town: Town) -> None:
    post = await makers.thread(town.instance, town.ana, town.forum)
    people = [town.sam, town.dee]
    people += [await makers.person_elsewhere(town.instance, f"p{n}") for n in range(6)]
    given = await asyncio.gather(*(endorse(town, person, post) for person in people * 2))
    assert sum(given) == len(people)
    assert await total(town, post) == len(people)
    taken = await asyncio.gather(*(withdraw(town, person, post) for person in people[:4] * 2))
    assert sum(taken) == 4
    assert await total(town, post) == len(people) - 4


async def test_an_undo_that_overtook_its_like_still_wins(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    post = await makers.thread(town.instance, town.ana, town.forum)
    async with town.instance.transaction() as tx:
        assert not await endorsements.apply_withdrawal(tx, marek, post, "http://x/like-1")
    assert not await endorse(town, marek, post, "http://x/like-1")
    assert await total(town, post) == 0
    assert await endorse(town, marek, post, "http://x/like-2")
    assert await total(town, post) == 1


async def test_at_a_copy_it_counts_until_the_home_says_no(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    permits = await makers.forum_elsewhere(town.instance)
    post = await makers.thread(town.instance, marek, permits)
    for member in (town.ana, town.dee):
        await endorse(town, member, post)
    held: Endorsement = await row(town.instance, Endorsement, (post.id, town.ana.id))
    assert held.state == PostState.SENT
    assert not await endorse(town, town.ana, post, held.uri), "the home's receipt"
    async with town.instance.transaction() as tx:
        for member in (town.ana, town.dee, town.dee):
            await receipts.refuse_endorsement(tx, post, member.id)
    assert await total(town, post) == 1


async def test_what_was_deleted_or_is_closed_to_one_is_not_endorsed(town: Town) -> None:
    marek = await makers.person_elsewhere(town.instance)
    closed = await makers.forum(town.instance, town.sam, "inner", visibility=Visibility.MEMBERS)
    inner = await makers.thread(town.instance, town.sam, closed)
    for person in (town.dee, marek):
        with pytest.raises(NotAllowed):
            await endorse(town, person, inner)
    post = await makers.thread(town.instance, town.ana, town.forum)
    await endorse(town, town.dee, post)
    async with town.instance.transaction() as tx:
        await editing.remove(tx, town.ana, post)
    with pytest.raises(Gone):
        await endorse(town, town.sam, post)
    assert await total(town, post) == 0
