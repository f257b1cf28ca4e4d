# SPDX-License-Identifier: Apache-2.0
"""Sections of a practice as their forms send them."""

import json

import httpx

from tests import makers
from tests.web.page import Page


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A section as its form sends it: with what it held when it was shown."""
    page = Page(await client.get(path))
    base = page.one("input", name="base").get("value", "")
    typed = {name: str(value) for name, value in json.loads(base).items()}
    typed |= {name.replace("__", "."): value for name, value in fields.items()}
    return await makers.submit(client, path, base=base, **{"action": "continue", **typed})


def within(made: httpx.Response, **fields: str) -> dict[str, str]:
    """Fields of the step or outcome that was just added."""
    what, key = made.headers["location"].rsplit("/", 2)[1:]
    return {f"{what}.{key}.{name}": value for name, value in fields.items()}
