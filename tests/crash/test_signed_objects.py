# SPDX-License-Identifier: Apache-2.0
"""What a signed request for a post asks of PostgreSQL: no transaction."""

import asyncio
from typing import Any

import asyncpg
import pytest

from storage.peers import PolicyRule
from tests import makers
from tests.hostile.commons import ORIGIN, Commons
from tests.hostile.peer import ScriptedPeer

pytestmark = pytest.mark.postgres
MOST = 3
"""What the asker runs, the post, and once in some seconds its author's key; beside the rules."""


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


async def test_a_post_is_answered_without_a_transaction(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await makers.member(gh.instance, "ana")
    thread = await makers.thread(gh.instance, ana, gh.forum, tags=("metrics", "permits"))
    answer = await makers.reply(gh.instance, gh.admin, thread, "So it is.")
    await gh.is_guildhall(vic.host)
    asked: dict[asyncio.Task[Any] | None, list[str]] = {}
    for name in ("execute", "fetch"):
        put = getattr(asyncpg.Connection, name)

        async def noted(
            self: asyncpg.Connection, query: str, *given: object, put: Any = put
        ) -> object:
            # The worker asks as well, beside it.
            asked.setdefault(asyncio.current_task(), []).append(query)
            return await put(self, query, *given)

        monkeypatch.setattr(asyncpg.Connection, name, noted)
    for peer in (evil, vic):
        for post in (thread, answer):
            path = post.uri.removeprefix(ORIGIN)
            before = (await gh.get(path, peer)).json()
            asked.clear()
            found = await gh.get(path, peer)
            [of_request] = [
                put
                for put in asked.values()
                if all(part in "".join(put) for part in ("peers.described IS NOT", "posts.source"))
            ]
            questions = [one for one in of_request if not one.startswith("SET ")]
            assert 2 <= len(questions) <= MOST
            assert all(one.startswith("(SELECT 0, ") for one in questions)
            assert (found.status_code, found.json()) == (200, before)
            assert found.json()["id"] == post.uri
    assert found.json()["tag"] == before["tag"]
    async with gh.instance.transaction() as tx:
        tx.session.add(
            PolicyRule(
                id=tx.ids.next(), pattern=vic.host, verdict="deny", added_by="x", added=tx.now
            )
        )
    # Decided by the rules of this moment, with nothing at hand from before.
    assert (await gh.get(path, vic)).status_code == 403
    assert (await gh.get(path, evil)).status_code == 200
