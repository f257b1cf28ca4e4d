# SPDX-License-Identifier: Apache-2.0
"""Looking up people and servers leads nowhere it should not."""

import asyncio
import gzip
import re

import orjson
import pytest

from federation.fetch import Door
from server.errors import Refusal
from server.settings import Federation
from storage.members import Member
from storage.peers import Peer
from tests import makers
from tests.federation.fetch.hostile import Zone, read
from tests.hostile.commons import Commons, doing, like, note
from tests.hostile.conftest import Opener
from tests.hostile.effects import Unchanged, must_be_one_sentence
from tests.hostile.peer import NODEINFO, Json, Page, ScriptedPeer, World, mallory, vera
from tests.hostile.serving import Canary

REBOUND = "rebound.example"


@pytest.fixture
async def wide_open(open_commons: Opener, world: World) -> Commons:
    """Our server in open mode, with a name of the public internet that leads to loopback."""
    return await with_zone(open_commons, world, Federation.OPEN)


async def with_zone(open_commons: Opener, world: World, mode: Federation) -> Commons:
    named: dict[str, tuple[str, int | None]] = {
        host: ("127.0.0.1", world.port) for host in world.resolve()
    }

    def change(station: object) -> None:
        zone = Zone({REBOUND: ["127.0.0.1", "::1"]})
        door = Door(resolve=named, user_agent="Test", parse=read, look_up=zone)
        station.door = door  # type: ignore[attr-defined]

    return await open_commons(change, federation=mode)


def forbidden(canary: Canary) -> list[str]:
    """Origins nobody may be led to."""
    return [
        canary.origin,
        f"http://localhost:{canary.port}",
        f"https://localhost:{canary.port}",
        f"https://127.0.0.1:{canary.port}",
        f"https://[::1]:{canary.port}",
        f"https://[::ffff:127.0.0.1]:{canary.port}",
        f"https://2130706433:{canary.port}",
        f"https://0x7f.1:{canary.port}",
        f"https://0.0.0.0:{canary.port}",
        f"https://{REBOUND}:{canary.port}",
        "https://169.254.169.254",
        "https://10.0.0.1",
    ]


async def test_AUT_13_an_actor_under_another_id_is_not_remembered(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    forged = evil.actor("/u/fake", id=vera(vic), name="Forged")
    evil.webfinger("fake", forged)
    for what in (forged, "@fake@evil.localhost"):
        try:
            found = await gh.app.state.lookup.find(what)
        except Refusal:
            continue
        assert isinstance(found, Member)
        assert (found.uri, found.name) == (vera(vic), "Vera")


async def test_AUT_14_a_handle_of_another_host_does_not_poison_the_cache(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    vic.webfinger("vera", vera(vic))
    evil.webfinger("vera", mallory(evil), "acct:vera@vic.localhost")
    with pytest.raises(Refusal):
        await gh.app.state.lookup.find("@vera@evil.localhost")
    evil.webfinger("vera", vera(vic))
    with pytest.raises(Refusal):
        await gh.app.state.lookup.find("@vera@evil.localhost")
    found = await gh.app.state.lookup.find("@vera@vic.localhost")
    assert isinstance(found, Member)
    assert found.uri == vera(vic)


@pytest.mark.parametrize("mode", [Federation.ALLOWLIST, Federation.OPEN])
async def test_SSRF_01_a_key_at_a_forbidden_address_is_not_fetched(
    open_commons: Opener, world: World, evil: ScriptedPeer, canary: Canary, mode: Federation
) -> None:
    commons = await with_zone(open_commons, world, mode)
    await commons.allow("localhost", "127.0.0.1", REBOUND, "10.0.0.1", "169.254.169.254")
    for origin in forbidden(canary):
        actor = f"{origin}/u/mallory"
        activity = like(actor, commons.thread.uri)
        body = orjson.dumps(activity)
        headers = evil.sign(
            "http://gh.localhost/inbox", body, commons.clock.now(), key_id=f"{actor}#main-key"
        )
        must_be_one_sentence(await commons.post(body, headers), 400, 401, 403)
    assert canary.connections == 0
    assert (await commons.counts())["inbox"] == 0
    assert evil.requests == []


async def test_SSRF_02_a_redirect_to_a_forbidden_address_is_not_followed(
    wide_open: Commons, evil: ScriptedPeer, vic: ScriptedPeer, canary: Canary
) -> None:
    for number, origin in enumerate(forbidden(canary)):
        actor = evil.redirect(f"/u/r{number}", f"{origin}/u/x")
        async with Unchanged(wide_open, vic):
            answer = await wide_open.deliver(evil, like(actor, wide_open.thread.uri))
            must_be_one_sentence(answer, 401)
        with pytest.raises(Refusal):
            await wide_open.app.state.lookup.find(actor)
    assert canary.connections == 0


async def test_SSRF_14_redirects_end_after_three(gh: Commons, evil: ScriptedPeer) -> None:
    actor = evil.redirect("/u/loop", f"{evil.origin}/u/loop")
    must_be_one_sentence(await gh.deliver(evil, like(actor, gh.thread.uri)), 401)
    assert len(evil.fetched) <= 4


@pytest.mark.parametrize("member", ["inbox", "endpoints"])
@pytest.mark.parametrize(
    "address",
    ["{canary}/inbox", "https://rebound.example:{port}/inbox", "file:///etc/passwd",
     "data:,x", "ftp://evil.localhost/inbox", "gopher://evil.localhost/", "http://vic.localhost/inbox"],
)  # fmt: skip
async def test_SSRF_07_10_an_inbox_elsewhere_is_never_delivered_to(
    wide_open: Commons,
    evil: ScriptedPeer,
    vic: ScriptedPeer,
    canary: Canary,
    member: str,
    address: str,
) -> None:
    address = address.format(canary=canary.origin, port=canary.port)
    inbox = {"sharedInbox": address} if member == "endpoints" else address
    changes: Json = {member: inbox}
    actor = evil.actor("/u/odd", **changes)
    await wide_open.deliver(evil, doing("Follow", actor, wide_open.forum.uri))
    await wide_open.settled()
    await makers.thread(wide_open.instance, wide_open.admin, wide_open.forum)
    await wide_open.settled()
    assert canary.connections == 0
    assert vic.delivered == []
    sent_to = {asked.target for asked in evil.requests if asked.method == "POST"}
    assert sent_to <= {"/u/odd/inbox", "/inbox"}


@pytest.mark.parametrize("href", ["{canary}/nodeinfo/2.1", "data:application/json,%7B%7D", ""])
async def test_SSRF_09_a_second_link_of_nodeinfo_stays_on_its_host(
    gh: Commons, evil: ScriptedPeer, canary: Canary, href: str
) -> None:
    links = {"links": [{"rel": NODEINFO, "href": href.format(canary=canary.origin)}]}
    evil.put("/.well-known/nodeinfo", links, kind="application/json")
    with pytest.raises(Refusal):
        await gh.app.state.lookup.describe(evil.host)
    assert canary.connections == 0
    async with gh.instance.reading() as session:
        assert await session.get(Peer, evil.host) is None


async def test_SSRF_08_the_search_box_refuses_forbidden_hosts_alike(
    wide_open: Commons, canary: Canary
) -> None:
    asked = [f"@a@127.0.0.1:{canary.port}", f"@a@{REBOUND}:{canary.port}", "@a@10.0.0.1:6379"]
    asked += [f"{origin}/u/a" for origin in forbidden(canary)]
    said = set()
    async with makers.browser(wide_open.app) as browser:
        for what in asked:
            page = await browser.get("/search", params={"q": what})
            assert page.status_code == 200
        await makers.sign_in(browser, wide_open.instance, wide_open.admin)
        for what in asked[:20]:
            page = await browser.get("/search", params={"q": what})
            assert page.status_code == 200, what
            shown = page.text.partition('role="status"><p>')[2]
            said.add(shown[: len("That could not be looked up: ")])
    assert canary.connections == 0
    assert said == {"That could not be looked up: "}


async def test_SSRF_08_with_federation_off_nothing_is_asked_and_nothing_taken(
    open_commons: Opener, evil: ScriptedPeer
) -> None:
    gh = await open_commons(federation=Federation.OFF)
    await gh.allow(evil.host)
    with pytest.raises(Refusal):
        await gh.app.state.lookup.find(mallory(evil))
    must_be_one_sentence(await gh.deliver(evil, like(mallory(evil), gh.thread.uri)), 403)
    must_be_one_sentence(await gh.get(gh.thread.uri.removeprefix("http://gh.localhost"), evil), 403)
    assert evil.requests == []


async def test_SSRF_15_a_slow_server_holds_up_nobody_else(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    for peer in (evil, vic):
        await gh.sent(peer, doing("View", mallory(peer), gh.thread.uri))
    evil.pages["/u/mallory"] = Page(status=503, seconds=6.0)
    for number in range(6):
        await gh.deliver(evil, like(mallory(evil), gh.thread.uri, number))
    await gh.deliver(vic, like(mallory(vic), gh.thread.uri))
    for _ in range(200):
        if await gh.endorsements(gh.thread):
            break
        await asyncio.sleep(0.02)
    assert (await gh.row(f"{mallory(vic)}#like-1")).state == "applied"
    assert (await gh.row(f"{mallory(evil)}#like-5")).state == "waiting"


async def test_SSRF_16_a_bomb_is_cut_at_the_limit(gh: Commons, evil: ScriptedPeer) -> None:
    bomb = gzip.compress(b'{"id":"' + b"a" * 50_000_000 + b'"}')
    evil.pages["/u/bomb"] = Page(bomb, headers=(("Content-Encoding", "gzip"),))
    with pytest.raises(Refusal):
        await gh.app.state.lookup.find(f"{evil.origin}/u/bomb")
    assert (await gh.counts())["members"] == 1


async def test_SSRF_12_pictures_of_people_and_posts_are_fetched_through_the_same_door(
    wide_open: Commons, evil: ScriptedPeer, canary: Canary
) -> None:
    """Everything a page makes us fetch: avatars, pictures in texts, and where these lead on."""
    aims = [f"{origin}/x.png" for origin in forbidden(canary)]
    led = [evil.redirect(f"/r{number}.png", aim) for number, aim in enumerate(aims)]
    aims += [f"file://{aim.partition('//')[2]}" for aim in aims[:2]]
    pictures = "".join(f'<p><img src="{aim}" alt="A plan"></p>' for aim in aims + led)
    asked = set()
    for number, aim in enumerate([*aims[::2], *led[:3]]):
        actor = evil.actor(f"/u/a{number}", icon={"type": "Image", "url": aim})
        said = note(f"{evil.origin}/p/{number}", actor, wide_open.forum.uri, type="Article",
                    name="Look", content=pictures, image={"type": "Image", "url": aim},
                    attachment=[{"type": "Link", "href": aim}], preview=aim)  # fmt: skip
        row = await wide_open.sent(evil, doing("Create", actor, said))
        assert row.state == "applied", row.note
        held = await wide_open.held(said["id"])
        assert held is not None
        for path in (f"/p/{held.id}", f"/u/a{number}@evil.localhost"):
            asked |= set(re.findall(r'"(/media/remote/[^"]+)"', await wide_open.page(path)))
    assert len(asked) > len(forbidden(canary))
    for path in asked:
        assert (await wide_open.client.get(path)).status_code == 404, path
    assert canary.connections == 0
    assert len([path for path in evil.fetched if path.endswith(".png")]) == len(led)
