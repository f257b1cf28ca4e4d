# SPDX-License-Identifier: Apache-2.0
"""What an attack must leave as it was."""

import re

import httpx

from tests.hostile.commons import ORIGIN, Commons
from tests.hostile.peer import ScriptedPeer

_TOKEN = re.compile(r'name="csrf" value="[^"]*"')
# What anybody could notice; a request that is let in may be recorded in the other tables.
EFFECTS = (
    "posts",
    "post_revisions",
    "endorsements",
    "forums",
    "forum_follows",
    "forum_stewards",
    "handles",
    "notifications",
    "subscriptions",
)
# What a refused request may leave: its knock, and the keys of who signed.
_TRACES = {"knocks", "actor_keys"}


def must_be_one_sentence(answer: httpx.Response, *statuses: int) -> None:
    """A refusal in one plain sentence, with one of these statuses."""
    said = answer.text.strip()
    assert answer.status_code in statuses, (answer.status_code, said)
    assert said.endswith(".")
    assert "\n" not in said
    assert ". " not in said


async def seen(gh: Commons, peer: ScriptedPeer) -> dict[str, object]:
    """The thread as a listed peer and as a visitor see it, and how much is stored."""
    path = gh.thread.uri.removeprefix(ORIGIN)
    faces = [(await gh.get(f"{path}{part}", peer)).text for part in ("", "/likes", "/replies")]
    forum = [(await gh.get(f"/f/counters{part}", peer)).text for part in ("", "/moderators")]
    pages = [await gh.page(f"{path}/opening-hours"), await gh.page("/f/counters")]
    # Asking made the peer known, so what is stored is counted last.
    return {
        "json": faces + forum,
        "pages": [_TOKEN.sub("", page) for page in pages],
        "rows": await gh.counts(),
    }


class Unchanged:
    """A block after which everything is as it was; `stored` lets activities be received."""

    def __init__(self, gh: Commons, peer: ScriptedPeer, *, stored: bool = False) -> None:
        self._gh = gh
        self._peer = peer
        self._stored = stored

    async def _seen(self) -> dict[str, object]:
        found = await seen(self._gh, self._peer)
        rows = found["rows"]
        assert isinstance(rows, dict)
        if self._stored:
            found["rows"] = {name: rows[name] for name in EFFECTS}
            found["announced"] = await self._gh.announced()
        else:
            found["rows"] = {name: n for name, n in rows.items() if name not in _TRACES}
        return found

    async def __aenter__(self) -> None:
        await self._gh.settled()
        self._before = await self._seen()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self._gh.settled()
            after = await self._seen()
            for view, before in self._before.items():
                assert after[view] == before, view
