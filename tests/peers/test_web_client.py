# SPDX-License-Identifier: Apache-2.0
"""A client for browsers, as PyPI has it, signed in to one of two agencies."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, Route, async_playwright

from tests.machine import chromium
from tests.peers.programs import HERE, NODE_FOLDER, environment
from web.demo.agencies import Agency
from web.demo.peer import Peer
from web.demo.ports import free_port
from web.demo.scene import SIGNS, STRANGER, Scene
from web.demo.story import password
from web.demo.town import town
from web.demo.waiting import until

CLIENT = HERE.parents[1] / ".venv-peers-web/bin/mimb"
ZONE = NODE_FOLDER / "node_modules/zone.js/dist/zone.js"
# Where its pages look for its own server, whatever port that has.
ADDRESS = "http://127.0.0.1:8100"


@contextlib.asynccontextmanager
async def _served(folder: Path, agency: Agency) -> AsyncIterator[int]:
    """The client's own server while the block runs; answers its port.

    It reaches the agency as a proxy of its own, since names below localhost are nothing to it.
    """
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(CLIENT), "start", "--no-open", "--port", str(port)),
        cwd=folder,
        env=environment()
        | {
            "http_proxy": f"http://127.0.0.1:{agency.port}",
            "MIMB_CONFIG_DIR": str(folder),
            "MIMB_DATA_DIR": str(folder),
            "XDG_DATA_HOME": str(folder),
            "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )

    async def probe() -> bool | None:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"http://127.0.0.1:{port}/api/status")).is_success
        return None

    try:
        await until("the client's own server", probe, 60)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _as_on_the_web(route: Route) -> None:
    """One script of its page comes from a network of delivery, and here from npm."""
    if route.request.url.endswith("/zone.js"):
        await route.fulfill(path=ZONE)
    elif "127.0.0.1" in route.request.url or ".localhost" in route.request.url:
        await route.continue_()
    else:
        await route.abort()


@contextlib.asynccontextmanager
async def _window(program: Path, port: int) -> AsyncIterator[Page]:
    """An empty window of a real browser."""
    is_root = os.geteuid() == 0
    leads = f"MAP 127.0.0.1:8100 127.0.0.1:{port}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            chromium_sandbox=not is_root,
            args=[f"--host-resolver-rules={leads}", "--disable-gpu"],
        )
        page = await browser.new_page()
        await page.route("**/*", _as_on_the_web)
        yield page
        await browser.close()


async def _sign_in(page: Page, agency: Agency, handle: str, secret: str) -> None:
    """From the client to the agency, which asks, and back."""
    await page.goto(ADDRESS)
    await page.get_by_role("button", name="Connect Account").click()
    await page.get_by_placeholder("https://mastodon.social").fill(agency.origin)
    await page.get_by_role("button", name="Connect", exact=True).click()
    await page.get_by_label("Name or e-mail address").fill(handle)
    await page.get_by_label("Password").fill(secret)
    await page.get_by_role("main").get_by_role("button", name="Sign in").click()
    asked = page.get_by_role("main")
    await asked.get_by_text("post, reply, endorse and change things as you").wait_for()
    await asked.get_by_role("button", name="Let it in", exact=True).click()
    await page.get_by_text(f"{agency.origin} — {handle}").wait_for()


async def test_a_web_client_signs_in_and_shows_a_forum_of_the_other_agency(tmp_path: Path) -> None:
    program = chromium()
    if program is None or not CLIENT.exists():
        pytest.skip("It needs Chromium, and the client, which wants Python 3.12.")
    async with (
        town(SIGNS, 0, (STRANGER,)) as (agencies, ports),
        Peer(STRANGER, ports[STRANGER]) as peer,
    ):
        scene = Scene(agencies["riverton"], agencies["lakeside"], agencies["elsewhere"], peer)
        try:
            await scene.prepare("")
            await scene.thread()
            async with (
                _served(tmp_path, scene.riverton) as port,
                _window(program, port) as page,
            ):
                await _sign_in(page, scene.riverton, "ana", password("riverton"))
                await page.goto(f"{ADDRESS}/#/")
                await page.get_by_role("combobox").select_option(label="All")
                await page.get_by_role("link", name="Permits and licensing").click()
                await page.get_by_text(f"@permits@{scene.lakeside.netloc}").wait_for()
                await page.get_by_role("button", name="Deep Catch Up").click()
                await page.get_by_role("button", name="Reposts (2)").click()
                await page.get_by_text("How we cut permit times from 21 days to 12.6").wait_for()
        finally:
            await scene.close()
