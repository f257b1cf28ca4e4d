# SPDX-License-Identifier: Apache-2.0
"""The page of one agency's server, and the list it is found in."""

import re
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

import httpx
import pytest
from sqlalchemy import insert
from starlette.applications import Starlette

from server import peers
from server.instance import Instance
from storage import log
from storage.inbox import InboxRow
from storage.log import ActivityBody, Entry, Form, Lane, Parked
from storage.members import Member
from storage.peers import Peer
from tests import makers
from tests.clock import TurnableClock
from tests.statements import counted
from tests.web.page import Page, words

HOST = makers.LAKESIDE
PATH = f"/admin/federation/peer/{HOST}"
LATE = "2 hours ago"


@pytest.fixture
async def desk(client: httpx.AsyncClient, instance: Instance, admin: Member) -> httpx.AsyncClient:
    """The browser of the administrator."""
    await makers.sign_in(client, instance, admin)
    return client


@pytest.fixture
async def lakeside(instance: Instance, clock: TurnableClock, admin: Member) -> Lane:
    """Lakeside, away for two hours: one post waits for it, and one was set aside before."""
    forum = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, forum, "A <quiet> hour")
    async with instance.transaction() as tx:
        peer = await peers.seen(tx, HOST, f"http://{HOST}")
        peer.name, peer.software, peer.version = "City of <Lakeside>", "guildhall", "0.1.0"
        peer.described = peer.last_heard = peer.last_delivered = tx.now
        peer.failing_since, peer.failures = tx.now, 3
        peer.next_try = tx.now + timedelta(hours=3)
        peer.last_error = "503 <h1>Closed\nfor repairs</h1>"
        lane = await log.lane_to(tx.session, f"http://{HOST}/inbox", HOST, tx.ids.next(), tx.now)
        lane.delivered, lane.refused, lane.last_refusal = 12_345, 2, "410 Gone <now>"
        await log.subscribe(tx.session, forum.uri, lane, tx.ids.next())
        for number in (1, 2):
            body = ActivityBody(id=number, body='{"type":"Update"}', subject=thread.uri)
            tx.session.add(body)
            await tx.session.flush()
            entry = Entry(Form.WRAPPED, f"#{number}", forum.uri, thread.uri, forum.uri, thread.uri)
            await log.append(tx.session, entry, number, tx.now)
        lane.cursor = 1
        parked = Parked(lane_id=lane.id, seq=1, order_key=thread.uri, attempts=4, next_try=tx.now)
        parked.error = "500 <i>no</i>"
        tx.session.add(parked)
        for number in range(3):
            tx.session.add(_received(tx.ids.next(), f"#like-{number}", tx.now))
    clock.turn(hours=2)
    return lane


def _received(key: int, activity: str, at: datetime) -> InboxRow:
    return InboxRow(
        id=key, signer=f"http://{HOST}/u/marek", activity_id=activity, kind="Like", key_id="",
        request_digest="", body="{}", received=at, next_try=at,
    )  # fmt: skip


def facts(page: Page) -> dict[str, str]:
    """What the page's tables of facts say."""
    return {
        words(row[0]): words(row[1]) for group in page.all("dl") for row in group if len(row) == 2
    }


@pytest.mark.usefixtures("lakeside")
async def test_the_page_of_a_peer_says_all_there_is_to_know(
    app: Starlette, desk: httpx.AsyncClient
) -> None:
    listed = Page(await desk.get("/admin/federation"))
    link = next(iter(listed.one("li", data_peer=HOST).iter("a")))
    assert unquote(link.get("href", "")) == PATH
    page = Page(await desk.get(PATH))
    assert page.status == 200
    assert words(page.one("h1")) == "City of <Lakeside>"
    assert facts(page) == {
        "Waiting to be sent": "1",
        "Oldest of these written": LATE,
        "On the way now": "Not known here",
        "Set aside": "1",
        "Delivered": "12,345",
        "Last delivered": LATE,
        "Refused for good": "2",
        "Last heard from": LATE,
        "Received, not yet worked on": "3",
        "Calls itself": "City of <Lakeside>",
        "Software": "guildhall 0.1.0",
        "Last described itself": LATE,
        "Known since": LATE,
    }
    assert "Not reached since 23 November 2026" in page.main
    assert "3 attempts so far" in page.main
    assert "Next try 23 November 2026" in page.main
    assert "has to catch up" not in page.main
    assert [words(quoted) for quoted in page.all("q")] == [
        "503 <h1>Closed for repairs</h1>",
        "500 <i>no</i>",
        "410 Gone <now>",
        "500 <i>no</i>",
    ]
    (aside,) = [words(e) for e in page.all("li") if e.get("data-parked")]
    assert aside.startswith("Change: thread “A <quiet> hour” Written 2 hours ago · tried 4 times")

    class Sending:
        def in_flight(self, host: str) -> int:
            return 6 if host == HOST else 0

    app.state.traffic = Sending()
    assert facts(Page(await desk.get(PATH)))["On the way now"] == "6"


async def test_what_was_given_up_is_said(
    desk: httpx.AsyncClient, instance: Instance, lakeside: Lane
) -> None:
    async with instance.transaction() as tx:
        (await tx.session.get_one(Lane, lakeside.id)).catch_up = tx.now
    assert "It has to catch up." in Page(await desk.get(PATH)).main
    assert "Has to catch up" in Page(await desk.get("/admin/federation")).main
    async with instance.transaction() as tx:
        (await tx.session.get_one(Peer, HOST)).software = "lemmy"
    page = Page(await desk.get(PATH)).main
    assert "It has missed something for good." in page
    assert "still waits for it" in page


async def test_a_server_that_refuses_everything_is_marked_and_found(
    desk: httpx.AsyncClient, instance: Instance, lakeside: Lane
) -> None:
    async with instance.transaction() as tx:
        (await tx.session.get_one(Lane, lakeside.id)).refusing_since = tx.now
        (await tx.session.get_one(Peer, HOST)).failing_since = None
    page = Page(await desk.get(PATH)).main
    assert "Refuses everything since 23 November 2026" in page
    listed = Page(await desk.get("/admin/federation?show=refusing"))
    assert "Refuses everything" in words(listed.one("li", data_peer=HOST))
    assert "410 Gone <now>" in [words(quoted) for quoted in listed.all("q")]
    assert "1 agency answered, and refused all" in Page(await desk.get("/admin")).main


async def press(desk: httpx.AsyncClient, action: str) -> str:
    """Press a button of the page; the sentence shown then."""
    answer = await makers.submit(desk, PATH, action=action)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    return words(Page(await desk.get(PATH)).one(class_="said"))


def buttons(page: Page) -> list[str]:
    return [words(e) for e in page.one("main").iter("button")]


@pytest.mark.usefixtures("lakeside")
async def test_each_button_answers_and_is_recorded(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    woken: list[None] = []
    instance.on_wake(lambda: woken.append(None))
    assert buttons(Page(await desk.get(PATH))) == ["Try now", "Pause"]
    assert "is tried now" in await press(desk, "retry")
    assert "It is tried now." in Page(await desk.get(PATH)).main
    assert (await press(desk, "pause")).startswith("Paused.")
    paused = Page(await desk.get(PATH))
    assert buttons(paused) == ["Resume"]
    assert "Paused since 23 November 2026, 11:0" in paused.main
    assert "tried 4 times · not tried while paused" in paused.main
    assert (await makers.submit(desk, PATH, action="retry")).status_code == 422
    assert (await press(desk, "resume")).startswith("Resumed.")
    ask = Page(await desk.get(f"{PATH}/forget"))
    assert "1 delivery waiting to be sent and 1 delivery set aside are no longer" in ask.main
    assert "They can ask for what they missed" in ask.main
    assert "wrote in forums that live there, and has not arrived, never will" in ask.main
    assert (await press(desk, "forget")).startswith("Dropped.")
    page = Page(await desk.get(PATH))
    assert (facts(page)["Waiting to be sent"], facts(page)["Set aside"]) == ("0", "0")
    assert page.all(id="parked") == []
    assert "Not reached since" not in page.main
    record = (await desk.get("/admin/record")).text
    verbs = re.findall(r'data-verb="peer\.(\w+)"', record)
    assert verbs == ["forgotten", "resumed", "paused", "retried"]
    assert len(woken) == 4


@pytest.mark.parametrize("action", ["retry", "pause", "resume", "forget"])
@pytest.mark.usefixtures("lakeside")
async def test_only_administrators_see_and_press(
    client: httpx.AsyncClient, instance: Instance, action: str
) -> None:
    await makers.sign_in(client, instance, await makers.member(instance))
    for path in (PATH, f"{PATH}/forget"):
        assert (await client.get(path)).status_code == 403
    assert (await makers.submit(client, PATH, action=action)).status_code == 403
    async with instance.reading() as session:
        peer = await session.get_one(Peer, HOST)
    assert (peer.paused, peer.failures) == (None, 3)


@pytest.mark.usefixtures("lakeside")
async def test_a_form_of_another_site_does_nothing(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    assert (await desk.post(PATH, data={"action": "pause", "csrf": "x"})).status_code == 403
    assert (await makers.submit(desk, PATH, action="burn")).status_code == 404
    async with instance.reading() as session:
        assert (await session.get_one(Peer, HOST)).paused is None


@pytest.mark.parametrize("host", ["nobody.example", "[::1]:80", "%00", "%ff", "a" * 300])
async def test_a_host_we_never_heard_of_has_no_page(desk: httpx.AsyncClient, host: str) -> None:
    path = f"/admin/federation/peer/{host}"
    for answer in (await desk.get(path), await desk.get(f"{path}/forget")):
        assert answer.status_code == 404
        assert "never heard of" in answer.text
    assert (await makers.submit(desk, path, action="pause")).status_code == 404


async def test_ten_thousand_peers_are_paged_searched_and_counted_in_few_queries(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    now = instance.clock.now()
    async with instance.transaction() as tx:
        await peers.seen(tx, "a.example", "https://a.example")
    assert (await desk.get("/admin/federation")).status_code == 200
    with counted() as for_one:
        await desk.get("/admin/federation")
    hosts = [f"agency-{number:05}.example.gov" for number in range(10_000)]
    async with instance.transaction() as tx:
        rows = [{"host": host, "origin": f"https://{host}", "first_seen": now} for host in hosts]
        for row in rows[7_000:7_003]:
            row["failing_since"] = now
        rows = [{"failing_since": None, **row} for row in rows]
        await tx.session.execute(insert(Peer), rows)
    with counted() as for_all:
        page = Page(await desk.get("/admin/federation"))
    assert len(for_all) == len(for_one)

    def listed(page: Page) -> list[str]:
        return [e.get("data-peer", "") for e in page.all("li") if e.get("data-peer")]

    async def follow(page: Page, text: str) -> Page:
        link = next(e for e in page.all("a") if words(e) == text)
        return Page(await desk.get(link.get("href", "")))

    assert listed(page) == ["a.example", *hosts[:49]]
    second = await follow(page, "More sites")
    assert listed(second) == hosts[49:99]
    assert listed(await follow(second, "Back to the first")) == listed(page)
    assert "3 sites cannot be reached." in page.main
    failing = await follow(page, "Show only them")
    assert listed(failing) == hosts[7_000:7_003]
    found = Page(await desk.get("/admin/federation", params={"find": "Agency-0123"}))
    assert listed(found) == hosts[1_230:1_240]
    assert found.value("find") == "Agency-0123"
    for odd in ("<script>", "%", "_", "\0"):
        asked = f"find={quote(odd)}&show=x&after={quote(odd)}"
        none = Page(await desk.get(f"/admin/federation?{asked}"))
        assert (none.status, listed(none)) == (200, [])
        assert "No site we know fits." in none.main
