# SPDX-License-Identifier: Apache-2.0
"""A scripted home of a forum, with the digest that a test has it serve."""

import asyncio
import time
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from federation.digests import measures, serving
from server.digests import sum_of
from server.forums import comparing
from storage.digests import KnownDifference
from storage.forums import Forum
from tests.hostile.commons import SECONDS, Commons
from tests.hostile.copy import serve_forum
from tests.hostile.peer import Json, ScriptedPeer

DAY = "2026-11-23"
NINE = "2026-11-23T09:00:00.000Z"


class Home:
    """A forum of a scripted Guildhall, with the digest that a test has it serve."""

    def __init__(self, peer: ScriptedPeer) -> None:
        peer.software = "guildhall"
        peer.describe()
        self.peer = peer
        self.forum = serve_forum(peer)
        self.days: dict[str, list[str]] = {}
        self.serve()

    def serve(self) -> None:
        """Serve the days as they are now."""
        buckets = [sum_of(day, lines) for day, lines in self.days.items() if lines]
        found = sorted(buckets, key=lambda bucket: bucket.day, reverse=True)
        self.peer.put("/f/permits/digest", serving.days_document(self.forum, found, ""))
        for day, lines in self.days.items():
            document = serving.day_document(self.forum, day, sorted(lines), "")
            self.peer.put(f"/f/permits/digest?day={day}", document)

    def lists(self, *lines: str, day: str = DAY) -> None:
        """What it says of a day from now on."""
        self.days[day] = list(lines)
        self.serve()

    def passes_on(self, uri: str, document: Json | None, **more: Any) -> None:
        """What it says of one post when it is asked."""
        self.peer.put(
            f"/f/permits/digest?post={quote(uri, safe='')}",
            {"type": measures.POST, "attributedTo": self.forum, "object": document, **more},
        )

    @property
    def asked(self) -> list[str]:
        """Which parts of the digest were asked for."""
        whole = "/f/permits/digest"
        targets = [one.target for one in self.peer.requests if one.target.startswith(whole)]
        return [target.removeprefix(whole) for target in targets]


def line(uri: str, updated: str = "", state: str = "live", endorsers: str = "") -> str:
    return f"{uri}\t{updated}\t{state}\t{endorsers}"


async def checked(gh: Commons, forum: Forum) -> Forum:
    """Have the copy compared now, and wait until that has ended."""
    async with gh.instance.transaction() as tx:
        asked = await comparing.ask(tx, None, forum)
    end = time.monotonic() + SECONDS
    while True:
        async with gh.instance.reading() as session:
            held = await session.get_one(Forum, forum.id)
        if held.compare_next != asked.compare_next:
            return held
        assert time.monotonic() < end, held.compare_error
        await asyncio.sleep(0.02)


async def known(gh: Commons) -> dict[str, KnownDifference]:
    async with gh.instance.reading() as session:
        rows = (await session.execute(select(KnownDifference))).scalars().all()
    return {row.uri: row for row in rows}
