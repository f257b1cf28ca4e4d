# SPDX-License-Identifier: Apache-2.0
"""A place is for whoever asks for it, and answered by its organiser alone."""

from server.calendar import joining, writing
from server.calendar.typed import check
from storage import events
from storage.events import Event, EventGuest, GuestState
from storage.forums import Visibility
from storage.members import Member
from storage.posts import Kind, Post
from tests import makers
from tests.hostile.commons import Commons, doing, note
from tests.hostile.peer import AS, Json, ScriptedPeer, mallory, vera
from tests.server.calendar.bench import WEBINAR, announced


async def join(gh: Commons, peer: ScriptedPeer, actor: str, event: Post, number: int = 1) -> Json:
    """Ask for a place; answers what came back."""
    peer.requests.clear()
    row = await gh.sent(peer, doing("Join", actor, event.uri, number))
    assert row.state == "applied", row.note
    [answer] = peer.delivered
    assert (answer["to"], answer["cc"]) == ([actor], [])
    assert answer["object"]["type"] == "Join"
    return answer


async def counts(gh: Commons, event: Post) -> tuple[int, int]:
    async with gh.instance.reading() as session:
        row = await session.get_one(Event, event.id)
        return row.going, row.waiting


async def guest(gh: Commons, event: Post, member: Member) -> EventGuest:
    async with gh.instance.reading() as session:
        found = await events.guest_of(session, event.id, member.id)
    assert found is not None
    return found


async def test_a_place_is_asked_for_by_whoever_signs_and_answered_to_them_alone(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    event = await announced(gh.instance, gh.admin, gh.forum)
    served = (await gh.get(f"/p/{event.id}", vic)).json()
    assert (served["type"], served["startTime"]) == ("Event", "2026-12-03T14:00:00+01:00")
    assert "meet.lakeside" not in str(served)
    accepted = await join(gh, vic, vera(vic), event)
    assert (accepted["type"], accepted["actor"]) == ("Accept", gh.admin.uri)
    assert accepted["gh:link"] == "https://meet.lakeside.example.gov/permits"
    waiting = await join(gh, evil, mallory(evil), event)
    assert (waiting["type"], waiting["gh:place"]) == ("TentativeAccept", 1)
    assert "gh:link" not in waiting
    # Whoever has a place hears of a change, by the author's own Update and by another answer.
    vic.requests.clear()
    async with gh.instance.transaction() as tx:
        moved = check({**WEBINAR, "start_time": "16:00", "end_time": "17:00"})
        await writing.revise(tx, gh.admin, event, moved)
    await gh.settled()
    kinds = {one["type"]: one for one in vic.delivered}
    assert kinds["Update"]["object"]["startTime"] == "2026-12-03T16:00:00+01:00"
    assert kinds["Accept"]["result"]["startTime"] == "2026-12-03T16:00:00+01:00"
    # Nobody gives away the place of somebody else, in whichever words.
    theirs = {"id": f"{vera(vic)}/did/1", "type": "Join", "actor": vera(vic), "object": event.uri}
    for forged in (
        doing("Leave", mallory(evil), event.uri, 2) | {"actor": vera(vic)},
        doing("Undo", mallory(evil), theirs, 3),
        doing("Leave", mallory(evil), event.uri, 4, **{"gh:join": theirs["id"]}),
    ):
        await gh.deliver(evil, forged)
        await gh.settled()
        assert await counts(gh, event) in {(1, 1), (1, 0)}
    assert (await counts(gh, event))[0] == 1
    vic.requests.clear()
    left = await gh.sent(vic, doing("Leave", vera(vic), event.uri, 5))
    assert left.state == "applied", left.note
    assert vic.delivered == []
    thread = await gh.sent(vic, doing("Join", vera(vic), gh.thread.uri, 6))
    assert (thread.state, thread.note) == ("ignored", "This is no event that can be joined.")
    closed = await makers.forum(
        gh.instance, gh.admin, "closed", visibility=Visibility.INSTANCE, title="Closed"
    )
    hidden = await announced(gh.instance, gh.admin, closed)
    row = await gh.sent(vic, doing("Join", vera(vic), hidden.uri, 7))
    assert row.state == "refused"
    assert await counts(gh, hidden) == (0, 0)
    assert all("Join" not in one for one in await gh.announced())


async def test_only_the_organiser_answers_and_only_what_was_asked(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    event: Json = {
        **note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri),
        "@context": AS, "type": "Event", "name": "Kerbs", "joinMode": "free",
        "startTime": "2026-12-03T14:00:00+01:00", "endTime": "2026-12-03T15:00:00+01:00",
        "timezone": "Europe/Berlin",
    }  # fmt: skip
    row = await gh.sent(vic, doing("Create", vera(vic), event))
    assert row.state == "applied", row.note
    post = await gh.held(event["id"])
    assert post is not None
    assert post.kind == Kind.EVENT
    vic.requests.clear()
    async with gh.instance.transaction() as tx:
        await joining.sign_up(tx, gh.admin, post)
    await gh.settled()
    [asked] = [one for one in vic.delivered if one["type"] == "Join"]
    assert (asked["actor"], asked["object"], asked["cc"]) == (gh.admin.uri, post.uri, [])
    assert (await guest(gh, post, gh.admin)).state == GuestState.ASKED
    await gh.sent(evil, doing("Accept", mallory(evil), asked, 1))
    await gh.sent(evil, doing("Accept", mallory(evil), asked["id"], 2))
    for wrong in (f"{gh.admin.uri}#join-{post.id}-9", f"{gh.admin.uri}#join-1-1", "x#join-x-1"):
        await gh.deliver(vic, doing("Accept", vera(vic), wrong, f"w{len(wrong)}"))
        await gh.settled()
    assert (await guest(gh, post, gh.admin)).state == GuestState.ASKED
    moved = {**event, "startTime": "2027-01-01T00:00:00Z", "endTime": "2027-01-01T01:00:00Z"}
    later = {**moved, "updated": "2026-12-02T00:00:00Z"}
    waiting = {"gh:place": 2, "gh:link": "javascript:alert(1)", "result": later}
    await gh.sent(vic, doing("TentativeAccept", vera(vic), asked, 3, **waiting))
    found = await guest(gh, post, gh.admin)
    assert (found.state, found.place, found.link) == (GuestState.WAITING, 2, "")
    async with gh.instance.reading() as session:
        # In a forum of ours an event changes by an edit, of which everybody hears.
        assert (await session.get_one(Event, post.id)).starts.month == 12
    async with gh.instance.transaction() as tx:
        await joining.take_back(tx, gh.admin, post)
    await gh.settled()
    # What crossed the Leave on its way changes nothing any more.
    late = await gh.sent(vic, doing("Accept", vera(vic), asked, 4))
    assert late.state == "refused"
    assert (await guest(gh, post, gh.admin)).state == GuestState.LEFT
