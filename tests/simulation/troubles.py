# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a run, each kind by a name."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta

from federation.urls import main_key
from server import peers
from server.chain import ends
from server.errors import Refusal
from server.peers import RuleDraft
from server.traffic import deeds as traffic
from storage.keys import ActorKey
from storage.peers import Verdict
from tests.simulation.history import History
from tests.simulation.network import Weather
from tests.simulation.node import Node
from tests.simulation.views import view
from tests.simulation.world import World

DAY = 86_400.0
# A delivery between two that are well, whatever else goes wrong.
QUICK = 60.0


async def bad_weather(world: World, history: History) -> None:
    """Requests and answers are lost, repeated up to five times and up to 30 days late (R6)."""
    world.network.weather = Weather(
        lost=0.2, reply_lost=0.1, repeated=0.4, most_repeats=5, delay=(0.01, 3.0)
    )
    await history.some(12, gap=6.0)
    world.network.weather.repeat_within = 30 * DAY
    await history.some(4, gap=6.0)
    world.network.weather = Weather()
    await world.let_fly(30 * DAY, DAY)


async def away(world: World, history: History) -> None:
    """One is down for 1, 3, 7 or 20 days; the others go on undisturbed (R2)."""
    gone, *well = world.random.sample(world.nodes, len(world.nodes))
    await history.some(6, gap=4.0)
    gone.crash()
    days = world.random.choice((1, 3, 7, 20))
    await history.some(5, gap=4.0, nodes=well)
    await must_be_quick(world, history, well[0], well[1])
    await world.let_fly(days * DAY / 2, DAY / 2)
    await history.some(5, gap=4.0, nodes=well)
    await world.let_fly(days * DAY / 2, DAY / 2)
    await a_late_try(world)


async def partition(world: World, history: History) -> None:
    """Two halves hear nothing of each other for a week, and both go on (R13)."""
    await history.some(8, gap=4.0)
    alone, *others = world.random.sample(world.nodes, len(world.nodes))
    for other in others:
        world.network.cut(alone.host, other.host)
    for _ in range(2):
        await history.some(4, gap=4.0, nodes=[alone])
        await history.some(4, gap=4.0, nodes=others)
        await world.let_fly(3.5 * DAY, DAY / 2)
    await a_late_try(world)


async def crashes(world: World, history: History) -> None:
    """Machines go down at a commit, in the middle of whatever they do, and come back."""
    for _ in range(4):
        node = world.random.choice(world.nodes)
        node.crash_at = node.commits + world.random.randint(1, 12)
        await history.some(3, gap=3.0)
        for down in world.nodes:
            if not down.alive:
                await world.pass_time(world.random.uniform(0.0, 60.0), 10.0)
                await down.start()
    for node in world.nodes:
        node.crash_at = None


async def wrong_clocks(world: World, history: History) -> None:
    """One clock is 50 minutes fast, and is set back by an hour in the middle (R7)."""
    fast, *others = world.random.sample(world.nodes, len(world.nodes))
    fast.clock.skew = timedelta(minutes=50)
    for other in others:
        other.clock.skew = timedelta(minutes=world.random.uniform(-5, 5))
    await history.some(6, gap=6.0)
    for place in world.places:
        await history.attempt(fast, place, "thread")
        await world.pass_time(3.0)
    fast.step_back(timedelta(hours=1))
    for place in world.places:
        # Newer than what it changes, though the clock says that it is older.
        await history.attempt(fast, place, "edit")
        await world.pass_time(3.0)
    await history.some(6, gap=6.0)


async def slow_and_hung(world: World, history: History) -> None:
    """One takes 25 seconds for every answer and one never answers; the rest is quick."""
    slow, *others = world.random.sample(world.nodes, len(world.nodes))
    world.network.weather.slow = {slow.host: world.random.choice((25.0, 8.0, None))}
    await history.some(8, gap=6.0)
    await must_be_quick(world, history, others[0], others[1])
    await history.some(6, gap=6.0)
    await world.let_fly(3_600.0, 600.0)


async def rotation(world: World, history: History) -> None:
    """A forum's key for requests changes in mid fan-out, and the old one is gone at once (R8).

    The deed for it shows the old key for a week more; here the rows of the key are replaced, as
    after a break-in, and the machine is started anew.
    """
    await history.some(8, gap=4.0)
    place = world.random.choice(world.places)
    await history.attempt(place.home, place, "thread")
    await place.home.do(lambda: _rotate(place.home, place.uri))
    place.home.crash()
    await place.home.start()
    asked = len(world.network.asked)
    await history.attempt(place.home, place, "thread")
    await history.some(8, gap=4.0)
    path = place.uri.removeprefix(place.home.settings.origin)
    for node in world.nodes:
        again = [a for a in world.network.asked[asked:] if a.source == node.host and a.path == path]
        if len(again) > 1:
            world.findings.append(f"R8: {node.name} asked {len(again)} times for {place.uri}")


async def _rotate(node: Node, forum: str) -> None:
    fresh, _ = await node.instance.vault.new_pair()
    async with node.instance.transaction() as tx:
        row = await tx.session.get_one(ActorKey, main_key(forum))
        row.public, row.sealed = fresh.public, fresh.sealed


async def stranger(world: World, history: History) -> None:
    """Somebody on no list asks for everything, and is refused everywhere."""
    unknown = world.stranger
    assert unknown is not None
    await history.some(6, gap=4.0, nodes=world.agencies)
    posts = [written.uri for written in history.written.values()]
    for uri in [place.uri for place in world.places] + posts[:4]:
        await unknown.do(lambda uri=uri: _ask(unknown, uri))  # type: ignore[misc]
    await history.some(8, gap=4.0, nodes=world.agencies)
    place = world.places[0]
    await place.home.do(lambda: _decide(place.home, unknown.host, Verdict.DENY))
    await history.some(4, gap=4.0, nodes=world.agencies)


async def _ask(node: Node, uri: str) -> None:
    try:
        await node.app.state.lookup.find(uri)
    except Refusal as refusal:
        node.network.note(f"{node.name} learns nothing of {uri}: {refusal.sentence}")


async def _decide(node: Node, host: str, verdict: Verdict) -> None:
    async with node.instance.transaction() as tx:
        await peers.add_rule(tx, None, RuleDraft(host, verdict))


async def everything(world: World, history: History) -> None:
    """A little of all of it at once."""
    world.network.weather = Weather(lost=0.1, reply_lost=0.1, repeated=0.2, delay=(0.005, 1.0))
    for node in world.nodes:
        node.clock.skew = timedelta(minutes=world.random.uniform(-20, 20))
    await history.some(4, gap=4.0)
    one, other = world.random.sample(world.nodes, 2)
    world.network.cut(one.host, other.host)
    await history.some(4, gap=4.0)
    await world.let_fly(DAY, DAY / 4)
    world.network.cuts.clear()
    await crashes(world, history)


async def decisions(world: World, history: History) -> None:
    """An admin holds a peer back for an hour, and takes it off the list for a day.

    While it is off the list nobody posts in the forums of these two: what each would say in the
    other's is refused, not kept.
    """
    await history.some(5, gap=4.0)
    one, other = world.random.sample(world.nodes, 2)
    await one.do(lambda: _hold(one, other.host, held=True))
    await world.pass_time(30.0)
    before = len(world.network.asked)
    await history.some(5, gap=4.0)
    await world.let_fly(3_600.0, 600.0)
    told = [
        asked
        for asked in world.network.asked[before:]
        if (asked.method, asked.source, asked.target) == ("POST", one.host, other.host)
    ]
    if told:
        world.findings.append(f"held back: {other.name} got {len(told)} deliveries of {one.name}")
    await one.do(lambda: _hold(one, other.host, held=False))
    await history.some(3, gap=4.0)
    await world.pass_time(30.0)
    await one.do(lambda: _unlist(one, other.host))
    elsewhere = [place for place in world.places if place.home not in (one, other)]
    await history.some(8, gap=4.0, places=elsewhere)
    await world.let_fly(DAY, DAY / 4)
    await one.do(lambda: _decide(one, other.host, Verdict.ALLOW))
    await history.some(3, gap=4.0)


async def _hold(node: Node, host: str, *, held: bool) -> None:
    async with node.instance.transaction() as tx:
        await (traffic.pause if held else traffic.resume)(tx, None, host)
    node.instance.wake()


async def _unlist(node: Node, host: str) -> None:
    async with node.instance.transaction() as tx:
        for rule in await peers.rules(tx.session):
            if rule.pattern == host:
                await peers.remove_rule(tx, None, rule.id)


async def restored(world: World, history: History) -> None:
    """One loses what happened since its last backup, which all other agencies know.

    Nothing is posted in its own forum meanwhile: nobody else may say what is in there.
    """
    await history.some(6, gap=4.0)
    unlucky = world.random.choice(world.nodes)
    await world.pass_time(30.0)
    # Not the bare file: the latest commits stand beside it.
    with closing(sqlite3.connect(unlucky.database_path)) as connection:
        backup = connection.serialize()
    places = [place for place in world.places if place.home is not unlucky]
    await history.some(10, gap=4.0, places=places)
    # A start does not compare anew what was compared within some minutes.
    await world.let_fly(DAY / 4, DAY / 24)
    unlucky.crash()
    world.network.accepted = [
        pair for pair in world.network.accepted if pair[0].target != unlucky.host
    ]
    for leftover in unlucky.database_path.parent.glob("guildhall.db*"):
        leftover.unlink()
    unlucky.database_path.write_bytes(backup)
    # As the page about restoring says: it tells of lines that are no longer there.
    (unlucky.settings.state / ends.NAME).unlink(missing_ok=True)
    world.network.note(f"{unlucky.name} goes back to its backup")
    await unlucky.start()


async def a_late_try(world: World) -> None:
    """After a long leap everybody tries at once: let that fail before anything is mended."""
    await world.pass_time(world.random.uniform(30.0, 120.0), 10.0)


async def must_be_quick(world: World, history: History, one: Node, other: Node) -> None:
    """11: what is posted at one is soon at the other, in spite of others' faults."""
    place = next(place for place in world.places if place.home is one)
    before = set(history.written)
    await history.attempt(one, place, "thread")
    fresh = set(history.written) - before

    async def missing() -> str:
        return " ".join(fresh - set(view(other, place.uri).posts))

    if await world.until(missing, QUICK, every=2.0) is None:
        world.findings.append(f"11: {', '.join(fresh)} was not at {other.name} in {QUICK:.0f} s")


TROUBLES: dict[str, Callable[[World, History], Awaitable[None]]] = {
    "bad weather": bad_weather,
    "one away": away,
    "a partition": partition,
    "crashes": crashes,
    "wrong clocks": wrong_clocks,
    "slow and hung": slow_and_hung,
    "a new key": rotation,
    "a stranger": stranger,
    "everything": everything,
    "decisions": decisions,
    "a backup": restored,
}
