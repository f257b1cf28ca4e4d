# SPDX-License-Identifier: Apache-2.0
"""Hostile and honest peers around a server of ours."""

import asyncio
import contextlib
import functools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from server.instance import Instance
from server.settings import Settings
from storage.forums import Forum
from tests import makers
from tests.clock import TurnableClock
from tests.hostile.commons import ORIGIN, Commons
from tests.hostile.copy import follow
from tests.hostile.digest_home import Home
from tests.hostile.peer import Keys, ScriptedPeer, World
from tests.hostile.serving import Canary

DATABASE = "guildhall.db"
HOSTS = ("evil", "vic", "third")
Opener = Callable[..., Awaitable[Commons]]


@pytest.fixture(scope="session")
def peer_keys() -> dict[str, Keys]:
    """The keys of each scripted host, made once."""
    return {name: Keys.make() for name in HOSTS}


@pytest.fixture
def evil(peer_keys: dict[str, Keys]) -> ScriptedPeer:
    """The attacker, on our list like the others: Mallory's server."""
    return _peer("evil", peer_keys)


@pytest.fixture
def vic(peer_keys: dict[str, Keys]) -> ScriptedPeer:
    """The honest agency that is wronged."""
    return _peer("vic", peer_keys)


@pytest.fixture
def third(peer_keys: dict[str, Keys]) -> ScriptedPeer:
    """An honest server that no rule names."""
    return _peer("third", peer_keys)


def _peer(name: str, keys: dict[str, Keys]) -> ScriptedPeer:
    peer = ScriptedPeer(f"{name}.localhost", keys[name])
    peer.describe()
    peer.actor("/u/mallory")
    peer.actor("/u/vera")
    return peer


@pytest.fixture
async def world(evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer) -> AsyncIterator[World]:
    """All three of them, listening."""
    async with World([evil, vic, third]) as served:
        yield served


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    """A forbidden place on loopback."""
    async with Canary.listening() as listening:
        yield listening


@pytest.fixture(scope="session")
def founded(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path, loaded_settings: Settings
) -> Callable[..., Path]:
    """Makes the folder of a server that lists these hosts, once; a test is given a copy."""

    @functools.cache
    def found(*listed: str) -> Path:
        folder = tmp_path_factory.mktemp("commons")
        shutil.copy(empty_database, folder / DATABASE)
        own = {"database": f"sqlite:///{folder / DATABASE}", "state": folder / "state"}
        own["origin"] = ORIGIN
        asyncio.run(Commons.found(loaded_settings.model_copy(update=own), listed))
        return folder

    return found


@pytest.fixture
async def open_commons(
    world: World, settings: Settings, clock: TurnableClock, founded: Callable[..., Path]
) -> AsyncIterator[Opener]:
    """Opens our server with other settings or another door; it lists the hosts in `listed`."""
    async with contextlib.AsyncExitStack() as stack:

        async def opened(
            change: Callable[[Any], None] = lambda _: None,
            *,
            listed: tuple[str, ...] = (),
            **other: Any,
        ) -> Commons:
            # As they are read: to load settings takes as long as to open an instance.
            own = {"origin": ORIGIN, "resolve": world.resolve()} | other
            chosen = settings.model_copy(update=own)
            path = chosen.database.removeprefix("sqlite:///")
            is_copied = path.endswith(DATABASE)
            if is_copied:
                folder = await asyncio.to_thread(founded, *listed)
                shutil.copy(folder / DATABASE, path)
                shutil.copytree(folder / "state", chosen.state, dirs_exist_ok=True)
            instance = await Instance.open(chosen, clock=clock)
            stack.push_async_callback(instance.close)
            commons = await stack.enter_async_context(Commons.open(instance, clock, change))
            if not is_copied:
                await commons.allow(*listed)
            return commons

        yield opened


@pytest.fixture
async def gh(open_commons: Opener, evil: ScriptedPeer, vic: ScriptedPeer) -> Commons:
    """Our server, which lists EVIL and VIC."""
    return await open_commons(listed=(evil.host, vic.host))


@pytest.fixture
def home(vic: ScriptedPeer) -> Home:
    """The honest agency runs Guildhall."""
    return Home(vic)


@pytest.fixture
async def copy(gh: Commons, vic: ScriptedPeer, home: Home) -> Forum:
    """Our copy of its forum, still empty."""
    await gh.is_guildhall(vic.host)
    return await follow(gh, vic, home.forum, await makers.member(gh.instance, "ana"))
