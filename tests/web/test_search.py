# SPDX-License-Identifier: Apache-2.0
"""Searching here, and looking elsewhere."""

import httpx
import pytest
from starlette.applications import Starlette

from server import peers
from server.instance import Instance
from server.peers import RuleDraft
from storage.forums import Visibility
from storage.members import Member
from tests import makers
from tests.web.lookups import WrittenLookup
from tests.web.page import Page
from web import limits, search


@pytest.fixture
def lookup(app: Starlette) -> WrittenLookup:
    """The network of the test."""
    written = WrittenLookup()
    app.state.lookup = written
    return written


async def test_words_are_found_and_marked(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    ana = await makers.member(instance)
    place = await makers.forum(instance, admin)
    opener = await makers.thread(instance, ana, place, "Permit time", "Counted from <b>filing</b>.")
    await makers.reply(instance, admin, opener, "We count from completeness.")
    page = (await client.get("/search?q=count")).text
    assert page.count("<mark>") == 2
    assert "<mark>Counted</mark> from &lt;b&gt;filing" in page
    assert f"/p/{opener.id}/permit-time" in page
    one = (await client.get("/search?q=completen")).text
    assert "<mark>completeness</mark>" in one
    assert "<mark>Counted" not in one
    none = await client.get("/search", params={"q": '"*) OR NEAR( -- \x00'})
    assert none.status_code == 200
    assert "Nothing here holds all of these words" in (await client.get("/search?q=zebra")).text


async def test_what_may_not_be_seen_is_not_found(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    closed = await makers.forum(
        instance, admin, "payroll", title="Payroll zebra", visibility=Visibility.MEMBERS
    )
    inside = await makers.forum(
        instance, admin, "staff", title="Staff zebra", visibility=Visibility.INSTANCE
    )
    for place in (closed, inside):
        await makers.thread(instance, admin, place, f"zebra of {place.handle}", "A secret.")
    seen = []
    for who in (None, await makers.member(instance), admin):
        if who is not None:
            await makers.sign_in(client, instance, who)
        page = (await client.get("/search?q=zebra")).text
        seen.append([name for name in ("of payroll", "of staff", "Payroll z") if name in page])
    assert seen == [[], ["of staff"], ["of payroll", "of staff", "Payroll z"]]


async def test_a_forum_is_found_by_its_title(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    place = await makers.forum(instance, admin, title="Service counters")
    for query, found in (("counters", True), ("serv count", True), ("service desks", False)):
        page = (await client.get("/search", params={"q": query})).text
        assert (f'<a href="/f/{place.handle}">Service counters</a>' in page) is found


async def test_long_results_go_on(
    client: httpx.AsyncClient,
    instance: Instance,
    admin: Member,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    place = await makers.forum(instance, admin)
    for number in range(5):
        await makers.thread(instance, admin, place, f"Zebra number {number}", "Stripes.")
    path, seen = "/search?q=zebra", []
    while path:
        page = (await client.get(path)).text
        seen += [number for number in range(5) if f"Zebra number {number}" in page]
        _, found, rest = page.partition('rel="next" href="')
        path = rest.partition('"')[0].replace("&amp;", "&") if found else ""
    assert seen == [3, 4, 1, 2, 0]


@pytest.mark.parametrize("before", ["-1", "1e9", "abc", "9" * 40, "٣", ""])
@pytest.mark.usefixtures("admin")
async def test_a_strange_place_to_go_on_from_is_no_error(
    client: httpx.AsyncClient, before: str
) -> None:
    answer = await client.get("/search", params={"q": "zebra", "before": before})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "permits@lakeside.localhost:4102",
        "!a@b.gov",
        "@a@b.gov",
        "https://lakeside.example.gov/f/permits",
        "http://a.example",
    ],
)
@pytest.mark.usefixtures("admin")
async def test_visitors_have_us_ask_nobody(
    client: httpx.AsyncClient, lookup: WrittenLookup, query: str
) -> None:
    page = await client.get("/search", params={"q": query})
    assert "Sign in to look for people and forums" in page.text
    assert lookup.asked == []


async def test_a_forum_elsewhere_is_found_and_can_be_followed(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    place = await makers.forum_elsewhere(instance)
    handle = f"!permits@{makers.LAKESIDE}"
    lookup.things[handle] = place
    await makers.sign_in(client, instance, admin)
    page = (await client.get("/search", params={"q": handle})).text
    assert "A forum of <b>City of Lakeside</b>" in page
    assert f'action="/f/permits@{makers.LAKESIDE}/follow"' in page
    await makers.follow(instance, admin, place)
    page = (await client.get("/search", params={"q": handle})).text
    assert "You follow it" in page
    assert "/follow" not in page


async def test_people_and_posts_elsewhere_are_found(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    marek = await makers.person_elsewhere(instance)
    place = await makers.forum_elsewhere(instance)
    post = await makers.thread(instance, marek, place, "Digital permits")
    lookup.things |= {f"marek@{makers.LAKESIDE}": marek, post.uri: post}
    await makers.sign_in(client, instance, admin)
    person = (await client.get("/search", params={"q": f"marek@{makers.LAKESIDE}"})).text
    assert f'href="/u/marek@{makers.LAKESIDE}"' in person
    found = (await client.get("/search", params={"q": post.uri})).text
    assert f'href="/p/{post.id}/digital-permits"' in found


async def test_an_address_opens_no_closed_forum(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    closed = await makers.forum(
        instance, admin, "payroll", title="Payroll zebra", visibility=Visibility.MEMBERS
    )
    post = await makers.thread(instance, admin, closed, "A secret zebra")
    lookup.things |= {closed.uri: closed, post.uri: post}
    await makers.sign_in(client, instance, await makers.member(instance))
    for uri in (closed.uri, post.uri):
        page = (await client.get("/search", params={"q": uri})).text
        assert "zebra" not in page
        assert "nothing that you may see" in page


async def test_links_of_ours_are_opened_here_in_any_form(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    place = await makers.forum(instance, admin)
    permits = await makers.forum_elsewhere(instance)
    marek = await makers.person_elsewhere(instance)
    thread = await makers.thread(instance, admin, place, "Permit time")
    answer = await makers.reply(instance, admin, thread)
    origin = instance.settings.origin
    shown = {
        f"{origin}/p/{thread.id}/permit-time": f"/p/{thread.id}/permit-time",
        f"{origin}/p/{thread.id}?after={answer.id}#replies": f"/p/{thread.id}/permit-time",
        f"{origin}/p/{thread.id}/permit-time#p-{answer.id}": f"/p/{answer.id}",
        f"/p/{thread.id}": f"/p/{thread.id}/permit-time",
        f"{origin.upper().replace('HTTP', 'http')}/f/counters/?after=x": "/f/counters",
        f"{instance.settings.host}/f/counters": "/f/counters",
        f"{origin}/f/counters@{instance.settings.host}": "/f/counters",
        f"{origin}/f/permits@{makers.LAKESIDE}/": f"/f/permits@{permits.peer}",
        f"{origin}/u/marek%40{makers.LAKESIDE}": f"/u/marek@{marek.peer}",
        f"{origin}/u/sam": "/u/sam",
    }
    for query, path in shown.items():
        page = Page(await client.get("/search", params={"q": query}))
        assert path in [link.get("href") for link in page.one("main").iter("a")], query
    nothing = await client.get("/search", params={"q": f"{origin}/forums"})
    assert "no forum, person or post" in nothing.text
    missing = await client.get("/search", params={"q": f"{origin}/p/1/x"})
    assert "nothing that you may see" in missing.text
    assert lookup.asked == []


async def test_a_link_of_ours_opens_nothing_closed(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    closed = await makers.forum(
        instance, admin, "payroll", title="Payroll zebra", visibility=Visibility.MEMBERS
    )
    post = await makers.thread(instance, admin, closed, "A secret zebra")
    for who in (None, await makers.member(instance)):
        if who is not None:
            await makers.sign_in(client, instance, who)
        for query in (closed.uri, post.url, f"/p/{post.id}", "/f/payroll"):
            page = (await client.get("/search", params={"q": query})).text
            assert "A secret" not in page
            assert "Payroll z" not in page
            assert "nothing that you may see" in page


async def test_silence_is_said_and_can_be_tried_again(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    await makers.sign_in(client, instance, admin)
    page = await client.get("/search", params={"q": "a@b.gov"})
    assert page.status_code == 200
    assert "does not answer" in page.text
    assert 'href="/search?q=a%40b.gov"' in page.text
    assert lookup.asked == ["a@b.gov"]


@pytest.mark.usefixtures("admin")
async def test_searching_without_end_is_slowed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH", limits.Limit("search", 3, 60))
    statuses = [(await client.get("/search?q=zebra")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("Permit time is counted.", ["time"], ["Permit ", "[time]", " is counted."]),
        ("Permit time", [], ["Permit time"]),
        ("", ["time"], []),
        ("Nothing of it.", ["time"], ["Nothing of it."]),
    ],
)
def test_an_excerpt_marks_what_was_looked_for(
    text: str, words: list[str], shown: list[str]
) -> None:
    pieces = search.excerpt(text, words)
    assert [f"[{piece.text}]" if piece.hit else piece.text for piece in pieces] == shown


def test_an_excerpt_is_short_and_holds_the_word() -> None:
    text = "word " * 400 + "zebra " + "word " * 400
    pieces = search.excerpt(text, ["zeb"])
    assert "zebra" in [piece.text for piece in pieces if piece.hit]
    assert sum(len(piece.text) for piece in pieces) < 300


async def test_agencies_are_listed_for_everybody_and_opened_for_members(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    async with instance.transaction() as tx:
        await peers.add_rule(tx, admin, RuleDraft("lakeside.localhost"))
        await peers.add_rule(tx, admin, RuleDraft("quiet.example.gov"))
        await peers.add_rule(tx, admin, RuleDraft("*.cascadia.example.gov"))
        for host, name in ((makers.LAKESIDE, "City of Lakeside"), ("eve.example", "Eve")):
            (await peers.seen(tx, host, f"http://{host}")).name = name
    page = (await client.get("/agencies")).text
    assert "City of Lakeside" in page
    assert "quiet.<wbr>example" in page
    assert "Eve" not in page
    assert "cascadia" not in page
    assert (await client.get(f"/agencies/{makers.LAKESIDE}")).status_code == 303
    await makers.sign_in(client, instance, admin)
    place = await makers.forum_elsewhere(instance)
    silent = (await client.get(f"/agencies/{makers.LAKESIDE}")).text
    assert "does not answer" in silent
    assert place.title in silent
    lookup.forums[makers.LAKESIDE] = [place]
    page = (await client.get(f"/agencies/{makers.LAKESIDE}")).text
    assert f'action="/f/permits@{makers.LAKESIDE}/follow"' in page


async def test_an_agency_is_found_without_its_port_where_only_one_is_meant(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    async with instance.transaction() as tx:
        await peers.add_rule(tx, admin, RuleDraft("lakeside.localhost"))
        await peers.seen(tx, makers.LAKESIDE, f"http://{makers.LAKESIDE}")
    await makers.sign_in(client, instance, admin)
    lookup.forums[makers.LAKESIDE] = [await makers.forum_elsewhere(instance)]
    page = (await client.get("/agencies/lakeside.localhost")).text
    assert f'action="/f/permits@{makers.LAKESIDE}/follow"' in page
    async with instance.transaction() as tx:
        await peers.seen(tx, "lakeside.localhost:4999", "http://lakeside.localhost:4999")
    await client.get("/agencies/lakeside.localhost")
    assert lookup.asked == [makers.LAKESIDE, "lakeside.localhost"]


async def test_an_agency_that_is_not_on_the_list_is_not_asked(
    client: httpx.AsyncClient, instance: Instance, admin: Member, lookup: WrittenLookup
) -> None:
    await makers.sign_in(client, instance, admin)
    page = await client.get("/agencies/127.0.0.1:6379")
    assert page.status_code == 404
    assert "not on our list" in page.text
    assert lookup.asked == []
