# SPDX-License-Identifier: Apache-2.0
"""A signed-in member of an agency, and what they do in forums."""

from web.demo.agencies import Agency
from web.demo.pages import Page, SeenPost
from web.demo.visitor import Unexpected, Visitor
from web.demo.waiting import SECONDS, until


class Reader:
    """A member with a browser at their own agency."""

    def __init__(self, agency: Agency, handle: str, password: str) -> None:
        self.agency = agency
        self.handle = handle
        self._password = password
        self.browser: Visitor = agency.visitor()

    async def sign_in(self) -> "Reader":
        await self.browser.sign_in(self.handle, self._password)
        return self

    async def close(self) -> None:
        await self.browser.close()

    def path(self, home: Agency, forum: str) -> str:
        """Where this member's own agency shows a forum of `home`."""
        return f"/f/{forum}" if home is self.agency else f"/f/{forum}@{home.netloc}"

    async def find_forum(self, home: Agency, forum: str) -> str:
        """Look a forum up by its handle, as a person would; answers its path here."""
        path = self.path(home, forum)
        if home is self.agency:
            return path

        async def probe() -> str | None:
            page = await self.browser.look(f"/search?q=@{forum}@{home.netloc}")
            found = page.path.partition("?")[0] == path or path in page.links("/f/")
            return path if found else None

        return await until(f"@{forum}@{home.netloc} in the search at {self.agency.netloc}", probe)

    async def follow(self, home: Agency, forum: str) -> Page:
        """Follow a forum and wait until its agency has answered."""
        path = await self.find_forum(home, forum)
        await self.browser.submit(path, f"{path}/follow")
        return await self.accepted(home, forum)

    async def accepted(self, home: Agency, forum: str) -> Page:
        """The forum's page once the follow is accepted."""

        async def probe() -> Page | None:
            page = await self.browser.open(self.path(home, forum))
            if page.follow == "rejected":
                raise Unexpected(f"{self.handle} may not follow @{forum}@{home.netloc}.")
            return page if page.follow == "accepted" else None

        return await until(f"the follow of @{forum}@{home.netloc} as accepted", probe)

    async def post(self, home: Agency, forum: str, title: str, text: str, tags: str = "") -> str:
        """Open a thread; answers the address of its first post."""
        path = f"{self.path(home, forum)}/new"
        page = await self.browser.submit(
            path, path, title=title, source=text, tags=tags, action="post"
        )
        return _first(page)

    async def thread(self, home: Agency, forum: str, uri: str, seconds: float = SECONDS) -> str:
        """The path of a thread at this member's agency, once it is listed there."""

        async def probe() -> str | None:
            page = await self.browser.open(self.path(home, forum))
            return page.threads.get(uri)

        where = f"on the page of @{forum} at {self.agency.netloc}"
        return await until(f"the thread {uri} {where}", probe, seconds)

    async def seen(self, path: str, uri: str, seconds: float = SECONDS) -> SeenPost:
        """A post on a thread's page, once it is there."""
        return (await self._page(path, uri, seconds)).posts[uri]

    async def _page(self, path: str, uri: str, seconds: float = SECONDS) -> Page:
        """A thread's page, once that post is on it."""

        async def probe() -> Page | None:
            page = await self.browser.open(path)
            return page if uri in page.posts else None

        return await until(f"the post {uri} at {self.agency.netloc}{path}", probe, seconds)

    async def reply(self, path: str, to: str, text: str) -> str:
        """Answer the post `to` of the thread at `path`; answers the address of the reply."""
        before = (await self._page(path, to)).posts
        form = f"/p/{before[to].id}/reply"
        # Whoever has answered is led back to the thread.
        after = (await self.browser.submit(form, form, source=text, action="post")).posts
        mine = [
            uri for uri, post in after.items() if uri not in before and post.author == self.handle
        ]
        if len(mine) != 1:
            raise Unexpected(f"{self.handle}'s reply is not on {path} at {self.agency.netloc}.")
        return mine[0]

    async def endorse(self, path: str, uri: str) -> None:
        """Endorse a post of the thread at `path`."""
        page = await self._page(path, uri)
        await self.browser.click(page, f"/p/{page.posts[uri].id}/endorse")

    async def withdraw(self, path: str, uri: str) -> None:
        """Take an endorsement back."""
        page = await self._page(path, uri)
        await self.browser.click(page, f"/p/{page.posts[uri].id}/withdraw")

    async def edit(self, path: str, uri: str, **values: str) -> None:
        """Change one's own post."""
        post = await self.seen(path, uri)
        form = f"/p/{post.id}/edit"
        await self.browser.submit(form, form, **values, action="save")

    async def delete(self, path: str, uri: str) -> None:
        """Delete one's own post."""
        post = await self.seen(path, uri)
        form = f"/p/{post.id}/delete"
        await self.browser.submit(form, form)


def _first(page: Page) -> str:
    if not page.posts:
        raise Unexpected(f"{page.path} (“{page.title}”) shows no post.")
    return next(iter(page.posts))
