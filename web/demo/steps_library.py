# SPDX-License-Identifier: Apache-2.0
"""Does a practice reach the other agency, and does its report come back?"""

from web.demo import practices
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.scene import Scene, expect
from web.demo.waiting import until

NUMBERS = {
    "o0.baseline.value": "21",
    "o0.baseline.date": "2025-11",
    "o0.baseline.n": "300",
    "o0.actual.value": "12.6",
    "o0.actual.date": "2026-09",
    "o0.actual.n": "310",
    "fidelity": "adapted",
    "changed": "Scanned drawings are still taken at the counter.",
}


async def _published(scene: Scene) -> tuple[str, str, str]:
    """(uri, path at Lakeside, path at Riverton) of Marek's practice."""
    await scene.followed()
    marek, ana = await scene.person("marek"), await scene.person("ana")
    page = await practices.publish(marek, practices.PRACTICES[0])
    uri = next(iter(page.posts))
    return uri, page.path.partition("?")[0], await ana.thread(scene.lakeside, "permits", uri)


async def practice_travels(scene: Scene) -> str:
    _, home, here = await scene.once("practice", lambda: _published(scene))
    marek, ana = await scene.person("marek"), await scene.person("ana")
    at_home, copy = await marek.browser.open(home), await ana.browser.open(here)
    for told in ("−40 %", "12.6 days", "Map what makes an application incomplete", "Measured"):
        expect(told in at_home.words, f"Lakeside does not show “{told}” of its practice")
        expect(told in copy.words, f"Riverton does not show “{told}” of Lakeside's practice")
    listed = await ana.browser.open("/practices?topic=permits-and-licensing")
    expect(here in listed.links("/p/"), "Riverton's library does not list the practice")
    return f"Riverton shows “{copy.title}” whole, with −40 % computed there, at step Measured"


async def replication_counted(scene: Scene) -> str:
    _, home, here = await scene.once("practice", lambda: _published(scene))
    marek, ana = await scene.person("marek"), await scene.person("ana")
    form = f"/p/{here.split('/')[2]}/replicate"
    await ana.browser.submit(form, form, **NUMBERS)
    said = "Worked at 1 other agency"
    for reader, path, where in ((marek, home, "Lakeside"), (ana, here, "Riverton")):

        async def counted(reader: Reader = reader, path: str = path) -> Page | None:
            page = await reader.browser.open(path)
            return page if said in page.words and "City of Riverton" in page.words else None

        page = await until(f"Ana's report as counted at {where}", counted)
        expect(page.words.count("−40 %") >= 2, f"{where} does not show −40 % for both agencies")
    return f"Ana reported 21 to 12.6 days; both agencies show −40 % for Riverton and “{said}”"
