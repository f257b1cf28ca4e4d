# SPDX-License-Identifier: Apache-2.0
"""Does everything arrive once, when a server is killed in the middle?"""

import asyncio
import json
import random
from dataclasses import dataclass

from web.demo import crews
from web.demo.agencies import Agency
from web.demo.crews import Burst
from web.demo.readers import Reader
from web.demo.scene import Scene, expect

SEED = 20261125
POINTS = 5
LEAST = 20
LONGEST_PAUSE = 0.4
INSPECTORS = ("Olu Adeyemi", "Ida Falk", "Ben Okri", "Ruth Vale")
# What waits, as the page of a peer calls it -> as `guildhall peer show --json` does.
COUNTS = {"outstanding": "outstanding", "unapplied": "received_not_applied"}
CLERKS = ("Rosa Lind", "Joel Amber", "Mina Castro", "Theo Grant", "Vera Stone")


@dataclass(frozen=True)
class _Forum:
    """Where there is much to tell, and who reads it at the other agency."""

    home: Agency
    handle: str
    reader: Reader


async def killed_in_fanout(scene: Scene) -> str:
    """Lakeside has news for Riverton, which takes little of it, and Lakeside is killed."""
    lou, ana = await scene.person("lou"), await scene.person("ana")
    await scene.followed()
    forum = _Forum(scene.lakeside, "permits", ana)
    crew = [
        await crews.join(lou, f"inspector{number}", name)
        for number, name in enumerate(INSPECTORS, start=1)
    ]
    chance = _chance()
    bursts, seen = [], []
    for point in range(POINTS):
        order = crew[point % len(crew) :] + crew[: point % len(crew)]
        # A burst is 25 deliveries: when so few are let through, LEAST of them cannot be.
        passing = chance.randrange(5)
        with scene.riverton.road.narrow(passing):
            bursts.append(await _burst(forum, order, point))
            left = await _wait_and_kill(scene, "outstanding", point, chance)
        await scene.lakeside.start()
        await _arrived(forum, bursts[-1])
        seen.append(f"{left} ({passing} let through)")
    await _once(forum, bursts)
    return f"seed {SEED}: killed with {', '.join(seen)} outstanding; all arrived once"


async def killed_in_inbox(scene: Scene) -> str:
    """Lakeside took Riverton's news, cannot work on it yet, and is killed."""
    sam, marek = await scene.person("sam"), await scene.person("marek")
    await scene.counters()
    forum = _Forum(scene.riverton, "counters", marek)
    known = [await scene.person(handle) for handle in ("ana", "dee", "sam")]
    # Lakeside has not heard of these: it has to ask Riverton who they are, one each time.
    clerks = [
        await crews.join(sam, f"clerk{number}", name) for number, name in enumerate(CLERKS, start=1)
    ]
    chance = _chance()
    bursts, seen = [], []
    for point in range(POINTS):
        with scene.riverton.road.narrow(0):
            bursts.append(await _burst(forum, [clerks[point], *known], point))
            left = await _wait_and_kill(scene, "unapplied", point, chance)
        await scene.lakeside.start()
        await _arrived(forum, bursts[-1])
        seen.append(str(left))
    await _once(forum, bursts)
    return f"seed {SEED}: killed with {', '.join(seen)} unapplied; all arrived once"


def _chance() -> random.Random:
    """The same points every time."""
    return random.Random(SEED)  # noqa: S311 (nothing here is secret)


async def _burst(forum: _Forum, crew: list[Reader], point: int) -> Burst:
    """Posts and endorsements; the first of them names the reader, who is notified of it."""
    who = f"@{forum.reader.handle}@{forum.reader.agency.netloc}"
    return await crews.burst(crew, forum.handle, f"Round {point}", who)


async def _wait_and_kill(scene: Scene, what: str, point: int, chance: random.Random) -> int:
    """Kill Lakeside while its page for Riverton says that LEAST wait; answers how many."""
    lou = await scene.person("lou")
    await crews.waits(lou, scene.riverton, what, LEAST)
    if point == 0:
        await _agrees(scene, what)
    await asyncio.sleep(chance.uniform(0.0, LONGEST_PAUSE))
    left = await crews.backlog(lou, scene.riverton, what)
    expect(left >= LEAST, f"only {left} were {what} at the moment of the kill")
    await scene.lakeside.kill()
    return left


async def _agrees(scene: Scene, what: str) -> None:
    """The command line says as well that LEAST wait."""
    printed = await scene.lakeside.command("peer", "show", scene.riverton.netloc, "--json")
    said = json.loads(printed)[COUNTS[what]]
    expect(said >= LEAST, f"guildhall peer show says that {said} are {what}")


async def _arrived(forum: _Forum, burst: Burst) -> None:
    await crews.arrived(forum.reader, forum.home, forum.handle, burst)


async def _once(forum: _Forum, bursts: list[Burst]) -> None:
    """At the end all is as it was, the command line agrees, and each notification came once."""
    for burst in bursts:
        await _arrived(forum, burst)
    printed = await forum.reader.agency.command("post", "show", bursts[-1].opener, "--json")
    told = [json.loads(printed)]
    for one in told:
        told += one["replies"]
    counted = {one["uri"]: one["endorsements"] for one in told}
    expect(
        counted == dict.fromkeys(bursts[-1].texts, bursts[-1].endorsements)
        and len(told) == len(counted),
        f"guildhall post show prints {counted}",
    )
    page = await forum.reader.browser.open("/notifications")
    for burst in bursts:
        text = burst.texts[burst.opener]
        count = page.words.count(text)
        expect(count == 1, f"{forum.reader.handle} was notified {count} times of “{text}”")
