# SPDX-License-Identifier: Apache-2.0
"""masto.js, the library of Elk and Phanpy, signed in to one of two agencies."""

from urllib.parse import urlencode

from tests.peers.programs import NODE_22, NODE_FOLDER, Json, run
from web.demo.peer import Peer
from web.demo.scene import SIGNS, STRANGER, Scene
from web.demo.town import town

MASTO = (str(NODE_22), str(NODE_FOLDER / "masto.mjs"))
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


async def _code(scene: Scene, app: Json) -> str:
    """Dee lets the app in and copies the code."""
    asked = {
        "client_id": app["clientId"],
        "redirect_uri": OUT_OF_BAND,
        "response_type": "code",
        "scope": "read write follow push",
    }
    dee = await scene.person("dee")
    address = f"/oauth/authorize?{urlencode(asked)}"
    page = await dee.browser.submit(address, "/oauth/authorize", action="allow")
    return next(one.get("value") for one in page.root.find("input") if one.get("id") == "code")


async def test_masto_js_works_across_two_agencies() -> None:
    async with (
        town(SIGNS, 0, (STRANGER,)) as (agencies, ports),
        Peer(STRANGER, ports[STRANGER]) as peer,
    ):
        scene = Scene(agencies["riverton"], agencies["lakeside"], agencies["elsewhere"], peer)
        try:
            await scene.prepare("")
            thread = await scene.thread()
            handle = f"@permits@{scene.lakeside.netloc}"
            given: Json = {"url": scene.riverton.origin, "handle": handle}
            app = (await run(MASTO, given))["app"]
            seen = await run(MASTO, {**given, "app": app, "code": await _code(scene, app)})
            assert seen["me"] == "dee"
            assert seen["version"].startswith("4.")
            assert (seen["forum"], seen["followed"]) == (handle.removeprefix("@"), True)
            assert "12.6" in seen["thread"]
            assert "<p>From masto.js</p>" in seen["replies"]
            assert (seen["endorsed"], seen["heard"]) == (1, True)
            marek = await scene.person("marek")
            page = await marek.browser.open(thread.at_lakeside)
            assert thread.uri in page.posts
        finally:
            await scene.close()
