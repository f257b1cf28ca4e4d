# SPDX-License-Identifier: Apache-2.0
"""An app of a member, as it talks to an instance."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from server.instance import Instance
from storage.members import Member
from tests import makers

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
ALL = "read write follow push"
_CODE = re.compile(r'id="code" value="([^"]+)"')


@dataclass
class App:
    """A client of the API; every call says what came of it when it fails."""

    client: httpx.AsyncClient
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, status: int = 200, **sent: Any) -> Any:
        """The JSON of an answer with this status."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            **self.headers,
            **sent.pop("headers", {}),
        }
        answer = await self.client.request(method, path, headers=headers, **sent)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def get(self, path: str, expected: int = 200, /, **params: Any) -> Any:
        return await self.ask("GET", path, expected, params=params)

    async def post(self, path: str, expected: int = 200, /, **values: Any) -> Any:
        return await self.ask("POST", path, expected, json=values)


async def app_of(client: httpx.AsyncClient, instance: Instance, member: Member) -> App:
    """An app with all scopes."""
    return App(client, await makers.token(instance, member, ALL))


async def registered(
    client: httpx.AsyncClient, redirect: str = OUT_OF_BAND, scopes: str = ALL, **more: Any
) -> dict[str, Any]:
    """An app that has just registered."""
    sent = {"client_name": "Tusky", "redirect_uris": redirect, "scopes": scopes}
    answer = await client.post("/api/v1/apps", json=sent | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def question(app: dict[str, Any], **more: str) -> dict[str, str]:
    """What an app sends a member's browser with."""
    return {
        "client_id": app["client_id"],
        "redirect_uri": app["redirect_uris"][0],
        "response_type": "code",
        "scope": " ".join(app["scopes"]),
        **more,
    }


async def code_for(browser: httpx.AsyncClient, asked: dict[str, str]) -> str:
    """The code that a signed-in member hands to the app."""
    answer = await makers.submit(browser, "/oauth/authorize", **asked, action="allow")
    if answer.status_code == 303:
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    found = _CODE.search(answer.text)
    assert found is not None, answer.text
    return found[1]


async def exchanged(
    client: httpx.AsyncClient, app: dict[str, Any], code: str, **more: str
) -> httpx.Response:
    """What the app gets for a code."""
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app["redirect_uris"][0],
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        **more,
    }
    return await client.post("/oauth/token", data=sent)
