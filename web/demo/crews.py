# SPDX-License-Identifier: Apache-2.0
"""People of one agency who do many things in a short time."""

import re
from dataclasses import dataclass, field

from web.demo.agencies import Agency
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.visitor import Unexpected
from web.demo.waiting import until

_INVITATION = re.compile(r"/invitation/[\w-]+")
PASSWORD = "several unrelated words"


@dataclass
class Talk:
    """A thread and what is expected of it wherever it is shown."""

    uri: str
    id: str
    replies: dict[str, str] = field(default_factory=dict)
    endorsed: set[str] = field(default_factory=set)

    def wrong(self, page: Page) -> str:
        """What a page of this thread shows otherwise; empty when nothing."""
        opener = page.posts.get(self.uri)
        if opener is None:
            return "the thread is not there"
        if opener.endorsements != len(self.endorsed):
            return f"{opener.endorsements} endorsements are shown, not {len(self.endorsed)}"
        for uri, text in self.replies.items():
            # The page is a tree of articles: an address that stood twice would be read once.
            shown = page.html.count(f'data-post="{uri}"')
            if shown != 1 or page.posts[uri].body != text:
                return f"the reply “{text}” is shown {shown} times"
        extra = len(page.posts) - 1 - len(self.replies)
        return f"{extra} posts too many are shown" if extra else ""


async def join(admin: Reader, handle: str, name: str) -> Reader:
    """Somebody new at an agency, by an administrator's invitation."""
    agency = admin.agency
    page = await admin.browser.submit("/admin/people", "/admin/people", note=f"For {name}")
    found = _INVITATION.search(page.words) or _INVITATION.search(page.html)
    if found is None:
        raise Unexpected("The page for accounts shows no invitation.")
    reader = Reader(agency, handle, PASSWORD)
    await reader.browser.submit(
        found[0],
        found[0],
        name=name,
        handle=handle,
        email=f"{handle}@{agency.sign.key}.example.gov",
        password=PASSWORD,
    )
    # Forms after the sign-in carry another token than those before.
    await reader.browser.open("/")
    return reader


async def toggle(reader: Reader, talk: Talk) -> None:
    """Endorse the thread, or take the endorsement back."""
    if reader.handle in talk.endorsed:
        await reader.browser.press(f"/p/{talk.id}/withdraw")
        talk.endorsed.remove(reader.handle)
    else:
        await reader.browser.press(f"/p/{talk.id}/endorse")
        talk.endorsed.add(reader.handle)


async def begin(reader: Reader, home: Agency, forum: str, title: str, text: str) -> Talk:
    """Open a thread in a forum of one's own agency."""
    uri = await reader.post(home, forum, title, text)
    return Talk(uri, uri.rpartition("/")[2])


async def backlog(admin: Reader, peer: Agency, what: str) -> int:
    """How much waits, as the peer's page says: `outstanding` to it, or `unapplied` from it."""
    page = await admin.browser.open(f"/admin/federation/peer/{peer.netloc}")
    found = page.root.with_attribute(f"data-{what}")
    number = found[0].get(f"data-{what}") if found else ""
    if not number.isdecimal():
        raise Unexpected(f"The page for {peer.netloc} does not say what is {what}.")
    return int(number)


async def waits(admin: Reader, peer: Agency, what: str, least: int) -> int:
    """The same, once it is at least so much."""

    async def probe() -> int | None:
        number = await backlog(admin, peer, what)
        return number if number >= least else None

    return await until(f"{least} {what} on the page for {peer.netloc}", probe)


async def holds(reader: Reader, home: Agency, forum: str, talks: list[Talk]) -> None:
    """Wait until a member's own agency shows these threads as they should be."""
    for talk in talks:
        path = await reader.thread(home, forum, talk.uri)
        said = ["it was not looked at"]

        async def right(talk: Talk = talk, path: str = path, said: list[str] = said) -> bool | None:
            said[0] = talk.wrong(await reader.browser.open(path))
            return None if said[0] else True

        try:
            await until(f"{talk.uri} as it should be", right)
        except Exception as error:
            raise Unexpected(f"{error}: {said[0]}") from error
