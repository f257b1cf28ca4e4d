# SPDX-License-Identifier: Apache-2.0
"""Polls are asked in apps and on the page, and each person counts once."""

import pytest

from federation.posts import to_wire
from federation.sharing import shared
from server.errors import Invalid
from server.posts import counting, voting
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.web.api.app import App
from tests.web.api.room import Room

ASKED = {"options": ["Paper", "Online"], "expires_in": 3_600, "hide_totals": True}


async def test_a_poll_is_asked_answered_and_counted_once(room: Room) -> None:
    app = room.app
    made = await app.post("/api/v1/statuses", status="@counters Which?\n\nSay.", poll=ASKED)
    poll, path = made["poll"], f"/api/v1/polls/{made['poll']['id']}"
    assert [one["title"] for one in poll["options"]] == ["Paper", "Online"]
    sam = App(room.client, await makers.token(room.instance, room.sam))
    assert [one["votes_count"] for one in (await sam.get(path))["options"]] == [None, None]
    assert 'name="choice" value="1"' in await room.page(f"/p/{made['id']}")
    assert (
        await makers.submit(room.client, f"/p/{made['id']}/vote", choice="1")
    ).status_code == 303
    assert "Your choice" in await room.page(f"/p/{made['id']}")
    counted = await app.get(path)
    assert [one["votes_count"] for one in counted["options"]] == [0, 1]
    assert (counted["voted"], counted["own_votes"], counted["voters_count"]) == (True, [1], 1)
    assert "already" in (await app.post(f"{path}/votes", 422, choices=["0"]))["error"]
    for wrong in ([], ["7"], ["0", "1"], ["x"]):
        assert "Choose" in (await sam.post(f"{path}/votes", 422, choices=wrong))["error"]
    marek = await makers.person_elsewhere(room.instance)
    number = int(made["id"])
    async with room.instance.transaction() as tx:
        post = await tx.session.get_one(Post, number)
        await voting.vote_by_name(tx, marek, post, "Online")
        await voting.vote_by_name(tx, marek, post, "Online")
        with pytest.raises(Invalid):
            await voting.vote_by_name(tx, marek, post, "Paper")
        question = to_wire(await shared(tx.session, post))
    assert (question["type"], question["votersCount"], "closed" in question) == (
        "Question",
        2,
        False,
    )
    assert [one["replies"]["totalItems"] for one in question["oneOf"]] == [0, 0]
    await sam.post(f"{path}/votes", choices=["0"])
    clock = room.instance.clock
    assert isinstance(clock, TurnableClock)
    clock.turn(hours=2)
    assert "ended" in (await sam.post(f"{path}/votes", 422, choices=["0"]))["error"]
    assert [one["votes_count"] for one in (await sam.get(path))["options"]] == [1, 2]
    async with room.instance.transaction() as tx:
        await counting.tend(tx)
    async with room.instance.reading() as session:
        question = to_wire(await shared(session, await session.get_one(Post, number)))
    assert [one["replies"]["totalItems"] for one in question["oneOf"]] == [1, 2]
    assert "closed" in question
    for phone in (app, sam):
        [notice] = await phone.get("/api/v1/notifications", **{"types[]": "poll"})
        assert (notice["type"], notice["status"]["id"]) == ("poll", made["id"])
    assert "Your poll has ended: Which?" in await room.page("/notifications")


async def test_a_poll_is_typed_on_the_page_and_read_in_an_app(room: Room) -> None:
    form = {"title": "Which days?", "source": "Say.", "action": "post", "poll_lasting": "86400"}
    path = f"/f/{room.forum.handle}/new"
    wrong = await makers.submit(room.client, path, **form, poll_options="Only one")
    assert "from 2 to 8 choices" in wrong.text
    assert "Only one</textarea>" in wrong.text
    several = {"poll_options": "Monday\nTuesday\nFriday", "poll_multiple": "yes"}
    made = await makers.submit(room.client, path, **form, **several)
    number = made.headers["location"].split("/")[2]
    poll = (await room.app.get(f"/api/v1/statuses/{number}"))["poll"]
    assert (poll["multiple"], len(poll["options"])) == (True, 3)
    voted = await room.app.post(f"/api/v1/polls/{number}/votes", choices=["0", "2"])
    assert [one["votes_count"] for one in voted["options"]] == [1, 0, 1]
    assert "1 person voted" in await room.page(f"/p/{number}")
    await room.app.post("/api/v1/statuses", 422, status="x", in_reply_to_id=number, poll=ASKED)
    changed = {"status": "Which days?\n\nTell.", "poll": ASKED}
    await room.app.ask("PUT", f"/api/v1/statuses/{number}", 422, json=changed)
    await room.app.ask("DELETE", f"/api/v1/statuses/{number}")
    await room.app.get(f"/api/v1/polls/{number}", 404)
