# SPDX-License-Identifier: Apache-2.0
"""An app made for Mastodon, in the hands of a member of an agency."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from web.demo.agencies import Agency
from web.demo.visitor import SECONDS, Unexpected, Visitor

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = "read write follow push"


class App:
    """An app on somebody's phone; it knows the API and nothing else."""

    def __init__(self, agency: Agency) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{agency.port}",
            headers={"Host": agency.netloc},
            timeout=SECONDS,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def sign_in(self, browser: Visitor, name: str) -> None:
        """Register, be let in by the member whose browser this is, and get a token."""
        sent = {"client_name": name, "redirect_uris": OUT_OF_BAND, "scopes": SCOPES}
        made = await self.post("/api/v1/apps", **sent)
        asked = {
            "client_id": made["client_id"],
            "redirect_uri": OUT_OF_BAND,
            "response_type": "code",
            "scope": SCOPES,
        }
        address = f"/oauth/authorize?{urlencode(asked)}"
        page = await browser.submit(address, "/oauth/authorize", action="allow")
        codes = [
            field.get("value") for field in page.root.find("input") if field.get("id") == "code"
        ]
        if not codes:
            raise Unexpected(f"No code was shown for {name}: “{page.words[:200]}”")
        given = await self.post(
            "/oauth/token",
            grant_type="authorization_code",
            code=codes[0],
            redirect_uri=OUT_OF_BAND,
            client_id=made["client_id"],
            client_secret=made["client_secret"],
        )
        self._client.headers["Authorization"] = f"Bearer {given['access_token']}"

    async def get(self, path: str, **params: str) -> Any:
        """What a call answers; Unexpected unless it succeeds."""
        return _read(await self._client.get(path, params=params))

    @asynccontextmanager
    async def stream(self, name: str) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """What a stream says from now on, as (event, data)."""
        async with self._client.stream("GET", f"/api/v1/streaming/{name}") as answer:
            if answer.status_code != 200:
                raise Unexpected(f"The stream {name} answered {answer.status_code}")
            lines = answer.aiter_lines()
            # The first line comes once the stream listens.
            await anext(lines)
            yield _events(lines)

    async def post(self, path: str, **values: Any) -> Any:
        """The same for a call that does something."""
        return _read(await self._client.post(path, json=values))


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    event = ""
    async for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            yield event, value


def _read(answer: httpx.Response) -> Any:
    if answer.status_code != 200:
        called = f"{answer.request.method} {answer.request.url.path}"
        raise Unexpected(f"{called} answered {answer.status_code}: {answer.text[:300]}")
    return answer.json()
