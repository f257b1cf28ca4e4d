# SPDX-License-Identifier: Apache-2.0
"""People of one agency who do many things in a short time."""

import asyncio
import re
from dataclasses import dataclass

from web.demo.agencies import Agency
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.visitor import Unexpected
from web.demo.waiting import TooLate, until

_INVITATION = re.compile(r"/invitation/[\w-]+")
_ANCHOR = re.compile(r"#p-(\d+)$")
PASSWORD = "several unrelated words"  # noqa: S105 (of people who are gone with the check)
# Two dozen deliveries, each at its time, on a machine that may have other things to do.
PATIENCE = 60.0


@dataclass(frozen=True)
class Burst:
    """A thread of a few posts, by address, and the endorsements that each of them has."""

    opener: str
    texts: dict[str, str]
    endorsements: int

    @property
    def size(self) -> int:
        """How many activities it is."""
        return len(self.texts) * (1 + self.endorsements)

    def wrong(self, page: Page) -> str:
        """What the page of the thread shows otherwise; empty when nothing."""
        for uri, text in self.texts.items():
            # The posts of a page are read by address: one that stood twice would not be noticed.
            shown = page.html.count(f'data-post="{uri}"')
            if shown != 1 or text not in page.posts[uri].body:
                return f"“{text}” is shown {shown} times"
            count = page.posts[uri].endorsements
            if count != self.endorsements:
                return f"“{text}” has {count} endorsements, not {self.endorsements}"
        extra = len(page.posts) - len(self.texts)
        return f"{extra} posts too many are shown" if extra else ""


async def join(admin: Reader, handle: str, name: str) -> Reader:
    """Somebody new at an agency, by an administrator's invitation."""
    page = await admin.browser.submit("/admin/people", "/admin/people", note=f"For {name}")
    found = _INVITATION.search(page.html)
    if found is None:
        raise Unexpected("The page for accounts shows no invitation.")
    reader = Reader(admin.agency, handle, PASSWORD)
    email = f"{handle}@{admin.agency.sign.key}.example.gov"
    account = {"name": name, "handle": handle, "email": email, "password": PASSWORD}
    await reader.browser.submit(found[0], found[0], **account)
    # Forms after the sign-in carry another token than those before.
    await reader.browser.open("/")
    return reader


async def burst(crew: list[Reader], forum: str, title: str, named: str) -> Burst:
    """Talk in a forum of one's own agency: a thread by the first, and a reply by everybody.

    Everybody endorses everything. The first post names somebody (`@ana@host`).
    """
    home = crew[0].agency
    text = f"{crew[0].handle} asks about “{title}”"
    opener = await crew[0].post(home, forum, title, f"{text} {named}")
    thread = opener.rpartition("/")[2]
    texts = {opener: text}
    for one in crew:
        said = f"{one.handle} knows about “{title}”"
        went = _ANCHOR.search(
            await one.browser.press(f"/p/{thread}/reply", source=said, action="post")
        )
        if went is None:
            raise Unexpected(f"{one.handle}'s reply led nowhere.")
        texts[f"{home.origin}/p/{went[1]}"] = said
    for uri in texts:
        path = f"/p/{uri.rpartition('/')[2]}/endorse"
        await asyncio.gather(*(one.browser.press(path) for one in crew))
    return Burst(opener, texts, len(crew))


async def backlog(admin: Reader, peer: Agency, what: str) -> int:
    """How much waits, as the peer's page says: `outstanding` to it, or `unapplied` from it."""
    page = await admin.browser.open(f"/admin/federation/peer/{peer.netloc}")
    number = next((count.text for count in page.root.find(data_count=what)), "")
    if not number.isdecimal():
        raise Unexpected(f"The page for {peer.netloc} does not say what is {what}.")
    return int(number)


async def waits(admin: Reader, peer: Agency, what: str, least: int) -> int:
    """The same, once it is at least so much."""

    async def probe() -> int | None:
        number = await backlog(admin, peer, what)
        return number if number >= least else None

    return await until(f"{least} {what} on the page for {peer.netloc}", probe, PATIENCE)


async def arrived(reader: Reader, home: Agency, forum: str, burst: Burst) -> None:
    """Wait until a member's own agency shows a burst as it should be."""
    path = await reader.thread(home, forum, burst.opener, PATIENCE)
    wrong = ""

    async def probe() -> bool | None:
        nonlocal wrong
        wrong = burst.wrong(await reader.browser.open(path))
        return None if wrong else True

    try:
        await until(f"{burst.opener} as it should be", probe, PATIENCE)
    except TooLate as error:
        raise TooLate(f"{error}: {wrong}") from error
