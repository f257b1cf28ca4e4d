# SPDX-License-Identifier: Apache-2.0
"""What is done through an app stands on the pages, and the other way."""

import io
from urllib.parse import urlsplit

import pytest
from PIL import Image
from starlette.applications import Starlette

from storage.forums import Visibility
from tests import makers
from tests.server.calendar import bench as calendar
from tests.server.hub import bench as hub
from tests.server.library import bench as library
from tests.web.api.app import App
from tests.web.api.room import Room
from web.repeats import Turns


async def test_a_thread_and_a_reply_are_posted_changed_and_deleted(room: Room) -> None:
    app = room.app
    text = "@counters Who waits longest?\n\nThose with **paper**. #counters"
    key = {"Idempotency-Key": "one"}
    made = await app.ask("POST", "/api/v1/statuses", json={"status": text}, headers=key)
    again = await app.ask("POST", "/api/v1/statuses", data={"status": text}, headers=key)
    assert again["id"] == made["id"]
    # As after a restart: what is in memory does not decide.
    room.app_of_site.state.turns = Turns()
    later = await app.ask("POST", "/api/v1/statuses", json={"status": text}, headers=key)
    assert later["id"] == made["id"]
    page = await room.page(f"/p/{made['id']}")
    assert "Who waits longest?</h1>" in page
    assert "Those with <strong>paper</strong>" in page
    assert [tag["name"] for tag in made["tags"]] == ["counters"]
    typed = await app.get(f"/api/v1/statuses/{made['id']}/source")
    assert typed["text"] == "Who waits longest?\n\nThose with **paper**. #counters"
    changed = typed["text"].replace("paper", "forms")
    edited = await app.ask("PUT", f"/api/v1/statuses/{made['id']}", json={"status": changed})
    title = "<p><strong>Who waits longest?</strong></p>"
    assert edited["content"] == f"{title}<p>Those with <strong>forms</strong>. #counters</p>"
    versions = await app.get(f"/api/v1/statuses/{made['id']}/history")
    assert ["paper" in one["content"] for one in versions] == [True, False]
    assert "forms" in await room.page(f"/p/{made['id']}/history")
    reply = await app.post("/api/v1/statuses", status="@sam Thanks!", in_reply_to_id=made["id"])
    assert reply["content"] == "<p>Thanks!</p>"
    assert reply["in_reply_to_id"] == made["id"]
    below = (await app.get(f"/api/v1/statuses/{made['id']}/context"))["descendants"]
    assert [one["id"] for one in below] == [reply["id"]]
    above = (await app.get(f"/api/v1/statuses/{reply['id']}/context"))["ancestors"]
    assert [one["id"] for one in above] == [made["id"]]
    gone = await app.ask("DELETE", f"/api/v1/statuses/{reply['id']}")
    assert gone["text"] == "Thanks!"
    await app.get(f"/api/v1/statuses/{reply['id']}", 404)
    assert "Thanks!" not in await room.page(f"/p/{made['id']}")


async def test_what_cannot_be_posted_is_said_in_one_sentence(room: Room) -> None:
    app, path = room.app, "/api/v1/statuses"
    for sent, said in (
        ({"status": "Hello, everybody"}, "mention"),
        ({"status": ""}, "forum"),
        ({"status": "@counters x", "visibility": "direct"}, "public"),
        ({"status": "@counters x", "poll": {"options": ["a"], "expires_in": 300}}, "choices"),
        ({"status": "@counters x", "scheduled_at": "2030-01-01T00:00:00Z"}, "scheduled"),
        ({"status": "x" * 50_001, "in_reply_to_id": str(room.thread.id)}, "50000"),
        ({"status": "@counters x", "media_ids": ["1"]}, "not found"),
    ):
        answer = await room.client.post(
            path, json=sent, headers={"Authorization": f"Bearer {app.token}"}
        )
        assert answer.status_code in {404, 422}, sent
        assert "error" in answer.json()
        assert said in answer.text or "forum" in answer.text, answer.text
    await app.post(path, 404, status="x", in_reply_to_id="99")
    before = await app.get(f"/api/v1/accounts/{room.ana.id}/statuses")
    assert before == []


async def test_endorsing_keeping_following_and_reading_notices(room: Room) -> None:
    app, status = room.app, f"/api/v1/statuses/{room.thread.id}"
    assert (await app.post(f"{status}/favourite"))["favourites_count"] == 1
    assert 'value="1"' in await room.page(f"/p/{room.thread.id}")
    assert [one["acct"] for one in await app.get(f"{status}/favourited_by")] == ["ana"]
    assert [one["id"] for one in await app.get("/api/v1/favourites")] == [str(room.thread.id)]
    assert (await app.post(f"{status}/unfavourite"))["favourited"] is False
    assert (await app.post(f"{status}/bookmark"))["bookmarked"]
    assert [one["id"] for one in await app.get("/api/v1/bookmarks")] == [str(room.thread.id)]
    assert f'data-kept="{room.thread.id}"' in await room.page("/me/kept")
    assert (await app.post(f"{status}/unbookmark"))["bookmarked"] is False
    assert await app.get("/api/v1/bookmarks") == []
    assert "You keep nothing yet" in await room.page("/me/kept")
    await makers.submit(room.client, f"/p/{room.thread.id}/keep")
    assert [one["id"] for one in await app.get("/api/v1/bookmarks")] == [str(room.thread.id)]
    await makers.submit(room.client, f"/p/{room.thread.id}/drop")
    assert await app.get("/api/v1/bookmarks") == []


async def test_following_reporting_and_reading_notices(room: Room) -> None:
    app = room.app
    wrong = {"status_ids": [str(room.thread.id)], "comment": "Not a question"}
    assert (await app.post("/api/v1/reports", **wrong))["status_ids"] == wrong["status_ids"]
    assert "forum" in (await app.post("/api/v1/reports", 422, comment="x"))["error"]
    async with makers.browser(room.app_of_site) as desk:
        await makers.sign_in(desk, room.instance, room.sam)
        assert "Not a question" in (await desk.get(f"/f/{room.forum.handle}/reports")).text
    forum = f"/api/v1/accounts/{room.forum.id}"
    assert (await app.post(f"{forum}/unfollow"))["following"] is False
    assert await app.get("/api/v1/lists") == []
    for more in ({"notify": True}, {"reblogs": False}):
        await app.post(f"{forum}/follow", 422, **more)
    assert (await app.post(f"{forum}/follow", notify=False, reblogs=True))["following"]
    assert 'data-follow="accepted"' in await room.page(f"/f/{room.forum.handle}")
    refused = await app.post(f"/api/v1/accounts/{room.sam.id}/follow", 422)
    assert "forum" in refused["error"]
    mine = await makers.reply(room.instance, room.ana, room.thread, "Mine")
    theirs = await makers.reply(room.instance, room.sam, mine, "Yours, @ana")
    found = await app.get("/api/v1/notifications")
    assert [(one["type"], one["status"]["id"]) for one in found] == [("mention", str(theirs.id))]
    assert (await app.get("/api/v1/notifications/unread_count")) == {"count": 1}
    mark = {"notifications": {"last_read_id": found[0]["id"]}}
    moved = await app.post("/api/v1/markers", **mark)
    assert moved["notifications"]["last_read_id"] == found[0]["id"]
    assert (await app.get("/api/v1/markers", **{"timeline[]": "notifications"})) == moved
    assert (await app.get("/api/v1/notifications/unread_count")) == {"count": 0}
    assert await app.get("/api/v1/notifications", **{"types[]": "favourite"}) == []
    await app.post(f"/api/v1/notifications/{found[0]['id']}/dismiss")
    assert await app.get("/api/v1/notifications") == []
    assert "Yours" not in await room.page("/notifications")


async def test_home_lists_forums_and_tags_show_each_thing_once(room: Room) -> None:
    app, thread = room.app, str(room.thread.id)
    home = await app.get("/api/v1/timelines/home")
    assert [one["reblog"]["id"] for one in home] == [thread]
    assert home[0]["account"]["acct"] == "counters"
    assert home[0]["account"]["group"] is True
    assert home[0]["id"] != thread
    boost = await app.get(f"/api/v1/statuses/{home[0]['id']}")
    assert boost["reblog"]["id"] == thread
    elsewhere = await makers.reply(room.instance, room.sam, room.thread, "Not for Ana")
    assert len(await app.get("/api/v1/timelines/home")) == 1
    await makers.reply(room.instance, room.ana, room.thread, "I take part")
    ids = [(one["reblog"] or one)["id"] for one in await app.get("/api/v1/timelines/home")]
    assert set(ids) >= {thread, str(elsewhere.id)}
    lists = await app.get("/api/v1/lists")
    assert [one["title"] for one in lists] == ["Service counters"]
    inside = await app.get(f"/api/v1/timelines/list/{lists[0]['id']}")
    assert [one["reblog"]["id"] for one in inside] == [thread]
    await app.post("/api/v1/lists", 422, title="Mine")
    for path in ("/api/v1/timelines/public?local=true", "/api/v1/timelines/tag/permits"):
        assert [one["id"] for one in await app.get(path)] == [thread]
    assert await app.get("/api/v1/timelines/public", remote="true") == []
    found = await app.get("/api/v2/search", q="counters", resolve="true")
    assert [one["acct"] for one in found["accounts"]] == ["counters"]
    found = await app.get("/api/v2/search", q=f"http://riverton.localhost:8000/p/{thread}")
    assert [one["id"] for one in found["statuses"]] == [thread]
    found = await app.get("/api/v2/search", q="completeness", offset="20")
    assert found["statuses"] == []
    own = await app.ask(
        "PATCH",
        "/api/v1/accounts/update_credentials",
        data={"display_name": "Ana R.", "note": "Hi"},
    )
    assert (own["display_name"], own["source"]["note"]) == ("Ana R.", "Hi")
    assert "Ana R." in await room.page("/u/ana")


async def test_a_profile_is_changed_as_far_as_there_is_one(room: Room) -> None:
    address, drawn = "/api/v1/accounts/update_credentials", io.BytesIO()
    plain = (await room.app.get("/api/v1/accounts/verify_credentials"))["avatar"]
    Image.new("RGB", (60, 30), "navy").save(drawn, "PNG")
    file = ("x.png", drawn.getvalue(), "image/png")
    said = {"fields_attributes[0][name]": "Role", "fields_attributes[0][value]": "Clerk"}
    own = await room.app.ask("PATCH", address, files={"avatar": file}, data=said)
    assert own["source"]["fields"][0]["value"] == "Clerk"
    shown = own["avatar"]
    assert shown != plain
    assert (await room.client.get(shown)).headers["content-type"] == "image/webp"
    page = await room.page("/u/ana")
    assert "Clerk" in page
    assert urlsplit(shown).path in page
    for sent in (
        {"files": {"header": file}},
        {"files": {"avatar": ("x.svg", b"<svg/>", "image/svg+xml")}},
        {"data": {"locked": "true"}},
        {"data": {"discoverable": "false"}},
        {"json": {"source": {"privacy": "private"}}},
        {"json": {"source": {"language": "fi"}}},
        {"data": {"source[sensitive]": "true"}},
        {"json": {"fields_attributes": [{"name": "Home page", "value": "https://x.example"}]}},
    ):
        assert (await room.app.ask("PATCH", address, 422, **sent))["error"]
    same = {"locked": False, "source": {"privacy": "public"}, "fields_attributes": own["fields"]}
    assert (await room.app.ask("PATCH", address, json=same))["avatar"] == shown
    gone = await room.app.ask("DELETE", "/api/v1/profile/avatar")
    assert gone["avatar"] == plain


async def test_links_lead_through_a_list_to_its_end_and_back_while_posts_arrive(
    room: Room,
) -> None:
    """Each of the lists that a screen of an app scrolls through, and what each app does there."""
    threads = [await makers.thread(room.instance, room.sam, room.forum) for _ in range(4)]
    for one in threads:
        await makers.reply(room.instance, room.sam, one, "For @ana")
        for deed in ("favourite", "bookmark"):
            await room.app.post(f"/api/v1/statuses/{one.id}/{deed}")
    for path, rising in (
        ("timelines/home", True), ("timelines/public", True), ("notifications", True),
        (f"accounts/{room.forum.id}/statuses", True), ("favourites", False), ("bookmarks", False),
    ):  # fmt: skip
        address = f"/api/v1/{path}?limit=3"
        whole = [one["id"] for one in await room.app.get(f"/api/v1/{path}?limit=40")]
        down, last = await _linked(room, address, "next")
        assert [one for page in down for one in page] == whole
        if rising:
            late = await makers.thread(room.instance, room.sam, room.forum, "Late", "For @ana")
            await makers.reply(room.instance, room.sam, late, "For @ana")
        now = [one["id"] for one in await room.app.get(f"/api/v1/{path}?limit=40")]
        up, _ = await _linked(room, last, "prev")
        assert [one for page in reversed(up) for one in page] == now[: -len(down[-1])]


async def _linked(room: Room, address: str, relation: str) -> tuple[list[list[str]], str]:
    """The ids of each page from this address on, and the way back from the last of them."""
    pages: list[list[str]] = []
    back = ""
    headers = {"Authorization": f"Bearer {room.app.token}"}
    while address:
        answer = await room.client.get(address, headers=headers)
        if found := [one["id"] for one in answer.json()]:
            pages.append(found)
        back = answer.links.get("prev", {}).get("url", back)
        address = answer.links.get(relation, {}).get("url", "")
    return pages, back


async def test_what_is_no_talk_reads_as_its_title_some_lines_a_link_and_a_card(room: Room) -> None:
    shared = (room.instance, room.ana, room.forum)
    link = {"link": "https://tool.example/x"}
    for post, said in (
        (await library.published(*shared), "refuses incomplete applications"),
        (await hub.shared(*shared, said=link), "tool.example"),
        (
            await calendar.announced(*shared, place="Room <2>"),
            "<p>Thursday 3 December 2026, 14:00–15:30 (Europe/Berlin, UTC+1), Room &lt;2&gt;</p>",
        ),
    ):
        found = await room.app.get(f"/api/v1/statuses/{post.id}")
        assert found["content"].startswith(f"<p><strong>{post.title}</strong></p>")
        assert said in found["content"]
        assert f'href="{post.url}"' in found["content"]
        assert (found["card"]["url"], found["card"]["title"]) == (post.url, post.title)
    assert found["card"]["description"].startswith("Thursday 3 December 2026, 14:00")
    assert "https://meet.lakeside" not in str(found)


async def test_a_picture_stands_in_the_post_on_the_page_and_beside_it_in_apps(room: Room) -> None:
    app, drawn = room.app, io.BytesIO()
    Image.new("RGB", (60, 30), "navy").save(drawn, "PNG")
    file = {"file": ("x.png", drawn.getvalue(), "image/png")}
    sent = await app.ask("POST", "/api/v2/media", files=file, data={"description": "A [blue] box"})
    assert sent["meta"]["original"]["width"] == 60
    told = {"description": "A blue *counter*"}
    await app.ask("PUT", f"/api/v1/media/{sent['id']}", json=told)
    reply = await app.post(
        "/api/v1/statuses", status="See", in_reply_to_id=str(room.thread.id), media_ids=[sent["id"]]
    )
    assert reply["content"] == "<p>See</p>"
    picture = reply["media_attachments"][0]
    assert (picture["description"], picture["url"]) == ("A blue counter", sent["url"])
    assert 'src="/media/' in await room.page(f"/p/{room.thread.id}")
    assert (await room.client.get(picture["url"])).headers["content-type"] == "image/webp"
    stranger = App(room.client, await makers.token(room.instance, room.sam))
    await stranger.get(f"/api/v1/media/{sent['id']}", 404)
    await stranger.post(
        "/api/v1/statuses", 404, status="Mine", in_reply_to_id=str(room.thread.id),
        media_ids=[sent["id"]],
    )  # fmt: skip
    await app.ask("DELETE", f"/api/v1/statuses/{reply['id']}")
    assert (await room.client.get(picture["url"])).status_code == 404
    wrong = {"file": ("x.svg", b"<svg/>", "image/svg+xml")}
    refused = await app.ask("POST", "/api/v2/media", 422, files=wrong)
    assert "PNG" in refused["error"]


async def test_ACC_12_other_peoples_ids_and_hidden_things_answer_like_nothing(
    app: Starlette, room: Room
) -> None:
    closed = await makers.forum(
        room.instance, room.sam, "board", title="The board", visibility=Visibility.MEMBERS
    )
    secret = await makers.thread(room.instance, room.sam, closed, "Secret", "@ana a secret")
    mine = await makers.reply(room.instance, room.sam, room.thread, "Sam's")
    ana = room.app
    for path in (
        f"/api/v1/statuses/{secret.id}", f"/api/v1/statuses/{secret.id ^ 1}",
        f"/api/v1/statuses/{secret.id}/context", f"/api/v1/accounts/{closed.id}",
        f"/api/v1/accounts/{closed.id}/statuses", f"/api/v1/timelines/list/{closed.id}",
    ):  # fmt: skip
        assert await ana.get(path, 404) == {"error": "Record not found"}
    for verb in ("favourite", "bookmark"):
        await ana.post(f"/api/v1/statuses/{secret.id}/{verb}", 404)
    await ana.post("/api/v1/statuses", 404, status="x", in_reply_to_id=str(secret.id))
    await ana.post("/api/v1/statuses", 422, status="@board x")
    await ana.ask("DELETE", f"/api/v1/statuses/{mine.id}", 404)
    await ana.ask("PUT", f"/api/v1/statuses/{mine.id}", 403, json={"status": "mine"})
    assert await ana.get("/api/v1/accounts/relationships", **{"id[]": str(closed.id)}) == []
    assert (await ana.get("/api/v2/search", q="secret"))["statuses"] == []
    assert await ana.get("/api/v1/notifications") == []


@pytest.mark.parametrize("junk", ["1e9", "-1", "0", "9" * 400, "", "x", "\u0661", "99999999999"])
async def test_junk_in_a_call_is_answered_in_bounds(room: Room, junk: str) -> None:
    app = room.app
    for path in (
        "/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/notifications",
        "/api/v1/bookmarks", "/api/v1/favourites", f"/api/v1/accounts/{room.forum.id}/statuses",
        "/api/v2/search",
    ):  # fmt: skip
        for name in ("limit", "max_id", "min_id", "since_id", "offset", "q"):
            found = await app.get(path, **{name: junk})
            assert len(found) <= 80
    for path in ("/api/v1/statuses", "/api/v1/accounts", "/api/v1/media", "/api/v1/notifications"):
        await app.get(f"{path}/{junk or 'x'}", 404)
