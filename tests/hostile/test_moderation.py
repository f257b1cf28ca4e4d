# SPDX-License-Identifier: Apache-2.0
"""Shutting out and reporting, as deeds of ours and of other software."""

from server.forums import deeds
from server.moderation import blocks
from storage.forums import Forum
from storage.members import Member
from tests import makers
from tests.federation.wire_schema import must_be_an_activity
from tests.hostile.commons import Commons, doing, note
from tests.hostile.copy import announce, follow, held_in, serve_forum, words
from tests.hostile.followers import signer
from tests.hostile.peer import Json, ScriptedPeer, mallory, vera


async def steward(gh: Commons, uri: str) -> None:
    """Make somebody elsewhere a steward of our forum."""
    person = await gh.station.actors.person(uri)
    async with gh.instance.transaction() as tx:
        await deeds.name_steward(tx, gh.admin, gh.forum, person, named=True)


async def replies(gh: Commons, peer: ScriptedPeer, actor: str, number: int) -> str:
    """How a reply to our thread ends."""
    said = note(f"{peer.origin}/p/{number}", actor, gh.forum.uri, inReplyTo=gh.thread.uri)
    return (await gh.sent(peer, doing("Create", actor, said, number))).state


def announced(peer: ScriptedPeer, kind: str) -> list[Json]:
    """What of a kind was passed on to a peer."""
    inner = [one["object"] for one in peer.delivered if one["type"] == "Announce"]
    return [one for one in inner if isinstance(one, dict) and one["type"] == kind]


async def test_FED_06_whom_a_steward_elsewhere_shuts_out_is_refused_until_let_in(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    vic.software = "piefed"
    vic.describe()
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    assert await replies(gh, evil, mallory(evil), 1) == "applied"
    out = doing("Block", vera(vic), mallory(evil), 1, target=gh.forum.uri, summary="Noise.")
    # Who does not look after the forum shuts nobody out of it.
    assert (await gh.sent(vic, out)).state == "refused"
    await steward(gh, vera(vic))
    out["id"] += "-again"
    ended = {**out, "id": f"{vera(vic)}#ended", "endTime": "2020-01-01T00:00:00Z"}
    elsewhere = {**out, "id": f"{vera(vic)}#site", "target": vic.origin}
    for one in (ended, elsewhere):
        assert (await gh.sent(vic, one)).state == "ignored"
    assert (await gh.sent(vic, out)).state == "applied"
    assert [one["id"] for one in announced(vic, "Block")] == [out["id"]]
    evil.requests.clear()
    assert await replies(gh, evil, mallory(evil), 2) == "refused"
    [reject] = [one for one in evil.delivered if one["type"] == "Reject"]
    assert "shut you out" in reject["summary"]
    assert await replies(gh, evil, vera(evil), 3) == "applied"
    # What they wrote is still theirs to take back.
    gone = doing("Delete", mallory(evil), f"{evil.origin}/p/1", 9)
    assert (await gh.sent(evil, gone)).state == "applied"
    undo = doing("Undo", mallory(evil), out, 2)
    assert (await gh.sent(evil, undo)).state == "refused"
    assert (await gh.sent(vic, doing("Undo", vera(vic), out, 3))).state == "applied"
    assert await replies(gh, evil, mallory(evil), 4) == "applied"
    # With removeData what they wrote goes too.
    erasing = {**out, "id": f"{vera(vic)}#erase", "removeData": True}
    assert (await gh.sent(vic, erasing)).state == "applied"
    held = await gh.held(f"{evil.origin}/p/4")
    assert held is not None
    assert held.state == "deleted"


async def test_our_steward_shuts_somebody_out_by_a_button(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    vic.software = "lemmy"
    vic.describe()
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    assert await replies(gh, evil, mallory(evil), 1) == "applied"
    held = await gh.held(f"{evil.origin}/p/1")
    assert held is not None
    path = f"/p/{held.id}/shut-out"
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, gh.admin)
        assert path in (await browser.get(f"/p/{gh.thread.id}")).text
        assert "Shut Mallory out" in (await browser.get(path)).text
        sent = await makers.submit(browser, path, action="shut_out", reason="Noise.")
        assert sent.status_code == 303
        people = f"/f/{gh.forum.handle}/people"
        assert f'data-shut-out="mallory@{evil.host}"' in (await browser.get(people)).text
        await gh.settled()
        [block] = announced(vic, "Block")
        assert (block["object"], block["target"]) == (mallory(evil), gh.forum.uri)
        assert (block["actor"], block["summary"]) == (gh.admin.uri, "Noise.")
        must_be_an_activity(block)
        assert await replies(gh, evil, mallory(evil), 2) == "refused"
        handle = f"mallory@{evil.host}"
        await makers.submit(browser, people, action="let_in", handle=handle)
    await gh.settled()
    [undo] = announced(vic, "Undo")
    must_be_an_activity(undo)
    assert undo["object"]["id"] == block["id"]
    assert undo["object"]["object"] == mallory(evil)
    assert await replies(gh, evil, mallory(evil), 3) == "applied"


async def copied(gh: Commons, vic: ScriptedPeer, ana: Member) -> Forum:
    return await follow(gh, vic, serve_forum(vic), ana)


async def test_a_copy_goes_by_its_home_and_asks_it(gh: Commons, vic: ScriptedPeer) -> None:
    ana = await makers.member(gh.instance, "ana")
    forum = await copied(gh, vic, ana)
    for number in (1, 2):
        one = words(vic, forum.uri, number, attributedTo=mallory(vic))
        vic.put(one["id"], one)
        assert await announce(gh, vic, forum.uri, one["id"], number) == "applied"
    thread = (await held_in(gh, forum))[0]

    async def may_reply() -> bool:
        async with makers.browser(gh.app) as browser:
            await makers.sign_in(browser, gh.instance, ana)
            return 'id="f-source"' in (await browser.get(f"/p/{thread.id}")).text

    assert await may_reply()
    out = doing("Block", vera(vic), ana.uri, 1, target=forum.uri)
    assert await announce(gh, vic, forum.uri, {**out, "target": vic.origin}, 10) == "ignored"
    assert await announce(gh, vic, forum.uri, out, 11) == "applied"
    assert not await may_reply()
    back = doing("Undo", vera(vic), out, 2)
    assert await announce(gh, vic, forum.uri, back, 12) == "applied"
    assert await may_reply()
    # A steward here asks the home; nothing changes before it answers.
    add = doing("Add", vera(vic), ana.uri, 3, target=forum.moderators)
    assert await announce(gh, vic, forum.uri, add, 13) == "applied"
    vic.requests.clear()
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, ana)
        path = f"/p/{thread.id}/shut-out"
        await makers.submit(browser, path, action="shut_out", reason="Noise.")
        await gh.settled()
        [asked] = [one for one in vic.requests if one.method == "POST"]
        block = asked.document
        assert await signer(gh, asked) == ana.uri
        assert (block["type"], block["object"], block["target"]) == (
            "Block", mallory(vic), forum.uri,
        )  # fmt: skip
        assert "Let them in" not in (await browser.get(path)).text
        # Its Announce is the receipt, and takes what they wrote along if it says so.
        taken = block | {"removeData": True}
        assert await announce(gh, vic, forum.uri, taken, 14) == "applied"
        assert {post.state for post in await held_in(gh, forum)} == {"deleted"}
        vic.requests.clear()
        async with gh.instance.transaction() as tx:
            person = await gh.station.actors.person(mallory(vic))
            await blocks.let_in(tx, ana, forum, person)
        await gh.settled()
        [asked] = [one for one in vic.requests if one.method == "POST"]
        assert asked.document["object"]["id"] == block["id"]


async def test_what_is_reported_elsewhere_comes_before_the_stewards(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """As Lemmy says it, with one id and a summary; as Mastodon does, with several and content."""
    server = evil.actor("/actor", "Application")
    lemmy = doing("Flag", vera(vic), gh.thread.uri, 1, summary="Names a resident.")
    mastodon = doing("Flag", server, [gh.admin.uri, gh.thread.uri], 1, content="Spam.")
    for peer, flag in ((vic, lemmy), (evil, mastodon), (vic, {**lemmy, "id": lemmy["id"] + "0"})):
        assert (await gh.sent(peer, flag)).state == "applied"
    nothing = doing("Flag", vera(vic), f"{vic.origin}/p/9", 3)
    assert (await gh.sent(vic, nothing)).state == "ignored"
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, gh.admin)
        assert "reports something in" in (await browser.get("/notifications")).text
        path = f"/f/{gh.forum.handle}/reports"
        page = (await browser.get(path)).text
        assert page.count(f'data-report="{gh.thread.uri}"') == 2
        assert "Names a resident." in page
        assert "Spam." in page
        number = page.partition('name="report" value="')[2].partition('"')[0]
        await makers.submit(browser, path, report=number)
        assert (await browser.get(path)).text.count("data-report") == 1
    # Nobody else reads them, or takes one off the list.
    ana = await makers.member(gh.instance, "ana")
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, ana)
        assert (await browser.get(path)).status_code == 403
        assert (await makers.submit(browser, path, report=number)).status_code == 403
    assert "Flag" not in await gh.announced()


async def test_a_report_of_ours_reaches_the_home_and_the_authors_server(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Who keeps the forum learns who reports; whose post it is does not."""
    for peer, software in ((vic, "lemmy"), (evil, "mastodon")):
        peer.software = software
        peer.describe()
    ana = await makers.member(gh.instance, "ana")
    forum = await copied(gh, vic, ana)
    one = words(vic, forum.uri, 1, id=f"{evil.origin}/p/1", attributedTo=mallory(evil))
    evil.put(one["id"], one)
    assert await announce(gh, vic, forum.uri, one["id"], 1) == "applied"
    [thread] = await held_in(gh, forum)
    await gh.settled()
    vic.requests.clear()
    evil.requests.clear()
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, ana)
        path = f"/p/{thread.id}/report"
        assert path in (await browser.get(f"/p/{thread.id}")).text
        assert (await makers.submit(browser, path, reason=" ")).status_code == 422
        for _ in range(2):
            assert (await makers.submit(browser, path, reason="A name.")).status_code == 303
    await gh.settled()
    for peer, by, to, thing in (
        (vic, ana.uri, forum.uri, thread.uri),
        (evil, "http://gh.localhost/instance", mallory(evil), [mallory(evil), thread.uri]),
    ):
        [asked] = [one for one in peer.requests if one.method == "POST"]
        flag = asked.document
        must_be_an_activity(flag)
        assert await signer(gh, asked) == flag["actor"] == by
        assert (flag["type"], flag["to"], flag["object"]) == ("Flag", [to], thing)
        assert flag["summary"] == flag["content"] == "A name."
