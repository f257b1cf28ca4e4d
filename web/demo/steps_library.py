# SPDX-License-Identifier: Apache-2.0
"""Does a practice reach the other agency, and what comes of it come back?"""

from web.demo import practices
from web.demo.pages import Page
from web.demo.practices import LESSON, NUMBERS, Adapted, choice, number
from web.demo.readers import Reader
from web.demo.scene import EARLIER, EARLIER_REPLY, Scene, expect
from web.demo.story import COUNTERS, DEE
from web.demo.waiting import until

TITLE = "What the old form asked, asked once"
UNSAFE = "It asks for papers that the law no longer lets an agency keep."
WARNING = "Step 3 tests with builders only: ask somebody who builds once as well."


async def _published(scene: Scene) -> tuple[str, str, str]:
    """(uri, path at Lakeside, path at Riverton) of Marek's practice."""
    await scene.followed()
    marek, ana = await scene.person("marek"), await scene.person("ana")
    page = await practices.publish(marek, practices.PRACTICES[0])
    uri = next(iter(page.posts))
    return uri, page.path.partition("?")[0], await ana.thread(scene.lakeside, "permits", uri)


async def practice_of(scene: Scene) -> tuple[str, str, str]:
    """(uri, path at Lakeside, path at Riverton) of the practice that all steps are about."""
    return await scene.once("practice", lambda: _published(scene))


async def practice_travels(scene: Scene) -> str:
    _, home, here = await practice_of(scene)
    marek, ana = await scene.person("marek"), await scene.person("ana")
    at_home, copy = await marek.browser.open(home), await ana.browser.open(here)
    for told in ("−40 %", "12.6 days", "Map what makes an application incomplete", "Measured"):
        expect(told in at_home.words, f"Lakeside does not show “{told}” of its practice")
        expect(told in copy.words, f"Riverton does not show “{told}” of Lakeside's practice")
    listed = await ana.browser.open("/practices?topic=permits-and-licensing")
    expect(here in listed.links("/p/"), "Riverton's library does not list the practice")
    return f"Riverton shows “{copy.title}” whole, with −40 % computed there, at step Measured"


async def replication_counted(scene: Scene) -> str:
    _, home, here = await practice_of(scene)
    marek, ana = await scene.person("marek"), await scene.person("ana")
    await practices.report(ana, here, NUMBERS)
    said = "Worked at 1 other agency"
    for reader, path, where in ((marek, home, "Lakeside"), (ana, here, "Riverton")):

        async def counted(reader: Reader = reader, path: str = path) -> Page | None:
            page = await reader.browser.open(path)
            return page if said in page.words and "City of Riverton" in page.words else None

        page = await until(f"Ana's report as counted at {where}", counted)
        expect(page.words.count("−40 %") >= 2, f"{where} does not show −40 % for both agencies")
    return f"Ana reported 21 to 12.6 days; both agencies show −40 % for Riverton and “{said}”"


async def _adapted(scene: Scene) -> str:
    """The path of Dee's adaptation, in Riverton's own forum, of Marek's practice."""
    _, _, here = await practice_of(scene)
    dee = await scene.person("dee")
    adapted = Adapted(DEE, COUNTERS, "Permits at the counter", LESSON)
    made = await practices.adapt(dee, here, adapted)
    return made.path.partition("?")[0]


async def adaptation_known(scene: Scene) -> str:
    _, home, _ = await practice_of(scene)
    made = await scene.once("adaptation", lambda: _adapted(scene))
    marek = await scene.person("marek")
    said = "City of Riverton adapted this practice"

    async def known() -> Page | None:
        page = await marek.browser.open(home)
        return page if said in page.words else None

    await until("Riverton's adaptation below Lakeside's practice", known)
    page = await (await scene.person("dee")).browser.open(made)
    expect("Adapted from" in page.words, "Riverton's adaptation does not say where it came from")
    return f"Lakeside shows “{said}”; Riverton's page says where it came from"


async def change_taken_over(scene: Scene) -> str:
    _, home, here = await practice_of(scene)
    made = await scene.once("adaptation", lambda: _adapted(scene))
    marek, dee = await scene.person("marek"), await scene.person("dee")
    form = f"/p/{number(made)}/offer"
    sent = await dee.browser.submit(form, form, note="It saves a month.", **{"s.lessons": "yes"})

    async def offered() -> str | None:
        links = (await marek.browser.open(home)).links("/practices/offers/")
        return links[0] if links else None

    offer = await until("Dee's offer on Lakeside's practice", offered)
    draft = await marek.browser.submit(offer, offer, action="take")
    await marek.browser.submit(draft.path, f"{draft.path}/publish", note="What Riverton learned.")

    async def follows() -> Page | None:
        page = await dee.browser.open(here)
        return page if LESSON in page.words and "Version 2" in page.words else None

    await until("version 2 of the practice at Riverton", follows)
    history = (await dee.browser.open(f"/p/{number(here)}/versions")).words
    for line in ("What Riverton learned.", "From version 1 to version 2", *LESSON[:-1].split()):
        expect(line in history, f"Riverton's page of the versions does not say “{line}”")

    async def told() -> bool | None:
        return "Taken over" in (await dee.browser.open(sent.path.partition("?")[0])).words or None

    await until("Lakeside's answer at Riverton", told)
    return "Lakeside took Riverton's lesson into version 2; Riverton shows it beside version 1"


async def warning_follows(scene: Scene) -> str:
    _, home, _ = await practice_of(scene)
    made = await scene.once("adaptation", lambda: _adapted(scene))
    marek, dee = await scene.person("marek"), await scene.person("dee")
    form = f"/p/{number(home)}/notice"
    await marek.browser.submit(form, form, kind="advisory", words=WARNING, action="warn")

    async def warned() -> Page | None:
        page = await dee.browser.open(made)
        return page if WARNING in page.words and "Advisory about" in page.words else None

    await until("Lakeside's advisory on Riverton's adaptation", warned)
    notices = await dee.browser.open("/notifications")
    expect("warns about" in notices.words, "Dee was not told of the advisory")
    return "Lakeside's advisory stands on Riverton's adaptation, and its author was told"


async def _distilled(scene: Scene) -> tuple[str, str]:
    """Ana's practice of a thread at Lakeside, in that forum: its path there and at Riverton."""
    await scene.followed()
    ana, marek = await scene.person("ana"), await scene.person("marek")
    thread, reply = await scene.earlier()
    path = await ana.thread(scene.lakeside, "permits", thread)
    chosen = (await ana.seen(path, reply)).id
    form = f"/p/{number(path)}/distil"
    draft = await ana.browser.submit(form, form, **{f"r{chosen}": "yes"})
    about = f"{draft.path}/about"
    await ana.browser.submit(about, about, name=TITLE, summary="Ask once.", action="save")
    forum = (await ana.browser.open(ana.path(scene.lakeside, "permits"))).title
    offered = f"{forum} ({scene.lakeside.sign.agency})"
    to = choice(await ana.browser.open(draft.path), offered)
    made = await ana.browser.submit(draft.path, f"{draft.path}/publish", forum=to)
    uri = next(iter(made.posts))
    return await marek.thread(scene.lakeside, "permits", uri), made.path.partition("?")[0]


async def thread_distilled(scene: Scene) -> str:
    there, here = await scene.once("distilled", lambda: _distilled(scene))
    marek, ana = await scene.person("marek"), await scene.person("ana")
    thread, _ = await scene.earlier()
    for reader, path, where in ((marek, there, "Lakeside"), (ana, here, "Riverton")):
        practice = await reader.browser.open(path)
        for told in (EARLIER, EARLIER_REPLY, "With thanks to", "Marek Nowak", "Priya Shah"):
            expect(told in practice.words, f"The practice at {where} does not show “{told}”")
        talk = await reader.browser.open(await reader.thread(scene.lakeside, "permits", thread))
        said = f"This discussion became a practice: {TITLE}"
        expect(said in talk.words, f"The discussion at {where} does not say “{said}”")
    return f"At both agencies the discussion says “{said}”, which credits Marek and Priya"


async def forum_withdraws(scene: Scene) -> str:
    there, here = await scene.once("distilled", lambda: _distilled(scene))
    lou, ana = await scene.person("lou"), await scene.person("ana")
    form = f"/p/{number(there)}/notice"
    await lou.browser.submit(form, form, words=UNSAFE, action="warn")
    said = "Withdrawn by the stewards of "

    async def withdrawn() -> Page | None:
        page = await ana.browser.open(here)
        return page if said in page.words and UNSAFE in page.words else None

    await until("Lakeside's withdrawal on Ana's practice at Riverton", withdrawn)
    notices = await ana.browser.open("/notifications")
    expect("withdrew" in notices.words, "Ana was not told that her practice was withdrawn")
    return "Lakeside's stewards withdrew Ana's practice; Riverton's page says why, and she was told"
