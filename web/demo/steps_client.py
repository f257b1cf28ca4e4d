# SPDX-License-Identifier: Apache-2.0
"""Does an app on a phone reach what is at the other agency, and back?"""

import json
from typing import Any

from web.demo.apps import App
from web.demo.pages import Page
from web.demo.scene import Scene, expect
from web.demo.visitor import Unexpected
from web.demo.waiting import until

ANSWER = "Written on a phone: who signs for it in the end?"
LIVE = "She sees it on her phone as it comes."
BACK = "The team lead, and never the same day."


async def _app(scene: Scene) -> App:
    """The app of Dee, who works at Riverton."""
    return await scene.once("dee's app", lambda: _let_in(scene))


async def _let_in(scene: Scene) -> App:
    dee = await scene.person("dee")
    app = App(scene.riverton)
    scene.apps.append(app)
    await app.sign_in(dee.browser, "Pocket")
    return app


async def _forum(scene: Scene) -> dict[str, Any]:
    """Lakeside's permits forum as Dee's app knows it, followed."""
    return await scene.once("dee follows by app", lambda: _followed(scene))


async def _followed(scene: Scene) -> dict[str, Any]:
    await scene.earlier()
    app = await _app(scene)
    handle = f"@permits@{scene.lakeside.netloc}"
    found = await app.get("/api/v2/search", q=handle, resolve="true")
    expect(bool(found["accounts"]), f"the app did not find {handle}")
    account: dict[str, Any] = found["accounts"][0]
    await app.post(f"/api/v1/accounts/{account['id']}/follow")

    async def accepted() -> bool | None:
        told = await app.get("/api/v1/accounts/relationships", **{"id[]": account["id"]})
        return True if told and told[0]["following"] else None

    await until(f"{handle} as followed in the app", accepted)
    return account


async def forum_followed(scene: Scene) -> str:
    account = await _forum(scene)
    expect(account["group"] is True, "the forum is no group in the app")
    return f"the app found @{account['acct']}, “{account['display_name']}”, and follows it"


async def _thread(scene: Scene) -> dict[str, Any]:
    """Marek's thread in the home timeline of Dee's app."""
    return await scene.once("dee's thread", lambda: _arrived(scene))


async def _arrived(scene: Scene) -> dict[str, Any]:
    await _forum(scene)
    thread, app = await scene.thread(), await _app(scene)

    async def shown() -> dict[str, Any] | None:
        for line in await app.get("/api/v1/timelines/home", limit="40"):
            if line["reblog"] and line["reblog"]["uri"] == thread.uri:
                found: dict[str, Any] = line
                return found
        return None

    return await until("Marek's thread in the home timeline of the app", shown)


async def thread_read(scene: Scene) -> str:
    line = await _thread(scene)
    by = line["reblog"]["account"]["acct"]
    expect(by == f"marek@{scene.lakeside.netloc}", f"the thread is by {by} in the app")
    forum, words = line["account"]["acct"], line["reblog"]["content"][:60]
    return f"the app shows “{words}…” by @{by}, from @{forum}"


async def _answered(scene: Scene) -> dict[str, Any]:
    line, app = await _thread(scene), await _app(scene)
    made: dict[str, Any] = await app.post(
        "/api/v1/statuses", status=ANSWER, in_reply_to_id=line["reblog"]["id"]
    )
    return made


async def reply_arrives(scene: Scene) -> str:
    made = await scene.once("dee's answer", lambda: _answered(scene))
    thread, marek = await scene.thread(), await scene.person("marek")

    async def there() -> Page | None:
        page = await marek.browser.look(thread.at_lakeside)
        return page if made["uri"] in page.posts else None

    page = await until("the app's reply at Lakeside", there)
    return f"Lakeside shows “{page.posts[made['uri']].body}”, written in the app"


async def endorsement_counted(scene: Scene) -> str:
    line, app = await _thread(scene), await _app(scene)
    thread, marek = await scene.thread(), await scene.person("marek")
    before = (await marek.browser.open(thread.at_lakeside)).posts[thread.uri].endorsements
    shown = await app.post(f"/api/v1/statuses/{line['id']}/favourite")
    expect((shown["reblog"] or shown)["favourited"], "the app does not show the endorsement")

    async def counted() -> int | None:
        page = await marek.browser.open(thread.at_lakeside)
        found = page.posts[thread.uri].endorsements
        return found if found > before else None

    return f"Lakeside counts {await until('the endorsement at Lakeside', counted)}"


async def notice_told(scene: Scene) -> str:
    made = await scene.once("dee's answer", lambda: _answered(scene))
    await reply_arrives(scene)
    thread, marek, app = await scene.thread(), await scene.person("marek"), await _app(scene)
    await marek.reply(thread.at_lakeside, made["uri"], BACK)

    async def told() -> dict[str, Any] | None:
        for notice in await app.get("/api/v1/notifications"):
            if notice["status"] and BACK in notice["status"]["content"]:
                found: dict[str, Any] = notice
                return found
        return None

    notice = await until("Marek's answer among the app's notifications", told)
    who = notice["account"]["acct"]
    return f"the app tells of a {notice['type']} by @{who}: “{BACK}”"


async def stream_tells(scene: Scene) -> str:
    made = await scene.once("dee's answer", lambda: _answered(scene))
    await reply_arrives(scene)
    thread, marek, app = await scene.thread(), await scene.person("marek"), await _app(scene)
    async with app.stream("user") as events:
        await marek.reply(thread.at_lakeside, made["uri"], LIVE)
        async for event, data in events:
            if event != "update" or LIVE not in json.loads(data)["content"]:
                continue
            who = json.loads(data)["account"]["acct"]
            expect(who == f"marek@{scene.lakeside.netloc}", f"the stream says it is by {who}")
            return f"the open stream said “{LIVE}” by @{who}, without being asked again"
    raise Unexpected("The stream ended before Marek's answer came.")
