# SPDX-License-Identifier: Apache-2.0
"""Do events fill from two agencies, and do their changes travel?"""

from dataclasses import dataclass

from web.demo import events
from web.demo.pages import Page
from web.demo.readers import Reader
from web.demo.scene import Scene, expect
from web.demo.waiting import until


@dataclass(frozen=True)
class Webinar:
    """Marek's webinar with its pages at both agencies."""

    at_home: str
    at_riverton: str


async def _webinar(scene: Scene) -> Webinar:
    """Two places: Priya's at Lakeside, Ana's at Riverton; Dee of Riverton waits."""
    await scene.followed()
    marek, priya = await scene.person("marek"), await scene.person("priya")
    ana, dee = await scene.person("ana"), await scene.person("dee")
    page = await events.announce(marek, events.WEBINAR)
    home = page.path.partition("?")[0]
    here = await ana.thread(scene.lakeside, "permits", next(iter(page.posts)))
    await _join(priya, home)
    await _stands(priya, home, "going")
    await _join(ana, here)
    await _stands(ana, here, "going")
    await _join(dee, here)
    return Webinar(home, here)


async def _join(reader: Reader, path: str) -> Page:
    return await reader.browser.submit(path, f"/p/{path.split('/')[2]}/join")


async def _stands(reader: Reader, path: str, state: str) -> Page:
    """The event's page once it says that its reader stands so."""

    async def probe() -> Page | None:
        page = await reader.browser.open(path)
        found = page.root.with_attribute("data-standing")
        return page if found and found[0].get("data-standing") == state else None

    return await until(f"{reader.handle} as {state} at {reader.agency.netloc}", probe)


async def webinar_fills(scene: Scene) -> str:
    webinar = await scene.once("webinar", lambda: _webinar(scene))
    marek, dee = await scene.person("marek"), await scene.person("dee")
    ana = await scene.person("ana")
    place = await _stands(ana, webinar.at_riverton, "going")
    link = events.WEBINAR.fields["online"]
    expect(link in place.words, "Ana has a place and is not told the address online")
    page = await _stands(dee, webinar.at_riverton, "waiting")
    expect("Waiting list, number 1" in page.words, "Dee is not told her place on the list")
    expect(link not in page.html, "Dee, who waits, is told the address online")
    guests = await marek.browser.open(f"/p/{webinar.at_home.split('/')[2]}/guests")
    expect("2 places taken of 2, 1 waiting" in guests.words, f"Lakeside says: {guests.words[:300]}")
    return "2 places, taken by Priya at Lakeside and Ana at Riverton; Dee waits as number 1"


async def place_moves_up(scene: Scene) -> str:
    webinar = await scene.once("webinar", lambda: _webinar(scene))
    ana, dee = await scene.person("ana"), await scene.person("dee")
    await _stands(dee, webinar.at_riverton, "waiting")
    number = webinar.at_riverton.split("/")[2]
    await ana.browser.submit(webinar.at_riverton, f"/p/{number}/leave")
    page = await _stands(dee, webinar.at_riverton, "going")
    notices = await dee.browser.open("/notifications")
    told = notices.words.count("has a place for you at")
    expect(told == 1, f"Dee is told {told} times that she has a place")
    expect(events.WEBINAR.fields["online"] in page.words, "Dee is not told the address online")
    marek = await scene.person("marek")
    guests = await marek.browser.open(f"/p/{webinar.at_home.split('/')[2]}/guests")
    expect("2 places taken of 2, 0 waiting" in guests.words, f"Lakeside says: {guests.words[:300]}")
    return "Ana gave her place back; Dee has it, and was told once"


async def change_travels(scene: Scene) -> str:
    webinar = await scene.once("webinar", lambda: _webinar(scene))
    marek, dee = await scene.person("marek"), await scene.person("dee")
    form = f"/p/{webinar.at_home.split('/')[2]}/event"
    await marek.browser.submit(form, form, start_time="16:00", end_time="17:30")

    async def moved() -> Page | None:
        page = await dee.browser.open(webinar.at_riverton)
        return page if "16:00–17:30" in page.words else None

    await until("the webinar at its new hour at Riverton", moved)
    notices = await dee.browser.open("/notifications")
    expect("changed or cancelled" in notices.words, "Dee is not told of the new hour")
    return "Marek moved the webinar to 16:00; Riverton's page says so, and Dee was told"


async def series_travels(scene: Scene) -> str:
    await scene.followed()
    priya, ana = await scene.person("priya"), await scene.person("ana")
    page = await events.announce(priya, events.HOURS)
    here = await ana.thread(scene.lakeside, "permits", next(iter(page.posts)))

    async def both() -> list[str] | None:
        page = await ana.browser.open(here)
        expect("Every week, 2 times" in page.words, "Riverton does not say how it repeats")
        dates = page.root.find("section", id="dates")
        return [link.get("href") for found in dates for link in found.find("a")] or None

    [other] = await until("the second inspection hour at Riverton", both)
    second = await ana.browser.open(other)
    expect(events.HOURS.fields["title"] in second.title, "The other date leads elsewhere")
    return "Priya announced two inspection hours; at Riverton each is an event that names the other"


async def calling_off_travels(scene: Scene) -> str:
    webinar = await scene.once("webinar", lambda: _webinar(scene))
    marek, dee = await scene.person("marek"), await scene.person("dee")
    form = f"/p/{webinar.at_home.split('/')[2]}/call-off"
    await marek.browser.submit(form, form)

    async def off() -> Page | None:
        page = await dee.browser.open(webinar.at_riverton)
        return page if "This event does not take place" in page.words else None

    await until("the webinar as called off at Riverton", off)
    listed = await dee.browser.open("/events")
    expect("Cancelled" in listed.words, "Riverton's calendar does not say that it is off")
    notices = await dee.browser.open("/notifications")
    expect("changed or cancelled" in notices.words, "Dee is not told that it is off")
    return "Marek called the webinar off; Riverton's page, calendar and notices say so"
