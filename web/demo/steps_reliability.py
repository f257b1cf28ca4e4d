# SPDX-License-Identifier: Apache-2.0
"""Does everything arrive in the end, whatever stops in between?"""

from web.demo.scene import Scene, expect

TITLES = ("A quiet hour on Wednesdays", "Signs that people read", "Chairs for those who wait")


async def offline_catches_up(scene: Scene) -> str:
    marek, dee = await scene.person("marek"), await scene.person("dee")
    await scene.counters()
    await scene.lakeside.stop()
    written = [
        await dee.post(scene.riverton, "counters", title, f"More about it: {title.lower()}.")
        for title in TITLES
    ]
    path = await dee.thread(scene.riverton, "counters", written[0])
    reply = await dee.reply(path, written[0], "It costs us one person from the telephone.")
    await scene.lakeside.start()
    for uri, title in zip(written, TITLES, strict=True):
        copy = await marek.thread(scene.riverton, "counters", uri)
        page = await marek.browser.open(copy)
        expect(page.title == title, f"a title arrived as “{page.title}”")
    seen = await marek.seen(await marek.thread(scene.riverton, "counters", written[0]), reply)
    return f"{len(written)} threads and the reply “{seen.body}” arrived after Lakeside came back"
