# SPDX-License-Identifier: Apache-2.0
"""Does everything arrive in the end, whatever stops in between?"""

from web.demo import crews
from web.demo.scene import Scene, expect

TITLES = ("A quiet hour on Wednesdays", "Signs that people read", "Chairs for those who wait")


async def offline_catches_up(scene: Scene) -> str:
    marek, sam = await scene.person("marek"), await scene.person("sam")
    # Somebody new, since the others may have written as much by now as one may in a minute.
    lene = await crews.join(sam, "lene", "Lene Holm")
    await scene.counters()
    await scene.lakeside.stop()
    written = [
        await lene.post(scene.riverton, "counters", title, f"More about it: {title.lower()}.")
        for title in TITLES
    ]
    path = await lene.thread(scene.riverton, "counters", written[0])
    reply = await lene.reply(path, written[0], "It costs us one person from the telephone.")
    await scene.lakeside.start()
    for uri, title in zip(written, TITLES, strict=True):
        copy = await marek.thread(scene.riverton, "counters", uri)
        page = await marek.browser.open(copy)
        expect(page.title == title, f"a title arrived as “{page.title}”")
    seen = await marek.seen(await marek.thread(scene.riverton, "counters", written[0]), reply)
    return f"{len(written)} threads and the reply “{seen.body}” arrived after Lakeside came back"
