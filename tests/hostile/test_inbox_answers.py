# SPDX-License-Identifier: Apache-2.0
"""Whatever comes to an inbox: no answer that some software takes for good."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.commons import INBOX, Commons, like
from tests.hostile.peer import Page, ScriptedPeer, mallory

# 410 and 418 have a whole server given up for ever (PieFed), and 404 or 405 say it is no inbox.
FINAL = frozenset({202, 400, 401, 403, 408, 409, 413})
LATER = frozenset({429, 503})
PATHS = ("/inbox", "/f/counters/inbox", "/u/sam/inbox", "/f/nowhere/inbox", "/u/nobody/inbox")
KEY_ANSWERS = (200, 304, 401, 404, 410, 418, 429, 500, 503)
NUMBERS = count(1)

_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
_MEMBERS = st.sampled_from(("@context", "id", "type", "actor", "object", "to", "cc", "proof"))
_CHANGES = st.dictionaries(_MEMBERS, _ODD, max_size=3)
_JUNK = st.binary(max_size=60) | _ODD.map(lambda value: repr(value).encode())
_HEADERS = st.dictionaries(
    st.sampled_from(("Signature", "Signature-Input", "Digest", "Content-Digest", "Date")),
    # No client sends a value with space around it: it ends at what is not space.
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80).map(str.strip),
    max_size=3,
)
CASES = st.fixed_dictionaries(
    {
        "path": st.sampled_from(PATHS),
        "body": st.one_of(_JUNK, _CHANGES),
        "headers": _HEADERS,
        "signed": st.booleans(),
        "key": st.sampled_from(KEY_ANSWERS),
        "trouble": st.sampled_from(("", "", "full", "disk")),
    }
)
Case = dict[str, Any]


class Door:
    """The inbox of our server under every trouble it may be in."""

    def __init__(self, gh: Commons, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch) -> None:
        self._gh = gh
        self._evil = evil
        self._patch = monkeypatch

    async def answer(self, case: Case) -> httpx.Response:
        """What somebody with this delivery is told."""
        body, actor = self._body(case["body"]), mallory(self._evil)
        if case["key"] != 200:
            # A key that was never seen, at a server that is in trouble itself.
            actor = f"{self._evil.origin}/u/a{next(NUMBERS)}"
            self._evil.pages[actor.removeprefix(self._evil.origin)] = Page(b"", case["key"])
        headers: dict[str, str] = {}
        if case["signed"]:
            now = self._gh.clock.now()
            headers = dict(self._evil.sign(INBOX, body, now, key_id=f"{actor}#main-key"))
        with self._patch.context() as patch:
            self._in_trouble(patch, case["trouble"])
            return await self._gh.post(body, headers | case["headers"], case["path"])

    def _body(self, made: bytes | dict[str, Any]) -> bytes:
        if isinstance(made, bytes):
            return made
        thread = self._gh.thread.uri
        # Not by the quick library, which has no numbers of more than 64 bits.
        return json.dumps(like(mallory(self._evil), thread, next(NUMBERS)) | made).encode()

    def _in_trouble(self, patch: pytest.MonkeyPatch, trouble: str) -> None:
        if trouble == "full":
            patch.setattr(self._gh.station.inbox, "_most_waiting", 0)
        elif trouble == "disk":
            patch.setattr(self._gh.instance.database.writer, "append", _fails)


async def _fails(*_: object, **__: object) -> bool:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


async def test_no_inbox_ever_says_what_is_for_good(
    gh: Commons, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, loop = Door(gh, evil, monkeypatch), asyncio.get_running_loop()
    seen: set[int] = set()

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=CASES)
    def holds(case: Case) -> None:
        answer = asyncio.run_coroutine_threadsafe(door.answer(case), loop).result()
        status = answer.status_code
        seen.add(status)
        assert status in FINAL | LATER, (status, case)
        if status in LATER:
            assert int(answer.headers["Retry-After"]) >= 1, case
        if case["trouble"] == "full":
            assert status in LATER | {400}, case

    play: Callable[[], None] = holds
    await asyncio.to_thread(play)
    assert seen & LATER
    assert seen & FINAL
    # And nothing of it holds up who comes after.
    gh.clock.turn(minutes=2)
    assert (await gh.deliver(evil, like(mallory(evil), gh.thread.uri))).status_code == 202
