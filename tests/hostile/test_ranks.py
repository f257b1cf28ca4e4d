# SPDX-License-Identifier: Apache-2.0
"""Stewards, and servers that ban, reach no further than their own forums."""

from itertools import count

import pytest
from sqlalchemy import select

from server.forums import deeds
from storage.forums import Forum, ForumSteward
from storage.members import Member
from tests import makers
from tests.hostile.commons import Commons, doing, note
from tests.hostile.copy import announce, copied, words
from tests.hostile.effects import Unchanged
from tests.hostile.peer import Json, ScriptedPeer, mallory, vera

NUMBERS = count(1)


async def stewards(gh: Commons, forum: Forum) -> set[str]:
    question = (
        select(Member.uri)
        .join(ForumSteward, ForumSteward.member_id == Member.id)
        .where(ForumSteward.forum_id == forum.id)
    )
    async with gh.instance.reading() as session:
        return set((await session.execute(question)).scalars())


async def named(gh: Commons, *uris: str) -> None:
    """Make people elsewhere stewards of our forum."""
    for uri in uris:
        person = await gh.station.actors.person(uri)
        async with gh.instance.transaction() as tx:
            await deeds.name_steward(tx, gh.admin, gh.forum, person, named=True)


def against(gh: Commons, actor: str, victim: str) -> list[Json]:
    """What could take its rank from somebody in our forum, or the forum from its keepers."""
    forum, number = gh.forum.uri, next(NUMBERS)
    moderators = {"target": f"{forum}/moderators", "audience": forum}
    parts = {"id": forum, "type": "Group", "preferredUsername": "counters", "inbox": forum}
    return [
        doing("Remove", actor, victim, number, **moderators),
        doing("Add", actor, f"{actor}-friend", number, **moderators),
        doing("Undo", actor, doing("Add", gh.admin.uri, victim, **moderators), number),
        doing("Undo", actor, doing("Add", actor, victim, 0, **moderators), f"own-{number}"),
        doing("Block", actor, victim, number, target=forum),
        doing("Ignore", actor, victim, number, target=forum),
        doing("Delete", actor, victim, number),
        doing("Delete", actor, forum, f"forum-{number}"),
        doing("Move", actor, forum, number, target=actor),
        doing("Update", actor, parts | {"attributedTo": actor, "name": "Taken"}, number),
        doing("Update", actor, {**parts, "id": victim, "type": "Person", "name": "Taken"}, "p"),
    ]


@pytest.mark.parametrize("rank", ["outsider", "steward"])
async def test_AUT_23_nobody_takes_the_rank_of_an_equal_or_a_higher_one(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, rank: str
) -> None:
    """Victims: the founder, who is an admin; a steward of another host; one of the same host."""
    keepers = [vera(vic), vera(evil), *([mallory(evil)] if rank == "steward" else [])]
    await named(gh, *keepers)
    before = await stewards(gh, gh.forum)
    assert before == {gh.admin.uri, *keepers}
    async with Unchanged(gh, vic, stored=True):
        for victim in (gh.admin.uri, vera(vic), vera(evil)):
            for activity in against(gh, mallory(evil), victim):
                row = await gh.sent(evil, activity)
                # Of something of its own server that nobody here holds, the deletion is kept.
                unheld = activity["type"] == "Delete" and victim == vera(evil)
                expected = {"refused", "ignored", *(["applied"] if unheld else [])}
                assert row.state in expected, (activity["type"], row.note)
    assert await stewards(gh, gh.forum) == before
    # What a steward may do they still do, the wronged as well as the one who tried.
    for peer, keeper in ((vic, vera(vic)), (evil, mallory(evil))):
        row = await gh.sent(peer, doing("Lock", keeper, gh.thread.uri, next(NUMBERS)))
        assert row.state == ("applied" if keeper in before else "refused")


async def test_AUT_23_a_copy_takes_ranks_from_the_home_of_the_forum_only(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forum = await copied(gh, vic)
    for uri in (vera(vic), mallory(evil)):
        await gh.station.actors.person(uri)
        added = doing("Add", vera(vic), uri, f"add-{next(NUMBERS)}", target=forum.moderators)
        assert await announce(gh, vic, forum.uri, added, next(NUMBERS)) == "applied"
    before = await stewards(gh, forum)
    assert before == {vera(vic), mallory(evil)}
    removed = doing("Remove", mallory(evil), vera(vic), 1, target=forum.moderators)
    # A steward there says it to us directly; another server announces it in the forum's name.
    assert (await gh.sent(evil, removed)).state in {"refused", "ignored"}
    lair = evil.actor("/f/lair", "Group", attributedTo=f"{evil.origin}/f/lair/moderators")
    for signer in (mallory(evil), lair):
        row = await gh.sent(evil, doing("Announce", signer, removed, next(NUMBERS)))
        assert row.state in {"refused", "ignored"}
    assert await stewards(gh, forum) == before


async def test_AUT_24_a_ban_of_one_server_holds_at_that_server_only(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    home = await copied(gh, vic)
    lair = evil.actor("/f/lair", "Group", attributedTo=f"{evil.origin}/f/lair/moderators")
    await named(gh, mallory(evil))
    for kind in ("Block", "Delete", "Remove", "Flag", "Reject"):
        for target in (evil.origin, lair, home.uri, gh.instance.settings.origin, None):
            aimed = {"target": target} if target else {}
            ban = doing(kind, mallory(evil), vera(vic), next(NUMBERS), **aimed)
            await gh.sent(evil, ban)
            await announce(gh, evil, lair, ban, next(NUMBERS))
    # She still posts in our forum, answers in it, and in the forum of her own agency.
    opened = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, type="Page", name="Still here")
    answer = note(f"{vic.origin}/p/2", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri)
    for said in (opened, answer):
        row = await gh.sent(vic, doing("Create", vera(vic), said, next(NUMBERS)))
        assert row.state == "applied", row.note
    at_home = words(vic, home.uri, 3)
    vic.put(at_home["id"], at_home)
    assert await announce(gh, vic, home.uri, at_home["id"], next(NUMBERS)) == "applied"
    for said in (opened, answer, at_home):
        held = await gh.held(said["id"])
        assert held is not None
        assert held.state == "live"


async def test_what_a_steward_elsewhere_loses_they_lose_at_once(
    gh: Commons, evil: ScriptedPeer
) -> None:
    await named(gh, mallory(evil))
    person = await gh.station.actors.person(mallory(evil))
    async with gh.instance.transaction() as tx:
        await deeds.name_steward(tx, gh.admin, gh.forum, person, named=False)
    row = await gh.sent(evil, doing("Lock", mallory(evil), gh.thread.uri, next(NUMBERS)))
    assert row.state == "refused"
    other = await makers.forum(gh.instance, gh.admin, "other")
    await named(gh, mallory(evil))
    thread = await makers.thread(gh.instance, gh.admin, other)
    row = await gh.sent(evil, doing("Lock", mallory(evil), thread.uri, next(NUMBERS)))
    assert row.state == "refused"
