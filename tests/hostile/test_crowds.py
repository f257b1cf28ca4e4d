# SPDX-License-Identifier: Apache-2.0
"""Many accounts of one server, and accounts that are said to be gone."""

import orjson
import pytest
from sqlalchemy import select

from server.posts import newcomers
from storage.members import Member, MemberState
from storage.posts import Post
from tests.hostile.commons import INBOX, Commons, doing, like, note
from tests.hostile.effects import Unchanged, must_be_one_sentence
from tests.hostile.peer import Page, ScriptedPeer, mallory, vera


async def written_by(gh: Commons, host: str) -> list[str]:
    question = select(Post.uri).join(Member, Member.id == Post.author_id).where(Member.peer == host)
    async with gh.instance.reading() as session:
        return list((await session.execute(question)).scalars())


async def says(gh: Commons, peer: ScriptedPeer, actor: str, number: int) -> str:
    """A reply in our thread; answers what became of it."""
    said = note(f"{peer.origin}/p/{number}", actor, gh.forum.uri, inReplyTo=gh.thread.uri)
    return (await gh.sent(peer, doing("Create", actor, said, number))).state


async def test_FED_07_the_newcomers_of_one_host_are_let_in_a_few_an_hour(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    assert await says(gh, evil, vera(evil), 1_000) == "applied"
    for number in range(2 * newcomers.MOST_AN_HOUR + 10):
        if number % 25 == 0:
            # Faster than this their keys would not be asked for.
            gh.clock.turn(minutes=2)
        # Their age is what their server claims it to be.
        actor = evil.actor(f"/u/bot{number}", published="2016-01-01T00:00:00Z")
        said = note(f"{evil.origin}/p/{number}", actor, gh.forum.uri, inReplyTo=gh.thread.uri)
        answer = await gh.deliver(evil, doing("Create", actor, said, number))
        assert answer.status_code == 202
    await gh.settled()
    assert len(await written_by(gh, evil.host)) == newcomers.MOST_AN_HOUR
    # Those who are known here and the people of other hosts are not kept waiting.
    assert await says(gh, evil, vera(evil), 1_001) == "applied"
    assert await says(gh, vic, vera(vic), 1) == "applied"
    # Nothing is lost: they come in by and by.
    gh.clock.turn(hours=2)
    await gh.settled()
    assert len(await written_by(gh, evil.host)) == 2 * newcomers.MOST_AN_HOUR + 1


@pytest.mark.parametrize("answer", [200, 404, 410, 503])
async def test_FED_12_an_account_is_gone_when_it_says_so_itself(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, answer: int
) -> None:
    assert await says(gh, vic, vera(vic), 1) == "applied"
    if answer != 200:
        vic.pages["/u/vera"] = Page(status=answer)
    farewell = doing("Delete", vera(vic), vera(vic))
    body = orjson.dumps(farewell)
    key_id = f"{vera(vic)}#main-key"
    forged = evil.sign(INBOX, body, gh.clock.now(), key_id=key_id)
    async with Unchanged(gh, evil):
        must_be_one_sentence(await gh.post(body, {}), 401)
        must_be_one_sentence(await gh.post(body, forged), 401, 503)
        other = doing("Delete", mallory(evil), vera(vic))
        other_body = orjson.dumps(other)
        as_vera = evil.sign(INBOX, other_body, gh.clock.now(), key_id=key_id)
        must_be_one_sentence(await gh.post(other_body, as_vera), 401)
    assert await state_of(gh, vera(vic)) == MemberState.ACTIVE
    refused = await gh.sent(evil, doing("Delete", mallory(evil), vera(vic), 2))
    assert refused.state in {"refused", "ignored"}
    assert await state_of(gh, vera(vic)) == MemberState.ACTIVE
    gh.clock.turn(minutes=2)
    assert (await gh.sent(vic, farewell)).state == "applied"
    assert await state_of(gh, vera(vic)) == MemberState.GONE
    # What is gone does nothing any more.
    await gh.sent(vic, like(vera(vic), gh.thread.uri))
    assert await gh.endorsements(gh.thread) == 0


async def state_of(gh: Commons, uri: str) -> str:
    async with gh.instance.reading() as session:
        found = await session.execute(select(Member.state).where(Member.uri == uri))
        return found.scalar_one()
