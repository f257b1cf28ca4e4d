# SPDX-License-Identifier: Apache-2.0
"""Everybody who waits for a signature gets one."""

import asyncio
import os
from datetime import UTC, datetime

import pytest

from federation.delivery.signing import Signing
from federation.signatures.keys import SigningKey
from federation.signatures.sign import Prepared, prepare_draft

WHEN = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECONDS = 30.0


def prepared(key: SigningKey) -> Prepared:
    """A delivery to be signed."""
    return prepare_draft(
        method="POST",
        url="https://lakeside.example/inbox",
        body=b"{}",
        key=key,
        key_id="https://riverton.example/instance#main-key",
        now=WHEN,
    )


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a single core."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})


async def test_who_comes_in_the_moment_the_last_leaves_is_not_left_waiting(
    one_thread: None,
) -> None:
    signing, key = Signing(), SigningKey.generate_ed25519()

    async def sends() -> int:
        for _ in range(20):
            await signing.headers(prepared(key))
        return 20

    async with asyncio.timeout(SECONDS):
        assert sum(await asyncio.gather(*(sends() for _ in range(3)))) == 60


async def test_a_key_that_cannot_sign_takes_nothing_from_the_others(one_thread: None) -> None:
    class Broken(SigningKey):
        def sign(self, data: bytes) -> bytes:
            raise ValueError("no key")

    signing, key = Signing(), SigningKey.generate_ed25519()
    broken = Broken(key._key)
    asked = [signing.headers(prepared(broken))]
    asked += [signing.headers(prepared(key)) for _ in range(20)]
    async with asyncio.timeout(SECONDS):
        done = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(done[0], ValueError)
    assert [type(one) for one in done[1:]] == [dict] * 20
