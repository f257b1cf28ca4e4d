# SPDX-License-Identifier: Apache-2.0
"""Does a copy find what was lost, and put it right?"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from web.demo.agencies import Agency
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.scene import Scene, expect
from web.demo.waiting import until

OPENER = "What a counter needs on a rainy Monday"
ANSWER = "Umbrella stands, and a second clerk before nine."
CHANGED = "Umbrella stands, and a second clerk before half past eight."
REGRETTED = "Nobody comes when it rains, in my view."
MISSED = "Queue numbers by text message"
MISSED_TEXT = "People wait in the café across the street, and come when it is their turn."
LATER = "We do this too: half of them never stand in a line."
OWN = "How many have no telephone with them?"


@dataclass(frozen=True)
class Lost:
    """What happened after the backup: a thread with a reply; before it, what was changed."""

    opener: str
    answer: str
    regretted: str
    missed: str
    later: str


async def digest_repairs(scene: Scene) -> str:
    await scene.followed()
    marek, ana = await scene.person("marek"), await scene.person("ana")
    opener, answer, regretted = await _before(scene, ana)
    backup = await _back_up(scene.riverton)
    lost = await _after(scene, Lost(opener, answer, regretted, "", ""))
    await _restore(scene.riverton, backup)
    forum = ana.path(scene.lakeside, "permits")
    page = await ana.browser.open(forum)
    expect(lost.missed not in page.threads, "the backup was restored, and nothing is missing")
    path = page.threads[opener]
    number = (await ana.seen(path, opener)).id
    await ana.browser.submit(path, f"/p/{number}/check")
    at_lakeside = await marek.browser.open(marek.path(scene.lakeside, "permits"))
    for uri in (opener, lost.missed):
        here = await ana.thread(scene.lakeside, "permits", uri)
        await _alike(marek, at_lakeside.threads[uri], ana, here)
    told = await scene.riverton.command("forum", "check", f"@permits@{scene.lakeside.netloc}")
    expect("checked" in told, f"`guildhall forum check` says “{told}”")
    refused = await scene.peer.get(scene.lakeside, "/f/permits/digest")
    expect(refused.status == 403, f"a stranger gets {refused.status} for the digest")
    return (
        "Riverton's database was set back; “Check now” brought a thread, replies (Ana's own too), "
        f"an edit, a deletion and an endorsement: {told}"
    )


async def _before(scene: Scene, ana: Reader) -> tuple[str, str, str]:
    """A thread with two replies that is at both agencies: (thread, reply, reply)."""
    # Priya writes the replies, so that Marek stays within ten posts a minute.
    priya = await scene.person("priya")
    thread = await scene.placed(OPENER, "It rained again, and we were two.")
    answer = await priya.reply(thread.at_lakeside, thread.uri, ANSWER)
    regretted = await priya.reply(thread.at_lakeside, thread.uri, REGRETTED)
    await ana.seen(thread.at_riverton, answer)
    await ana.seen(thread.at_riverton, regretted)
    return thread.uri, answer, regretted


async def _after(scene: Scene, known: Lost) -> Lost:
    """What happens once the backup is made, at Lakeside and by Ana; Riverton holds all of it."""
    marek, priya, ana = [await scene.person(name) for name in ("marek", "priya", "ana")]
    path = await marek.thread(scene.lakeside, "permits", known.opener)
    await priya.edit(path, known.answer, source=CHANGED)
    await priya.delete(path, known.regretted)
    missed = await scene.placed(MISSED, MISSED_TEXT)
    later = await priya.reply(missed.at_lakeside, missed.uri, LATER)
    await ana.seen(missed.at_riverton, later)
    await ana.endorse(missed.at_riverton, missed.uri)
    await marek.seen(missed.at_lakeside, await ana.reply(missed.at_riverton, missed.uri, OWN))

    async def endorsed() -> Page | None:
        page = await marek.browser.open(missed.at_lakeside)
        return page if page.posts[missed.uri].endorsements == 1 else None

    await until("Ana's endorsement at Lakeside", endorsed)
    here = await ana.thread(scene.lakeside, "permits", known.opener)

    async def arrived() -> Page | None:
        page = await ana.browser.open(here)
        state = page.posts[known.regretted].state if known.regretted in page.posts else "deleted"
        return page if state == "deleted" and page.posts[known.answer].body == CHANGED else None

    await until("the edit and the deletion at Riverton", arrived)
    return Lost(known.opener, known.answer, known.regretted, missed.uri, later)


async def _alike(one: Reader, at_one: str, other: Reader, at_other: str) -> None:
    """Wait until both agencies show the same posts: words, order of answers, endorsements."""
    seen: list[dict[str, tuple[str, str, int, str]]] = []

    async def probe() -> bool | None:
        seen[:] = [
            _shown(await one.browser.open(at_one)),
            _shown(await other.browser.open(at_other)),
        ]
        return True if seen[0] == seen[1] else None

    await until(f"the same thread at {at_one} and {at_other}", probe)


def _shown(page: Page) -> dict[str, tuple[str, str, int, str]]:
    """What a page shows of each post: (state, words, endorsements, what it answers)."""
    return {
        uri: (post.state, post.body, post.endorsements, post.parent)
        for uri, post in page.posts.items()
    }


async def _back_up(agency: Agency) -> Path:
    """A copy of an agency's database, made while the server is stopped."""
    await agency.stop()
    kept = agency.folder / "backup"
    await asyncio.to_thread(_copy, agency.folder, kept)
    await agency.start()
    return kept


async def _restore(agency: Agency, kept: Path) -> None:
    """The agency comes back as it was when the backup was made."""
    await agency.stop()
    await asyncio.to_thread(_copy, kept, agency.folder)
    await agency.start()


def _copy(source: Path, target: Path) -> None:
    """The files of the database, and no others of it."""
    target.mkdir(exist_ok=True)
    for left in target.glob("guildhall.db*"):
        left.unlink()
    for path in source.glob("guildhall.db*"):
        shutil.copy(path, target / path.name)
