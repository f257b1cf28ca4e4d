# SPDX-License-Identifier: Apache-2.0
"""What each kind of follower is sent, and by whom it is signed."""

from typing import Any

import pytest
from sqlalchemy import select

from federation.signatures.keys import VerificationKey
from federation.signatures.request import Request
from federation.signatures.verify import check, read_claim
from server import endorsements
from server.forums import deeds
from server.members import profile
from server.members.profile import ProfileDraft
from server.posts import editing, steering
from server.posts.drafts import EditDraft
from storage import keys
from storage.log import Form, LogRow
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.hostile.commons import Commons, doing, note
from tests.hostile.conftest import Opener
from tests.hostile.copy import announce, copied
from tests.hostile.peer import PUBLIC, Asked, Json, ScriptedPeer, mallory, vera


async def follow(gh: Commons, peer: ScriptedPeer, software: str, **changes: Any) -> None:
    """Have Vera, whose server runs some software, follow our forum."""
    peer.software = software
    peer.describe()
    sent = await gh.sent(peer, doing("Follow", vera(peer), gh.forum.uri, **changes))
    assert sent.state == "applied"
    assert [one["type"] for one in peer.delivered] == ["Accept"]
    peer.requests.clear()


async def signer(gh: Commons, asked: Asked) -> str:
    """Whose valid signature a delivery carries."""
    request = Request(
        "POST", asked.target, asked.headers["host"], "http", tuple(asked.headers.items()),
        asked.body,
    )  # fmt: skip
    claim = read_claim(request, now=gh.clock.now(), own_hosts=[asked.headers["host"]])
    owner = claim.key_id.partition("#")[0]
    async with gh.instance.reading() as session:
        [key] = [one for one in await keys.of_owner(session, owner) if one.kind == "rsa"]
    check(claim, VerificationKey.from_pem(key.public))
    return owner


def summed_up(document: Json) -> str:
    """`Announce{Update}`, `Announce{id}`, `Undo{Announce}`, `Delete`."""
    inner = document["object"]
    if document["type"] not in {"Announce", "Undo"}:
        return str(document["type"])
    return f"{document['type']}{{{inner['type'] if isinstance(inner, dict) else 'id'}}}"


async def told(gh: Commons, peer: ScriptedPeer) -> list[tuple[str, str]]:
    """What a peer was sent since, and who signed it: the last part of the signer's id."""
    await gh.settled()
    found = []
    for asked in peer.requests:
        if asked.method == "POST":
            owner = await signer(gh, asked)
            assert asked.document["actor"] == owner
            found.append((summed_up(asked.document), owner.rpartition("/")[2]))
    peer.requests.clear()
    return found


async def edit(gh: Commons, author: Member, post: Post, words: str = "Newer words") -> None:
    await gh.settled()
    gh.clock.turn(minutes=1)
    async with gh.instance.transaction() as tx:
        await editing.edit(tx, author, post, EditDraft("Newer", words))


async def remove(gh: Commons, actor: Member, post: Post, reason: str = "") -> None:
    # What has not gone out by then goes nowhere.
    await gh.settled()
    async with gh.instance.transaction() as tx:
        await editing.remove(tx, actor, post, reason)


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
    assert await told(gh, third) == [("Update", "sam"), ("Update", "ana")]
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
