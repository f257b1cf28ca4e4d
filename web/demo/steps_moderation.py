# SPDX-License-Identifier: Apache-2.0
"""Is a forum kept healthy across agencies?"""

from web.demo.pages import Page
from web.demo.scene import Scene, expect
from web.demo.waiting import until

REASON = "The last line names a resident."


async def report_arrives(scene: Scene) -> str:
    thread = await scene.thread()
    ana, lou = await scene.person("ana"), await scene.person("lou")
    form = f"/p/{(await ana.seen(thread.at_riverton, thread.uri)).id}/report"
    await ana.browser.submit(form, form, reason=REASON)

    async def listed() -> Page | None:
        page = await lou.browser.open("/f/permits/reports")
        return page if page.root.find("li", data_report=thread.uri) else None

    page = await until("Ana's report at Lakeside", listed)
    expect(REASON in page.words, f"the reports at Lakeside say “{page.words[:200]}”")
    return f"“{REASON}” by Ana stands before Lakeside's stewards"


async def shut_out_holds(scene: Scene) -> str:
    thread, reply = await scene.thread(), await scene.reply()
    ana, lou = await scene.person("ana"), await scene.person("lou")
    form = f"/p/{(await lou.seen(thread.at_lakeside, reply)).id}/shut-out"

    async def may_reply(wanted: bool) -> None:
        async def probe() -> bool | None:
            page = await ana.browser.open(thread.at_riverton)
            return bool(page.root.find("textarea", name="source")) is wanted or None

        await until(f"a thread at Riverton that Ana {'may' if wanted else 'may not'} answer", probe)

    await may_reply(True)
    await lou.browser.submit(form, form, reason="To see that it holds.")
    await may_reply(False)
    await lou.browser.submit(form, form)
    await may_reply(True)
    return "Ana was shut out by Lakeside, could not answer at Riverton, and was let in again"
