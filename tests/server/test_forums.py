# SPDX-License-Identifier: Apache-2.0
"""Founding, following and reading forums."""

import asyncio
from datetime import timedelta

import pytest

from server import peers
from server.errors import Invalid, NotAllowed, NotFound
from server.forums import comparing, deeds, elsewhere, follows, pages
from server.forums.comparing import Outcome
from server.forums.deeds import ForumDraft
from server.forums.pages import Place
from server.instance import Instance
from server.posts import steering
from server.settings import Federation, Mode, Settings
from server.viewers import VISITOR, Viewer
from storage import log
from storage.forums import CopyState, FollowState, Forum, ForumFollow, ForumSteward, Visibility
from storage.log import ActivityBody, Entry, Form, Lane, Parked
from storage.members import Member
from storage.peers import Peer, PolicyRule, Verdict
from storage.posts import Post
from tests import databases, makers
from tests.server.town import Town, row, settle

database_url = databases.database_url


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


async def _forum(town: Town, forum: Forum) -> Forum:
    found: Forum = await row(town.instance, Forum, forum.id)
    return found


async def _follow(town: Town, member: Member, forum: Forum) -> ForumFollow:
    async with town.instance.transaction() as tx:
        return await follows.follow(tx, member, forum)


async def test_a_founded_forum_has_its_founder_as_steward(town: Town) -> None:
    forum = await makers.forum(
        town.instance, town.sam, "permits", title=" Permits ", description="**Ask**"
    )
    assert forum.uri == f"{town.instance.settings.origin}/f/permits"
    assert forum.title == "Permits"
    assert "<strong>Ask</strong>" in forum.description_html
    assert await row(town.instance, ForumSteward, (forum.id, town.sam.id))


async def test_people_and_forums_share_one_namespace(town: Town) -> None:
    for handle in ("ana", "counters"):
        with pytest.raises(Invalid) as refused:
            await makers.forum(town.instance, town.sam, handle)
        assert "handle" in refused.value.fields


async def test_of_two_forums_founded_at_once_one_gets_the_name(town: Town) -> None:
    results = await asyncio.gather(
        *(makers.forum(town.instance, town.sam, "same") for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(result, Forum) for result in results) == 1
    assert sum(isinstance(result, Invalid) for result in results) == 2


async def test_only_an_admin_founds_a_forum(town: Town) -> None:
    with pytest.raises(NotAllowed):
        await makers.forum(town.instance, town.ana, "mine")


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (ForumDraft("a-b", "T"), "handle"),
        (ForumDraft("", "T"), "handle"),
        (ForumDraft("x" * 31, "T"), "handle"),
        (ForumDraft("admin", "T"), "handle"),
        (ForumDraft("f", " \n"), "title"),
        (ForumDraft("f", "T", "x" * 5_001), "description"),
        (ForumDraft("f", "T", visibility="secret"), "visibility"),
        (ForumDraft("f", "T", language="e\nn"), "language"),
    ],
)
def test_a_forum_is_checked_field_by_field(draft: ForumDraft, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        deeds.check(draft)
    assert list(refused.value.fields) == [field]


async def test_a_forum_keeps_handle_and_visibility_when_it_is_changed(town: Town) -> None:
    other = ForumDraft("other", "New title", "New words", Visibility.MEMBERS, "es")
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await deeds.change(tx, town.ana, town.forum, other)
    async with town.instance.transaction() as tx:
        await deeds.change(tx, town.sam, town.forum, other)
    held = await town.forum_now()
    assert (held.handle, held.title, held.language) == ("counters", "New title", "es")
    assert held.visibility == Visibility.PUBLIC
    assert await town.facts() == ["ForumChanged"]


async def test_a_forum_of_another_agency_is_not_ours_to_change(town: Town) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    async with town.instance.transaction() as tx:
        await elsewhere.set_stewards(tx, await tx.session.get_one(Forum, permits.id), [town.ana])
    with pytest.raises(NotFound):
        async with town.instance.transaction() as tx:
            await deeds.change(tx, town.ana, permits, ForumDraft("permits", "Ours now"))
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await deeds.change(tx, town.sam, permits, ForumDraft("permits", "Ours now"))


async def test_stewards_are_named_by_admins_only_and_told_once(town: Town) -> None:
    with pytest.raises(NotAllowed):
        async with town.instance.transaction() as tx:
            await deeds.name_steward(tx, town.ana, town.forum, town.ana, named=True)
    async with town.instance.transaction() as tx:
        for _ in range(2):
            await deeds.name_steward(tx, town.sam, town.forum, town.ana, named=True)
            await tx.session.flush()
    assert await town.facts() == ["StewardNamed"]
    async with town.instance.transaction() as tx:
        await deeds.name_steward(tx, town.sam, town.forum, town.ana, named=False)
    async with town.instance.reading() as session:
        assert [m.handle for m in (await pages.people(session, town.forum))[0]] == ["sam"]


async def test_a_local_follow_counts_once_and_leaving_takes_it_back(town: Town) -> None:
    for _ in range(2):
        await _follow(town, town.ana, town.forum)
    await asyncio.gather(*(_follow(town, town.dee, town.forum) for _ in range(3)))
    assert (await town.forum_now()).follower_count == 2
    for _ in range(2):
        async with town.instance.transaction() as tx:
            await follows.leave(tx, town.ana, town.forum)
    assert (await town.forum_now()).follower_count == 1
    async with town.instance.reading() as session:
        assert (await pages.page(session, Viewer(town.ana), town.forum)).follow is None


async def test_a_follow_elsewhere_is_asked_for_accepted_left_and_asked_again(town: Town) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    first = await _follow(town, town.ana, permits)
    assert (first.state, first.n) == (FollowState.PENDING, 1)
    assert first.uri == f"{town.ana.uri}#follow-{permits.id}-1"
    assert (await _forum(town, permits)).copy_state == CopyState.WAITING
    async with town.instance.transaction() as tx:
        await follows.confirmed(tx, town.ana, permits)
        await follows.confirmed(tx, town.ana, permits)
    assert (await _forum(town, permits)).copy_state == CopyState.FILLING
    await _follow(town, town.dee, permits)
    async with town.instance.transaction() as tx:
        await elsewhere.progress(tx, permits.id, 3, 2)
        await comparing.ended(tx, permits.id, None, "", Outcome(through=True))
        await follows.confirmed(tx, town.dee, permits)
    filled = await _forum(town, permits)
    assert (filled.copy_state, filled.backfill_total) == (CopyState.CURRENT, 3)
    for member, state in ((town.ana, CopyState.CURRENT), (town.dee, CopyState.STALE)):
        async with town.instance.transaction() as tx:
            await follows.leave(tx, member, permits)
        assert (await _forum(town, permits)).copy_state == state
    again = await _follow(town, town.ana, permits)
    assert (again.n, again.state) == (2, FollowState.PENDING)
    assert again.uri == f"{town.ana.uri}#follow-{permits.id}-2"
    assert await town.facts() == [
        "ForumFollowed",
        "CopyWanted",
        "ForumFollowed",
        "ForumLeft",
        "ForumLeft",
        "ForumFollowed",
    ]


async def test_a_follow_that_the_home_declines_says_why(town: Town) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    await _follow(town, town.ana, permits)
    async with town.instance.transaction() as tx:
        await follows.declined(tx, town.ana, permits, "Not on our list.")
    held: ForumFollow = await row(town.instance, ForumFollow, (permits.id, town.ana.id))
    assert (held.state, held.reason) == (FollowState.REJECTED, "Not on our list.")
    assert (await _forum(town, permits)).copy_state == CopyState.KNOWN


async def test_what_keeps_a_follow_waiting_is_said(town: Town) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    viewer = Viewer(town.ana)
    await _follow(town, town.ana, permits)

    async def obstacle() -> str:
        async with town.instance.reading() as session:
            return (await pages.page(session, viewer, await _forum(town, permits))).obstacle

    assert await obstacle() == ""
    async with town.instance.transaction() as tx:
        lane = Lane(id=1, inbox=permits.shared_inbox, peer=permits.peer, created=tx.now)
        body = ActivityBody(id=1, body="{}", subject=permits.uri)
        tx.session.add_all([lane, body])
        await tx.session.flush()
        entry = Entry(Form.DIRECT, "a:follow", "a", "a", "a", permits.uri)
        seq = await log.append(tx.session, entry, body.id, tx.now, [lane.id])
        tx.session.add(Parked(lane_id=lane.id, seq=seq, order_key="a", next_try=tx.now))
    assert "put us on their list" in await obstacle()
    async with town.instance.transaction() as tx:
        peer = await peers.seen(tx, permits.peer or "", "http://lakeside.example.gov")
        peer.next_try = tx.now
    assert "does not answer at the moment" in await obstacle()


async def test_nobody_follows_abroad_while_federation_is_off(town: Town) -> None:
    permits = await makers.forum_elsewhere(town.instance)
    values = town.instance.settings.model_dump() | {"federation": Federation.OFF}
    town.instance.settings = Settings(**values | {"mode": Mode.TEST})
    with pytest.raises(NotAllowed, match="federation is off"):
        await _follow(town, town.ana, permits)


async def test_followers_elsewhere_are_taken_by_visibility_and_policy(town: Town) -> None:
    instance = town.instance
    marek = await makers.person_elsewhere(instance)
    shared = await makers.forum(instance, town.sam, "shared", visibility=Visibility.AGENCIES)
    inner = await makers.forum(instance, town.sam, "inner", visibility=Visibility.INSTANCE)

    async def ask(forum: Forum) -> bool:
        async with instance.transaction() as tx:
            return await follows.accept_follower(tx, marek, forum, "http://x/follow-1")

    assert await ask(town.forum)
    assert await ask(town.forum)
    assert (await town.forum_now()).follower_count == 1
    with pytest.raises(NotFound):
        await ask(inner)
    assert not await ask(shared)
    now = instance.clock.now()
    async with instance.transaction() as tx:
        rule = PolicyRule(id=1, pattern="lakeside.localhost", verdict=Verdict.ALLOW, added=now)
        rule.added_by = "test"
        tx.session.add(rule)
    assert not await ask(shared), "listed, but not known to run Guildhall"
    async with instance.transaction() as tx:
        tx.session.add(Peer(host=makers.LAKESIDE, origin="x", software="guildhall", first_seen=now))
    assert await ask(shared)
    for _ in range(2):
        async with instance.transaction() as tx:
            await follows.drop_follower(tx, marek, town.forum)
    assert (await town.forum_now()).follower_count == 0
    assert (await town.facts()).count("FollowerLeft") == 1


async def test_the_pages_of_a_forum_lose_and_repeat_no_thread(town: Town) -> None:
    """Pins first; ties in the moment of the last activity, and moments finer than a millisecond."""
    total = 2 * pages.PAGE + 17
    start = town.instance.clock.now()
    async with town.instance.transaction() as tx:
        for number in range(total):
            moment = start + timedelta(microseconds=number // 3 * 333)
            identifier = tx.ids.next()
            tx.session.add(
                Post(
                    id=identifier, uri=f"urn:{number}", url="", kind="thread",
                    forum_id=town.forum.id, author_id=town.ana.id, thread_id=identifier,
                    title=f"{number}", published=moment, arrived=moment, bumped=moment,
                    pinned=number % 2 == 0,
                )
            )  # fmt: skip
    await _follow(town, town.ana, town.forum)
    async with town.instance.reading() as session:
        for listing in ("forum", "home"):
            seen: list[str] = []
            place: Place | None = None
            for turn in range(5):  # noqa: B007 (asked for after the loop)
                shown: pages.ForumPage | pages.HomePage
                if listing == "forum":
                    shown = await pages.page(session, VISITOR, town.forum, after=place)
                else:
                    shown = await pages.home(session, Viewer(town.ana), after=place)
                seen += [line.post.title for line in shown.threads]
                if shown.next is None:
                    break
                place = Place.read(str(shown.next))
                assert place == shown.next
            assert turn == 2
            assert sorted(seen, key=int) == [str(number) for number in range(total)]
            if listing == "forum":
                kinds = [int(title) % 2 for title in seen]
                assert kinds == sorted(kinds)


@pytest.mark.parametrize(
    "link", ["", "1-2", "a-b-c", "-1-2-3", "1-2-3-4", f"0-{10**19}-1", f"0-1-{1 << 63}"]
)
def test_a_place_that_is_none_is_not_read(link: str) -> None:
    assert Place.read(link) is None


async def test_a_pinned_thread_stands_first_and_a_closed_forum_is_not_listed(town: Town) -> None:
    inner = await makers.forum(town.instance, town.sam, "inner", visibility=Visibility.MEMBERS)
    old = await makers.thread(town.instance, town.ana, town.forum, "old")
    await makers.thread(town.instance, town.dee, town.forum, "new")
    async with town.instance.transaction() as tx:
        await steering.pin(tx, town.sam, old, pinned=True)
    async with town.instance.reading() as session:
        shown = await pages.page(session, VISITOR, town.forum)
        assert [line.post.title for line in shown.threads] == ["old", "new"]
        for viewer, handles in (
            (VISITOR, {"counters"}),
            (Viewer(town.ana), {"counters"}),
            (Viewer(town.sam), {"counters", "inner"}),
        ):
            assert {line.forum.handle for line in await pages.index(session, viewer)} == handles
        with pytest.raises(NotFound):
            await pages.one(session, Viewer(town.ana), "inner")
    async with town.instance.transaction() as tx:
        await deeds.list_member(tx, town.sam, inner, "@Ana", listed=True)
    async with town.instance.reading() as session:
        assert (await pages.one(session, Viewer(town.ana), "inner")).id == inner.id
    async with town.instance.transaction() as tx:
        await deeds.list_member(tx, town.sam, inner, "ana", listed=False)
    async with town.instance.reading() as session:
        with pytest.raises(NotFound):
            await pages.one(session, Viewer(town.ana), "inner")
