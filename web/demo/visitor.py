# SPDX-License-Identifier: Apache-2.0
"""A person with a browser: pages, links and forms, nothing else."""

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from web.demo.markup import Element, fields
from web.demo.pages import Page

SECONDS = 20.0
MOST_PATIENCE = 60


class Unexpected(Exception):
    """A page was not as it should be; the message says what was seen."""


class Visitor:
    """One browser at one agency; `netloc` is what people type, `port` where it listens."""

    def __init__(self, netloc: str, port: int) -> None:
        self.netloc = netloc
        # Names below localhost resolve in browsers only: connect by number, name the host.
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Host": netloc, "Accept": "text/html,application/xhtml+xml"},
            timeout=SECONDS,
            trust_env=False,
            # Nothing here is encrypted, and to load the authorities takes longer than a page.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        self._csrf = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def raw(self, path: str, accept: str = "*/*") -> httpx.Response:
        """An answer as it came."""
        return await self._client.get(path, headers={"Accept": accept})

    async def look(self, path: str) -> Page:
        """The page at a path, whatever its status, after redirects."""
        return await self._arrive(await self._client.get(path), path)

    async def open(self, path: str) -> Page:
        """The page at a path; Unexpected unless it is there."""
        page = await self.look(path)
        if page.status != 200:
            raise Unexpected(f"{path} answered {page.status}: “{page.words[:200]}”")
        return page

    async def submit(self, path: str, action: str, /, **values: str) -> Page:
        """Fill in the form on the page at `path` that goes to `action`, and send it."""
        answer = await self._send(await self.open(path), action, values)
        arrived = await self._arrive(answer, action)
        if arrived.status != 200:
            said = arrived.words[:300]
            raise Unexpected(f"Sending the form to {action} gave {arrived.status}: “{said}”")
        return arrived

    async def click(self, page: Page, action: str, /, **values: str) -> None:
        """Send the form of a page that is open already, without going where that leads."""
        answer = await self._send(page, action, values)
        if answer.status_code != 303:
            raise Unexpected(f"Sending the form to {action} gave {answer.status_code}.")

    async def _send(self, page: Page, action: str, values: Mapping[str, str]) -> httpx.Response:
        sent = {**fields(_form(page, action)), **values}
        if "csrf" not in sent:
            raise Unexpected(f"The form to {action} at {page.path} has no token.")
        answer = await self._client.post(action, data=sent)
        if answer.status_code == 429:
            # As the page asks: somebody who wrote ten posts in a minute waits for the next.
            await asyncio.sleep(min(int(answer.headers["retry-after"]), MOST_PATIENCE))
            answer = await self._client.post(action, data=sent)
        return answer

    async def upload(
        self, path: str, action: str, files: Mapping[str, bytes], /, **values: str
    ) -> Page:
        """The same with files, by their names, in the field `upload`."""
        page = await self.open(path)
        sent = fields(_form(page, action)) | values
        parts = [("upload", (name, content)) for name, content in files.items()]
        answer = await self._client.post(action, data=sent, files=parts)
        arrived = await self._arrive(answer, action)
        if arrived.status != 200:
            said = arrived.words[:300]
            raise Unexpected(f"Sending files to {action} gave {arrived.status}: “{said}”")
        return arrived

    async def press(self, action: str, /, **values: str) -> str:
        """Send a small form as the last page had it; answers where that leads, without going."""
        answer = await self._client.post(action, data={"csrf": self._csrf} | values)
        if answer.status_code != 303:
            raise Unexpected(f"Sending the form to {action} gave {answer.status_code}.")
        return answer.headers["location"]

    async def sign_in(self, login: str, password: str) -> None:
        """Sign in; Unexpected when that fails."""
        page = await self.submit("/sign-in", "/sign-in", login=login, password=password)
        if page.path.startswith("/sign-in"):
            raise Unexpected(f"{login} could not sign in at {self.netloc}.")

    async def _arrive(self, response: httpx.Response, path: str) -> Page:
        for _ in range(4):
            if response.status_code not in {301, 302, 303, 307, 308}:
                break
            parts = urlsplit(response.headers["location"])
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            response = await self._client.get(path)
        page = Page.read(response.status_code, path, response.text)
        for token in page.root.find("input", name="csrf")[:1]:
            self._csrf = token.get("value")
        return page


def _form(page: Page, action: str) -> Element:
    for form in page.root.find("form"):
        goes_to = urlsplit(form.get("action") or page.path).path
        if goes_to == action and form.get("method").lower() == "post":
            return form
    raise Unexpected(f"{page.path} (“{page.title}”) has no form that goes to {action}.")
