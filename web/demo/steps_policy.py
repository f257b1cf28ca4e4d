# SPDX-License-Identifier: Apache-2.0
"""Is everybody else kept out, in words that they can read?"""

from web.demo.pages import Page
from web.demo.peer import Answer
from web.demo.scene import STRANGER, Scene, expect
from web.demo.waiting import until

UNWANTED = "Permits in one hour, call now"
CLOSED = "Figures of the register, not for publication"
MISSING = "/p/1234567"


async def _knocked(scene: Scene) -> Answer:
    forum = f"{scene.lakeside.origin}/f/permits"
    activity = scene.peer.thread(forum, UNWANTED, "Best prices.")
    return await scene.peer.post(scene.lakeside, "/inbox", activity)


async def inbox_refused(scene: Scene) -> str:
    answer = await scene.once("knocked", lambda: _knocked(scene))
    expect(answer.status == 403, f"the inbox answered {answer.status} “{answer.sentence[:200]}”")
    sentence = answer.sentence
    expect(
        sentence.endswith(".") and "\n" not in sentence and len(sentence) < 300,
        f"the refusal is not one sentence: “{sentence[:300]}”",
    )
    expect(not scene.peer.asked, f"the stranger was asked for {', '.join(scene.peer.asked)}")
    page = await (await scene.person("marek")).browser.open("/f/permits")
    expect(UNWANTED not in page.words, "the stranger's thread is shown in the forum")
    return f"403 “{sentence}”; nothing was fetched from the stranger, and nothing is shown"


async def fetch_refused(scene: Scene) -> str:
    uri, _ = await scene.earlier()
    path = uri.removeprefix(scene.lakeside.origin)
    said = ""
    for what in (path, MISSING):
        kind = "a thread" if what == path else "a missing id"
        unsigned = await scene.peer.get(scene.lakeside, what, signed=False)
        expect(unsigned.status == 401, f"{kind}, unsigned, answered {unsigned.status}, not 401")
        signed = await scene.peer.get(scene.lakeside, what)
        expect(signed.status == 403, f"{kind}, signed, answered {signed.status}, not 403")
        said = signed.sentence
    return f"a thread and a missing id alike: unsigned 401, signed 403 “{said}”"


async def knock_recorded(scene: Scene) -> str:
    await scene.once("knocked", lambda: _knocked(scene))
    tess = await scene.person("tess")
    path = await tess.find_forum(scene.lakeside, "permits")
    await tess.browser.submit(path, f"{path}/follow")
    lou = await scene.person("lou")
    wanted = (STRANGER, scene.elsewhere.sign.host)

    async def shown() -> Page | None:
        page = await lou.browser.open("/admin/federation")
        return page if all(host in page.words for host in wanted) else None

    await until(f"{' and '.join(wanted)} on Lakeside's page for admins", shown)
    expect((await _follow_of_tess(scene)) != "accepted", "Elsewhere's follow was accepted")
    return f"Lakeside's admin sees that {wanted[0]} and {wanted[1]} knocked"


async def _follow_of_tess(scene: Scene) -> str:
    tess = await scene.person("tess")
    return (await tess.browser.open(tess.path(scene.lakeside, "permits"))).follow


async def agencies_forum_closed(scene: Scene) -> str:
    priya, ana = await scene.person("priya"), await scene.person("ana")
    lakeside = scene.lakeside
    await ana.follow(lakeside, "data")
    uri = await priya.post(lakeside, "data", CLOSED, "412 addresses in three registers.")
    path = uri.removeprefix(lakeside.origin)
    await ana.thread(lakeside, "data", uri)
    async with lakeside.visitor() as nobody, scene.riverton.visitor() as passer_by:
        for visitor, page in (
            (nobody, "/f/data"),
            (nobody, path),
            (passer_by, ana.path(lakeside, "data")),
        ):
            status = (await visitor.look(page)).status
            expect(status == 404, f"{visitor.netloc}{page} answered an anonymous visitor {status}")
    seen = []
    for what, missing in (("/f/data", "/f/nothing"), (path, MISSING)):
        answer = await scene.peer.get(lakeside, what)
        expect(answer.status in {401, 403}, f"{what} answered the stranger {answer.status}")
        like = await scene.peer.get(lakeside, missing)
        expect(answer == like, f"{what} does not answer the stranger as {missing} does")
        seen.append(str(answer.status))
    return (
        f"“{CLOSED}”: Ana reads it at Riverton; anonymous visitors of both agencies get 404,"
        f" the stranger {' and '.join(seen)}"
    )
