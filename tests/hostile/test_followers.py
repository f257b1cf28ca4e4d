# SPDX-License-Identifier: Apache-2.0
"""What each kind of follower is sent, and by whom it is signed."""

import pytest
from sqlalchemy import select

from server import endorsements
from server.forums import deeds
from server.members import profile
from server.members.profile import ProfileDraft
from server.posts import steering
from storage.log import Form, LogRow
from storage.members import Member
from storage.peers import Peer
from storage.posts import Post
from tests import makers
from tests.hostile.commons import Commons, doing
from tests.hostile.conftest import Opener
from tests.hostile.followers import edit, follow, remove, summed_up, told
from tests.hostile.peer import PUBLIC, Page, ScriptedPeer, vera


async def life(gh: Commons, ana: Member) -> tuple[Post, Post]:
    """A thread by Ana, an answer by the admin, endorsed and not, both edited, both deleted."""
    thread = await makers.thread(gh.instance, ana, gh.forum)
    answer = await makers.reply(gh.instance, gh.admin, thread)
    async with gh.instance.transaction() as tx:
        await endorsements.endorse(tx, ana, answer)
        await endorsements.withdraw(tx, ana, answer)
        await steering.lock(tx, gh.admin, thread, locked=True)
        await steering.lock(tx, gh.admin, thread, locked=False)
    await edit(gh, ana, thread)
    await edit(gh, gh.admin, answer)
    await remove(gh, gh.admin, answer)
    await remove(gh, ana, thread)
    return thread, answer


WHOLE_LIFE = {
    "mastodon": [
        ("Announce{id}", "counters"), ("Update", "ana"), ("Update", "sam"),
        ("Delete", "sam"), ("Delete", "ana"), ("Undo{Announce}", "counters"),
    ],
    "lemmy": [
        (f"Announce{{{kind}}}", "counters")
        for kind in (
            "Create", "Create", "Like", "Undo", "Lock", "Undo", "Update", "Update", "Delete",
            "Delete",
        )
    ],
    "discourse": [
        ("Announce{id}", "counters"), ("Create", "sam"), ("Like", "ana"), ("Undo{Like}", "ana"),
        ("Update", "ana"), ("Update", "sam"), ("Delete", "sam"), ("Delete", "ana"),
        ("Undo{Announce}", "counters"),
    ],
    "gancio": [("Update", "ana"), ("Update", "sam"), ("Delete", "sam"), ("Delete", "ana")],
}  # fmt: skip
WHOLE_LIFE["guildhall"] = WHOLE_LIFE["lemmy"]
WHOLE_LIFE["nodebb"] = [
    WHOLE_LIFE["lemmy"][0], ("Announce{id}", "counters"), *WHOLE_LIFE["lemmy"][1:],
    ("Undo{Announce}", "counters"),
]  # fmt: skip
WHOLE_LIFE["pixelfed"] = WHOLE_LIFE["mastodon"]


@pytest.mark.parametrize("software", WHOLE_LIFE)
async def test_a_follower_is_sent_what_its_software_takes(
    gh: Commons, vic: ScriptedPeer, software: str
) -> None:
    await follow(gh, vic, software)
    ana = await makers.member(gh.instance, "ana")
    await life(gh, ana)
    assert await told(gh, vic) == WHOLE_LIFE[software]


async def test_words_reach_a_microblog_as_they_change_and_leave_it_as_they_go(
    gh: Commons, vic: ScriptedPeer
) -> None:
    await follow(gh, vic, "mastodon")
    thread = await makers.thread(gh.instance, gh.admin, gh.forum, "First", "taintword")
    await gh.settled()
    [boost] = vic.delivered
    assert (boost["object"], boost["to"]) == (thread.uri, [PUBLIC])
    await edit(gh, gh.admin, thread, "freshword")
    await gh.settled()
    update = vic.delivered[-1]
    assert (update["object"]["id"], update["object"]["name"]) == (thread.uri, "Newer")
    assert "freshword" in update["object"]["summary"]
    assert update["object"]["updated"] > update["object"]["published"]
    await remove(gh, gh.admin, thread)
    await gh.settled()
    deleted, undone = vic.delivered[-2:]
    assert (deleted["object"]["id"], "summary" in deleted) == (thread.uri, False)
    assert deleted["object"]["type"] == "Tombstone"
    assert undone["object"]["id"] == boost["id"] == f"{gh.forum.uri}/announce/{thread.id}"
    assert undone["object"]["object"] == thread.uri


async def test_who_runs_other_software_meanwhile_is_sent_what_that_takes(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await follow(gh, vic, "lemmy")
    await follow(gh, evil, "mastodon")
    vic.inbox_answer = lambda _: Page(status=503)
    await makers.thread(gh.instance, gh.admin, gh.forum, "Moving")
    await gh.settled()
    assert {summed_up(one) for one in vic.delivered} == {"Announce{Create}"}
    vic.requests.clear()
    vic.inbox_answer = lambda _: Page(status=202)
    async with gh.instance.transaction() as tx:
        (await tx.session.get_one(Peer, vic.host)).software = "mastodon"
    gh.clock.turn(hours=1)
    assert await told(gh, vic) == [("Announce{id}", "counters")]


async def test_who_has_left_hears_of_what_they_got_and_of_nothing_newer(
    gh: Commons, vic: ScriptedPeer
) -> None:
    await follow(gh, vic, "mastodon")
    seen = await makers.thread(gh.instance, gh.admin, gh.forum, "Seen")
    await gh.settled()
    undo = {"type": "Follow", "id": f"{vera(vic)}#follow-1", "object": gh.forum.uri}
    await gh.sent(vic, doing("Undo", vera(vic), undo | {"actor": vera(vic)}))
    vic.requests.clear()
    unseen = await makers.thread(gh.instance, gh.admin, gh.forum, "Unseen")
    for post in (seen, unseen):
        await edit(gh, gh.admin, post)
        await remove(gh, gh.admin, post)
    await gh.settled()
    told_of = [
        (one["type"], thing.get("object", thing["id"]))
        for one in vic.delivered
        for thing in [one["object"]]
    ]
    kinds = ("Update", "Delete", "Undo")
    assert told_of == [(kind, seen.uri) for kind in kinds]


async def test_a_removal_by_a_steward_is_the_authors_delete_where_no_other_counts(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await follow(gh, vic, "gotosocial")
    await follow(gh, evil, "piefed")
    ana = await makers.member(gh.instance, "ana")
    thread = await makers.thread(gh.instance, ana, gh.forum)
    await gh.settled()
    await remove(gh, gh.admin, thread, "Advertising")
    await gh.settled()
    deleted, undone = vic.delivered[-2:]
    assert (deleted["type"], deleted["actor"]) == ("Delete", ana.uri)
    assert "summary" not in deleted
    assert (undone["type"], undone["actor"]) == ("Undo", gh.forum.uri)
    removed = evil.delivered[-1]["object"]
    assert (removed["actor"], removed["summary"]) == (gh.admin.uri, "Advertising")
    assert [one["type"] for one in evil.delivered] == ["Announce", "Announce"]


async def test_a_boost_that_was_never_sent_is_not_taken_back(
    gh: Commons, vic: ScriptedPeer
) -> None:
    # The thread is older than the follow.
    await follow(gh, vic, "mastodon")
    await remove(gh, gh.admin, gh.thread)
    assert await told(gh, vic) == [("Delete", "sam")]


async def test_a_group_that_follows_makes_unknown_software_a_forums(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    vic.actor("/u/vera", "Group")
    await follow(gh, vic, "lotide")
    await follow(gh, evil, "lotide")
    await makers.thread(gh.instance, gh.admin, gh.forum)
    assert await told(gh, vic) == [("Announce{Create}", "counters")]
    assert await told(gh, evil) == [
        ("Announce{Create}", "counters"), ("Announce{id}", "counters"),
    ]  # fmt: skip


async def test_news_of_people_and_forums_go_to_who_takes_them(
    open_commons: Opener, evil: ScriptedPeer, vic: ScriptedPeer, third: ScriptedPeer
) -> None:
    gh = await open_commons()
    await gh.allow(evil.host, vic.host, third.host)
    for peer, software in ((evil, "mastodon"), (vic, "lemmy"), (third, "guildhall")):
        await follow(gh, peer, software)
    stranger = await makers.member(gh.instance, "ana")
    for member in (gh.admin, stranger):
        gh.clock.turn(minutes=1)
        async with gh.instance.transaction() as tx:
            held = await tx.session.get_one(Member, member.id)
            await profile.change(tx, held, ProfileDraft(name="Newer name", role_title="", bio=""))
    # Nobody but agencies knows who has written nothing.
    assert await told(gh, evil) == [("Update", "sam")]
    # About two people, so in any order.
    assert sorted(await told(gh, third)) == [("Update", "ana"), ("Update", "sam")]
    assert await told(gh, vic) == []
    async with gh.instance.transaction() as tx:
        draft = deeds.ForumDraft("counters", "Newer title", "Newer.")
        await deeds.change(tx, gh.admin, gh.forum, draft)
    assert await told(gh, evil) == [("Update", "counters")]
    assert await told(gh, vic) == await told(gh, third) == [("Announce{Update}", "counters")]


async def test_what_is_shared_with_agencies_goes_out_in_one_form_only(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await follow(gh, vic, "mastodon")
    evil.software = "guildhall"
    evil.describe()
    await gh.is_guildhall(evil.host)
    gh.forum = await makers.forum(gh.instance, gh.admin, "closed", visibility="agencies")
    await gh.sent(evil, doing("Follow", vera(evil), gh.forum.uri, 7))
    evil.requests.clear()
    ana = await makers.member(gh.instance, "ana")
    thread, _ = await life(gh, ana)
    named = await makers.thread(gh.instance, ana, gh.forum, "Named", f"@vera@{vic.host} knows.")
    await remove(gh, gh.admin, named, "Off topic.")
    async with gh.instance.transaction() as tx:
        await deeds.change(tx, gh.admin, gh.forum, deeds.ForumDraft("closed", "Newer", ""))
    sent = await told(gh, evil)
    assert len(sent) == 13
    assert {(kind[:9], by) for kind, by in sent} == {("Announce{", "closed")}
    assert await told(gh, vic) == []
    async with gh.instance.reading() as session:
        question = select(LogRow.form, LogRow.closed).where(
            LogRow.audience == gh.forum.uri, LogRow.subject != evil.origin
        )
        assert set((await session.execute(question)).all()) == {(Form.WRAPPED, True)}
        direct = select(LogRow.subject).where(LogRow.form == Form.DIRECT)
        assert thread.uri not in set((await session.execute(direct)).scalars())
