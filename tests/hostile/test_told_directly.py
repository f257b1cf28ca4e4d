# SPDX-License-Identifier: Apache-2.0
"""What the author's own server tells, and whom, followers or not."""

from server import endorsements
from tests import makers
from tests.hostile.commons import Commons, doing, note
from tests.hostile.conftest import Opener
from tests.hostile.copy import announce, copied
from tests.hostile.followers import edit, follow, remove, told
from tests.hostile.peer import ScriptedPeer, mallory, vera


async def test_who_is_answered_or_mentioned_hears_of_it_where_they_are(
    open_commons: Opener, evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer
) -> None:
    gh = await open_commons()
    await gh.allow(evil.host, vic.host, third.host)
    for peer, software in ((evil, "mastodon"), (vic, "lemmy"), (third, "pleroma")):
        await follow(gh, peer, software)
        undo = {"type": "Follow", "id": f"{vera(peer)}#follow-1", "object": gh.forum.uri}
        await gh.sent(peer, doing("Undo", vera(peer), undo | {"actor": vera(peer)}, 2))
    question = note(f"{evil.origin}/p/1", mallory(evil), gh.forum.uri, inReplyTo=gh.thread.uri)
    created = doing("Create", mallory(evil), question)
    assert (await gh.sent(evil, created)).state == "applied"
    asked = await gh.held(question["id"])
    assert asked is not None
    for peer in (evil, vic, third):
        peer.requests.clear()
    words = f"As @vera@{third.host} and @vera@{vic.host} say."
    answer = await makers.reply(gh.instance, gh.admin, asked, words)
    async with gh.instance.transaction() as tx:
        await endorsements.endorse(tx, gh.admin, asked)
        await endorsements.withdraw(tx, gh.admin, asked)
    await edit(gh, gh.admin, answer, "On second thought.")
    await remove(gh, gh.admin, answer)
    changes = [("Create", "sam"), ("Update", "sam"), ("Delete", "sam")]
    liked = [("Like", "sam"), ("Undo{Like}", "sam")]
    assert await told(gh, evil) == [changes[0], *liked, *changes[1:]]
    assert await told(gh, third) == changes
    # Forum software reads its users' mentions in the forums it follows.
    assert await told(gh, vic) == []
    late = await makers.reply(gh.instance, gh.admin, gh.thread)
    await edit(gh, gh.admin, late, f"I had forgotten @vera@{third.host}.")
    await edit(gh, gh.admin, late, "Never mind.")
    await remove(gh, gh.admin, late)
    assert await told(gh, third) == [("Update", "sam"), ("Update", "sam"), ("Delete", "sam")]
    assert await told(gh, evil) == []


async def test_a_member_in_a_forum_elsewhere_speaks_to_whom_they_answer_as_well(
    open_commons: Opener, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    gh = await open_commons()
    await gh.allow(evil.host, vic.host)
    vic.software, evil.software = "lemmy", "mastodon"
    vic.describe()
    evil.describe()
    forum = await copied(gh, vic)
    await gh.station.actors.meet(evil.host)
    question = note(f"{evil.origin}/p/1", mallory(evil), forum.uri, type="Article", name="Why?")
    proven = evil.proven(question, mallory(evil), gh.clock.now())
    created = doing("Create", mallory(evil), proven)
    assert await announce(gh, vic, forum.uri, created, 1) == "applied"
    asked = await gh.held(question["id"])
    assert asked is not None
    evil.requests.clear()
    vic.requests.clear()
    ana = await makers.member(gh.instance, "dee")
    answer = await makers.reply(gh.instance, ana, asked)
    assert await told(gh, evil) == await told(gh, vic) == [("Create", "dee")]
    removal = doing("Delete", vera(vic), answer.uri, 3, summary="Off topic.", audience=forum.uri)
    assert await announce(gh, vic, forum.uri, removal, 2) == "applied"
    # The home has removed it: of its author's servers nobody else would tell.
    assert await told(gh, evil) == [("Delete", "dee")]
    assert await told(gh, vic) == []


async def test_who_fetched_a_post_is_told_how_it_changes_by_its_author(
    open_commons: Opener, evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer
) -> None:
    gh = await open_commons()
    await gh.allow(evil.host, vic.host, third.host)
    for peer, software in ((evil, "mastodon"), (vic, "lemmy"), (third, "guildhall")):
        peer.software = software
        peer.describe()
        for _ in range(2):
            answer = await gh.get(gh.thread.uri.removeprefix("http://gh.localhost"), peer)
            assert answer.status_code == 200
        peer.requests.clear()
    assert (await gh.counts())["fetched_posts"] == 2
    await edit(gh, gh.admin, gh.thread)
    assert await told(gh, evil) == [("Update", "sam")]
    await remove(gh, gh.admin, gh.thread)
    assert await told(gh, evil) == [("Delete", "sam")]
    # They read it in forums that they follow, and follow none.
    assert await told(gh, vic) == await told(gh, third) == []
    assert (await gh.counts())["fetched_posts"] == 0


async def test_a_members_post_elsewhere_is_taken_back_from_who_fetched_it_here(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    # The home's followers are pointed to the post, and ask its author's server for it.
    vic.software, evil.software = "lemmy", "mastodon"
    vic.describe()
    evil.describe()
    forum = await copied(gh, vic)
    dee = await makers.member(gh.instance, "dee")
    kept, gone = [await makers.thread(gh.instance, dee, forum, title) for title in ("A", "B")]
    for post in (kept, gone):
        await gh.get(post.uri.removeprefix("http://gh.localhost"), evil)
    await gh.settled()
    evil.requests.clear()
    vic.requests.clear()
    await edit(gh, dee, kept)
    assert await told(gh, evil) == await told(gh, vic) == [("Update", "dee")]
    removal = doing("Delete", vera(vic), gone.uri, 3, summary="Off topic.", audience=forum.uri)
    assert await announce(gh, vic, forum.uri, removal, 2) == "applied"
    assert await told(gh, evil) == [("Delete", "dee")]
    assert await told(gh, vic) == []


async def test_an_inbox_on_another_host_gets_nothing_for_having_fetched(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    evil.describe()
    aimed = f"{vic.origin}/inbox"
    evil.actor("/u/mallory", inbox=aimed, endpoints={"sharedInbox": aimed})
    found = await gh.get(gh.thread.uri.removeprefix("http://gh.localhost"), evil)
    assert found.status_code == 200
    await edit(gh, gh.admin, gh.thread)
    assert await told(gh, vic) == await told(gh, evil) == []
