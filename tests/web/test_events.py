# SPDX-License-Identifier: Apache-2.0
"""The pages of the calendar, as people use them."""

import re
from datetime import UTC

import vobject
from sqlalchemy import select

from storage.letters import Letter
from tests.clock import TurnableClock
from tests.server.calendar.bench import WEBINAR
from tests.web import announcing
from tests.web.announcing import Scene

FEED = re.compile(r'value="http://[^/"]+(/events/mine/[^"]+\.ics)"')
scene = announcing.scene


async def _visitor_chooses_a_zone(scene: Scene, place: str) -> None:
    """Whoever has no account is remembered as well, by a cookie that says nothing else."""
    await scene.send("visitor", "/events/zone", zone="Asia/Tokyo")
    assert "04:00–05:00 (Asia/Tokyo, UTC+9)" in await scene.read("visitor", place)
    await scene.send("visitor", "/events/zone", zone="")
    assert "Asia/Tokyo, UTC+9" not in await scene.read("visitor", place)


async def test_an_event_is_announced_found_and_changed(scene: Scene) -> None:
    form = f"/f/{scene.forum.handle}/events/new"
    assert 'href="/events/new"' in await scene.read("dee", "/events")
    assert f'href="{form}"' in await scene.read("dee", "/events/new")
    answer = await scene.send("dee", form, **{**WEBINAR, "title": "", "end_time": "13:00"})
    assert answer.status_code == 422
    assert "Give the event a title" in answer.text
    assert "It has to end after it begins" in answer.text
    assert 'value="Europe/Berlin" selected' in answer.text
    # Posted twice by one form, it is there once.
    sent = {**WEBINAR, "title": "Kerbs and ramps", "kind": "workshop", "once": "x" * 20}
    places = {(await scene.send("dee", form, **sent)).headers["location"] for _ in range(2)}
    assert len(places) == 1
    [place] = places
    for path in ("/events", "/events?kind=workshop", f"/events?forum={scene.forum.handle}",
                 "/events?view=month&date=2026-12-01", "/events?view=week&date=2026-12-03",
                 f"/f/{scene.forum.handle}"):  # fmt: skip
        page = await scene.read("visitor", path)
        assert "Kerbs and ramps" in page, path
        assert "Nothing is in the calendar" not in page
    assert "Kerbs and ramps" not in await scene.read("visitor", "/events?kind=conference")
    assert "Nothing is in the calendar" in await scene.read("visitor", "/events?date=2027-05-01")
    assert "Kerbs and ramps" in await scene.read("visitor", "/search?q=Nowak")
    assert "Kerbs and ramps" not in await scene.read("visitor", "/search?q=meet.lakeside")
    number = place.split("/")[2]
    assert (await scene.browsers["ana"].get(f"/p/{number}/event")).status_code == 403
    form = await scene.read("dee", f"/p/{number}/event")
    assert "14:05 | Twenty-one days | Marek Nowak" in form
    moved = {**sent, "start_time": "20:00", "end_time": "21:00"}
    assert (await scene.send("dee", f"/p/{number}/event", **moved)).status_code == 303
    await scene.send("ana", "/events/zone", zone="Asia/Tokyo")
    page = await scene.read("ana", place)
    assert "20:00–21:00 (Europe/Berlin, UTC+1)" in page
    assert "Friday 4 December 2026, 04:00–05:00 (Asia/Tokyo, UTC+9)" in page
    assert "Friday 4 December 2026" in await scene.read("ana", "/events")
    assert (await scene.send("ana", "/events/zone", zone="Mars/Base")).status_code == 404
    await _visitor_chooses_a_zone(scene, place)
    remains = {"recording": "https://media.example/x", "materials": "Slides | https://x.example/s"}
    assert (await scene.send("dee", f"/p/{number}/materials", **remains)).status_code == 303
    page = await scene.read("visitor", place)
    assert 'href="https://x.example/s"' in page
    bad = await scene.send("dee", f"/p/{number}/materials", materials="Slides | nowhere")
    assert (bad.status_code, "has none" in bad.text) == (422, True)


async def test_places_are_taken_and_given_back_with_an_answer_to_each(scene: Scene) -> None:
    assert "Sign in to take a place" in await scene.page("visitor")
    assert "Take a place" in await scene.page("dee")
    answer = await scene.send("dee", f"{scene.path}/join")
    assert answer.headers["location"].endswith("#signing-up")
    page = await scene.page("dee")
    assert "You have a place" in page
    assert WEBINAR["online"] in page
    assert "Join the waiting list" in await scene.page("lee")
    await scene.send("lee", f"{scene.path}/join")
    page = await scene.page("lee")
    assert "Waiting list, number 1" in page
    for who in ("lee", "visitor"):
        found = await scene.browsers[who].get(f"{scene.path}/event.ics")
        assert WEBINAR["online"] not in found.text + await scene.page(who)
    guests = await scene.read("ana", f"{scene.path}/guests")
    assert "1 place taken of 1, 1 waiting" in guests
    for who in ("dee", "lee"):
        assert (await scene.browsers[who].get(f"{scene.path}/guests")).status_code == 403
        for part in ("guests", "call-off", "materials", "event"):
            sent = await scene.send(who, f"{scene.path}/{part}", guest="1", action="remove")
            assert sent.status_code == 403, (who, part)
    await scene.send("dee", f"{scene.path}/leave")
    assert "You have a place" in await scene.page("lee")
    refused = await scene.send("dee", f"{scene.path}/leave")
    assert (refused.status_code, "no place here to give back" in refused.text) == (403, True)
    number = re.search(r'name="guest" value="(\d+)"', guests)
    assert number is not None
    assert "cannot be taken back" in await scene.read("ana", f"{scene.path}/call-off")
    await scene.send("ana", f"{scene.path}/call-off")
    page = await scene.page("lee")
    assert "This event does not take place" in page
    assert "Take a place" not in await scene.page("dee")
    refused = await scene.send("dee", f"{scene.path}/join")
    assert "This event is cancelled." in refused.text


async def test_other_calendars_read_the_feeds_and_nobody_elses(scene: Scene) -> None:
    await scene.send("dee", f"{scene.path}/join")
    for path in ("/events.ics", f"/f/{scene.forum.handle}/events.ics", f"{scene.path}/event.ics"):
        answer = await scene.browsers["visitor"].get(path)
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        entry = vobject.readOne(answer.text).vevent
        assert entry.uid.value == scene.post.uri
        assert entry.dtstart.value.astimezone(UTC).hour == 13
        assert WEBINAR["online"] not in answer.text
    found = FEED.search(await scene.read("dee", "/events"))
    assert found is not None
    # No cookie: whoever has the address may read it, and it says what only she is told.
    own = await scene.browsers["visitor"].get(found[1])
    assert "CONFERENCE" in own.text
    assert "meet.lakeside.example.gov" in own.text.replace("\r\n ", "")
    other = await scene.browsers["visitor"].get(found[1].replace("-", "-0", 1))
    assert other.status_code == 404
    await scene.send("dee", "/events/renew")
    assert (await scene.browsers["visitor"].get(found[1])).status_code == 404
    renewed = FEED.search(await scene.read("dee", "/events"))
    assert renewed is not None
    assert (await scene.browsers["visitor"].get(renewed[1])).status_code == 200


async def letters(scene: Scene) -> list[str]:
    async with scene.instance.reading() as session:
        return list((await session.execute(select(Letter.text).order_by(Letter.id))).scalars())


async def test_a_letter_takes_a_place_for_somebody_without_an_account(
    scene: Scene, clock: TurnableClock
) -> None:
    assert "Without an account" in await scene.page("visitor")
    assert "Without an account" not in await scene.page("dee")
    form = f"{scene.path}/by-mail"
    await scene.read("visitor", form)
    for email in ("nobody", "a@b", "x@y.example, z@y.example", "x y@z.example"):
        refused = await scene.send("visitor", form, name="Kim", email=email)
        assert (refused.status_code, "e-mail address" in refused.text) == (422, True), email
    wanted = {"name": "Kim Doe", "email": "Kim@Village.example"}
    for _ in range(2):
        # Asked again within minutes, nobody gets a second letter.
        assert (await scene.send("visitor", form, **wanted)).status_code == 303
    [letter] = await letters(scene)
    found = re.search(r"http://[^/]+(/p/\d+/place/\S+)", letter)
    assert found is not None
    place = found[1]
    assert "press the button" in await scene.read("visitor", place)
    # To have opened the link takes nothing: programs that read mail open links as well.
    assert "0 taken" in await scene.page("visitor")
    assert (await scene.send("visitor", place, action="take")).headers["location"] == place
    page = await scene.read("visitor", place)
    assert "You have a place" in page
    assert WEBINAR["online"] in page
    assert "kim@village.example" in await scene.read("ana", f"{scene.path}/guests")
    assert "kim@village.example" not in await scene.page("dee")
    assert (await scene.browsers["visitor"].get(place[:-1] + "x")).status_code == 404
    await scene.send("dee", f"{scene.path}/join")
    assert "Waiting list, number 1" in await scene.page("dee")

    clock.turn(days=10, hours=5)
    guests = await scene.read("ana", f"{scene.path}/guests")
    number = re.search(r'name="guest" value="(\d+)"', guests)
    assert number is not None
    await scene.send("ana", f"{scene.path}/guests", guest=number[1], action="came")
    thanks = (await letters(scene))[-1]
    found = re.search(r"http://[^/]+(/p/\d+/certificate/\S+)", thanks)
    assert found is not None
    page = await scene.read("visitor", found[1])
    for words in ("Kim Doe", WEBINAR["title"], "1 hour and 30 minutes", "City of Riverton"):
        assert words in page
    forged = found[1].replace("-", "-0", 1)
    assert (await scene.browsers["visitor"].get(forged)).status_code == 404
    await scene.send("ana", f"{scene.path}/guests", guest=number[1], action="missed")
    assert (await scene.browsers["visitor"].get(found[1])).status_code == 404


async def test_an_event_is_seen_on_other_websites(scene: Scene) -> None:
    answer = await scene.browsers["dee"].get(f"/events/embed?forum={scene.forum.handle}")
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert WEBINAR["title"] in answer.text
    assert "<form" not in answer.text
    assert "Dee" not in answer.text
    for path in ("/events", f"{scene.path}/by-mail"):
        other = await scene.browsers["visitor"].get(path)
        assert "frame-ancestors 'none'" in other.headers["content-security-policy"]
