# SPDX-License-Identifier: Apache-2.0
"""Does everything arrive once, when a server is killed in the middle?"""

import asyncio
import random
from collections.abc import Iterable

from web.demo import crews
from web.demo.agencies import Agency
from web.demo.crews import Talk
from web.demo.readers import Reader
from web.demo.scene import Scene, expect

SEED = 20261125
POINTS = 5
LEAST = 20
# A round is 24 deliveries: so many may pass that LEAST of them cannot.
MOST_LET_THROUGH = 4
TOGGLES = 7
NEWCOMERS = ("Rosa Lind", "Joel Amber", "Mina Castro", "Theo Grant", "Vera Stone")


async def killed_in_fanout(scene: Scene) -> str:
    """Lakeside has news for Riverton, which takes little of it, and is killed."""
    chance = random.Random(SEED)
    ana, lou = await scene.person("ana"), await scene.person("lou")
    await scene.followed()
    crew = [
        await crews.join(lou, f"inspector{number}", name)
        for number, name in enumerate(("Olu Adeyemi", "Ida Falk", "Ben Okri"), start=1)
    ]
    opened = await ana.post(scene.lakeside, "permits", "Whom to ask about sheds", "Who knows?")
    page = await lou.browser.open(await lou.thread(scene.lakeside, "permits", opened))
    talks = [Talk(opened, page.posts[opened].id)]
    for number, author in enumerate((*crew, *crew[:3]), start=1):
        title, text = f"Sheds, part {number}", f"What we saw on round {number}."
        talks.append(await crews.begin(author, scene.lakeside, "permits", title, text))
    await crews.holds(ana, scene.lakeside, "permits", talks)
    seen = []
    for point in range(1, POINTS + 1):
        passing, pause = chance.randrange(MOST_LET_THROUGH + 1), chance.uniform(0.0, 0.3)
        scene.riverton.road.narrow(passing)
        for talk in talks:
            await asyncio.gather(*(crews.toggle(one, talk) for one in crew))
        for one in crew:
            await _reply(one, talks[0], f"{one.handle} answers on day {point}.")
        await crews.waits(lou, scene.riverton, "outstanding", LEAST)
        await asyncio.sleep(pause)
        left = await crews.waits(lou, scene.riverton, "outstanding", LEAST)
        await _kill(scene.lakeside, scene.riverton)
        await crews.holds(ana, scene.lakeside, "permits", talks)
        seen.append(f"{left} after {passing}")
    await _noticed_once(ana, talks[0].replies.values())
    return f"seed {SEED}, killed with {', '.join(seen)} outstanding; all is there once"


async def _reply(author: Reader, talk: Talk, text: str) -> None:
    uri = await author.reply(f"/p/{talk.id}", talk.uri, text)
    talk.replies[uri] = text


async def _kill(victim: Agency, slow: Agency) -> None:
    await victim.kill()
    slow.road.widen()
    await victim.start()


async def _noticed_once(reader: Reader, texts: Iterable[str]) -> None:
    page = await reader.browser.open("/notifications")
    for text in texts:
        count = page.words.count(text)
        expect(count == 1, f"{reader.handle} was notified {count} times of “{text}”")


async def killed_in_inbox(scene: Scene) -> str:
    """Lakeside took what Riverton had to say, cannot work on it yet, and is killed."""
    chance = random.Random(SEED)
    marek, lou = await scene.person("marek"), await scene.person("lou")
    ana, dee, sam = [await scene.person(handle) for handle in ("ana", "dee", "sam")]
    await scene.counters()
    # Nobody at Lakeside has heard of them, so that it must ask Riverton for their keys.
    newcomers = [
        await crews.join(sam, f"clerk{number}", name)
        for number, name in enumerate(NEWCOMERS, start=1)
    ]
    talks: list[Talk] = []
    seen = []
    for point, newcomer in enumerate(newcomers, start=1):
        pause = chance.uniform(0.0, 0.4)
        scene.riverton.road.narrow(0)
        text = f"@marek@{scene.lakeside.netloc} asked on day {point}."
        talk = await crews.begin(newcomer, scene.riverton, "counters", f"Queue {point}", text)
        for _ in range(TOGGLES):
            await asyncio.gather(*(crews.toggle(one, talk) for one in (ana, dee, sam)))
        await _reply(dee, talk, f"dee answers on day {point}.")
        await crews.waits(lou, scene.riverton, "unapplied", LEAST)
        await asyncio.sleep(pause)
        left = await crews.waits(lou, scene.riverton, "unapplied", LEAST)
        await _kill(scene.lakeside, scene.riverton)
        talks.append(talk)
        await crews.holds(marek, scene.riverton, "counters", talks)
        seen.append(str(left))
    await _noticed_once(marek, [f"asked on day {point}." for point in range(1, POINTS + 1)])
    return f"seed {SEED}, killed with {', '.join(seen)} unapplied; all is there once"
