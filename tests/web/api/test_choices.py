# SPDX-License-Identifier: Apache-2.0
"""What members mute, block, filter and follow, in apps and on the pages."""

from storage.forums import Visibility
from tests import makers
from tests.web.api.app import App
from tests.web.api.room import Room


async def test_whom_a_member_keeps_away_is_neither_shown_nor_heard(room: Room) -> None:
    app, sam, thread = room.app, f"/api/v1/accounts/{room.sam.id}", str(room.thread.id)
    await app.post(f"/api/v1/statuses/{thread}/unmute")
    mine = await makers.thread(room.instance, room.ana, room.forum, "Mine", "Mine")
    heard = await makers.reply(room.instance, room.sam, mine, "A word of Sam's")
    assert len(await app.get("/api/v1/notifications")) == 1
    muted = await app.post(f"{sam}/mute", duration=3_600)
    assert [muted[name] for name in ("muting", "muting_notifications", "blocking")] == [1, 1, 0]
    assert muted["muting_expires_at"] is not None
    assert await app.get("/api/v1/notifications") == []
    assert await app.get("/api/v1/notifications/unread_count") == {"count": 0}
    home = await app.get("/api/v1/timelines/home")
    assert [(one["reblog"] or one)["id"] for one in home] == [str(mine.id)]
    assert (await app.get(f"/api/v1/statuses/{mine.id}/context"))["descendants"] == []
    public = await app.get("/api/v1/timelines/public")
    assert [one["id"] for one in public] == [str(mine.id)]
    page = await room.page(f"/p/{mine.id}")
    assert "You have muted Sam" in page
    assert "A word of Sam" in page
    for path in ("/", f"/f/{room.forum.handle}", "/tags/permits"):
        assert 'data-thread="' + room.thread.uri not in await room.page(path)
    assert "A word of Sam" not in await room.page("/notifications")
    assert f'data-away="{room.sam.id}"' in await room.page("/me/muted")
    assert [one["acct"] for one in await app.get("/api/v1/mutes")] == ["sam"]
    await makers.submit(room.client, "/me/muted", person=str(room.sam.id), kind="mute")
    assert await app.get("/api/v1/mutes") == []
    assert [one["status"]["id"] for one in await app.get("/api/v1/notifications")] == [
        str(heard.id)
    ]
    blocked = await makers.submit(room.client, "/u/sam/mute", kind="block")
    assert blocked.headers["location"] == "/u/sam"
    assert "You have blocked Sam" in await room.page("/u/sam")
    assert [one["acct"] for one in await app.get("/api/v1/blocks")] == ["sam"]
    assert (await app.post(f"{sam}/unblock"))["blocking"] is False
    assert "yourself" in (await app.post(f"/api/v1/accounts/{room.ana.id}/block", 422))["error"]
    await app.post(f"/api/v1/accounts/{room.forum.id}/mute", 422)
    assert (await app.post(f"/api/v1/statuses/{heard.id}/mute"))["muted"] is True
    assert await app.get("/api/v1/notifications") == []
    assert f'data-muted="{mine.id}"' in await room.page("/me/muted")
    assert f'data-thread="{mine.uri}"' in await room.page(f"/f/{room.forum.handle}")
    await makers.submit(room.client, f"/p/{mine.id}/unmute")
    assert (await app.get(f"/api/v1/statuses/{mine.id}"))["muted"] is False
    assert len(await app.get("/api/v1/notifications")) == 1


async def test_a_filter_folds_on_pages_what_it_marks_in_apps(room: Room) -> None:
    app, thread = room.app, str(room.thread.id)
    reply = await makers.reply(room.instance, room.sam, room.thread, "On **zoning** maps")
    made = await app.post(
        "/api/v2/filters", title="Zoning", context=["thread", "home"], expires_in=86_400,
        keywords_attributes=[{"keyword": "zoning map", "whole_word": False}],
    )  # fmt: skip
    found = await app.get(f"/api/v1/statuses/{reply.id}")
    assert [one["keyword_matches"] for one in found["filtered"]] == [["zoning map"]]
    assert found["in_reply_to_account_id"] == str(room.sam.id)
    assert (await app.get(f"/api/v1/statuses/{thread}"))["filtered"] == []
    assert "Folded by your filter “Zoning”" in await room.page(f"/p/{thread}")
    old = await app.get("/api/v1/filters")
    assert [(one["phrase"], one["irreversible"]) for one in old] == [("zoning map", False)]
    assert await app.get(f"/api/v1/filters/{old[0]['id']}") == old[0]
    words = [{"id": old[0]["id"], "_destroy": True}, {"keyword": "map", "whole_word": True}]
    change = {"title": "Maps", "filter_action": "hide", "keywords_attributes": words}
    changed = await app.ask("PUT", f"/api/v2/filters/{made['id']}", json=change)
    assert [one["keyword"] for one in changed["keywords"]] == ["map"]
    assert changed["expires_at"] == made["expires_at"]
    assert (await app.get(f"/api/v1/statuses/{reply.id}"))["filtered"] == []
    more = await app.post(f"/api/v2/filters/{made['id']}/keywords", keyword="completeness")
    assert (await app.get(f"/api/v2/filters/keywords/{more['id']}"))["keyword"] == "completeness"
    await app.ask("DELETE", f"/api/v2/filters/keywords/{more['id']}")
    assert "Maps" in await room.page("/me/filters")
    await _filters_single_posts(room, made["id"], reply.id)
    await makers.submit(room.client, "/me/filters", action_of_form="remove", filter=made["id"])
    assert await app.get("/api/v2/filters") == []
    form = {"title": "Counters", "words": room.thread.title, "at_home": "yes"}
    wrong = await makers.submit(room.client, "/me/filters", **form | {"words": ""}, action="hide")
    assert "at least one word" in wrong.text
    for action, count in (("warn", 1), ("hide", 0)):
        await makers.submit(room.client, "/me/filters", **form, action=action)
        assert (await room.page("/")).count(f'data-thread="{room.thread.uri}"') == count
    home = await app.get("/api/v1/timelines/home")
    actions = [one["filter"]["filter_action"] for one in home[0]["reblog"]["filtered"]]
    assert actions == ["warn", "hide"]
    stranger = App(room.client, await makers.token(room.instance, room.sam))
    mine = (await app.get("/api/v2/filters"))[0]["id"]
    await stranger.get(f"/api/v2/filters/{mine}", 404)
    await stranger.ask("DELETE", f"/api/v2/filters/{mine}", 404)


async def _filters_single_posts(room: Room, number: str, reply: int) -> None:
    """A filter fits a post by itself, here and there, until it is taken out."""
    app, base = room.app, f"/api/v2/filters/{number}/statuses"
    shown = {"status_id": str(reply)}
    single = await app.post(base, **shown)
    assert (await app.post(base, **shown)) == single == {"id": single["id"], **shown}
    assert await app.get(base) == [single]
    marked = (await app.get(f"/api/v1/statuses/{reply}"))["filtered"]
    assert [one["status_matches"] for one in marked] == [[str(reply)]]
    assert "1 single post" in await room.page("/me/filters")
    assert "Folded by your filter “Maps”" in await room.page(f"/p/{room.thread.id}")
    stranger = App(room.client, await makers.token(room.instance, room.sam))
    for path, method in ((base, "GET"), (f"/api/v2/filters/statuses/{single['id']}", "DELETE")):
        await stranger.ask(method, path, 404)
    closed = await makers.forum(room.instance, room.sam, "board", visibility=Visibility.MEMBERS)
    hidden = await makers.thread(room.instance, room.sam, closed, "Hidden")
    for wrong in (str(hidden.id), "0", "x", ""):
        await app.post(base, 404, status_id=wrong)
    alone = f"/api/v2/filters/statuses/{single['id']}"
    assert await app.get(alone) == single
    await app.ask("DELETE", alone)
    await app.get(alone, 404)


async def test_filters_are_kept_by_the_first_version_as_well(room: Room) -> None:
    app = room.app
    sent = {"phrase": "kerb", "context": ["home"], "irreversible": True, "whole_word": True}
    made = await app.post("/api/v1/filters", **sent, expires_in=3_600)
    assert {name: made[name] for name in sent} == sent
    [held] = await app.get("/api/v2/filters")
    assert (held["title"], held["filter_action"]) == ("kerb", "hide")
    assert "kerb" in await room.page("/me/filters")
    path = f"/api/v1/filters/{made['id']}"
    changed = await app.ask("PUT", path, json={"phrase": "kerbs", "irreversible": False})
    assert (changed["phrase"], changed["irreversible"]) == ("kerbs", False)
    assert changed["expires_at"] == made["expires_at"]
    for wrong in ({"phrase": " "}, {"phrase": "x" * 101}, {"phrase": "x", "context": ["x"]}):
        await app.post("/api/v1/filters", 422, **({"context": ["home"]} | wrong))
    more = await app.post(f"/api/v2/filters/{held['id']}/keywords", keyword="gutter")
    words = f"/api/v2/filters/keywords/{more['id']}"
    assert (await app.ask("PUT", words, json={"keyword": "drain"}))["keyword"] == "drain"
    for taken in ("KERBS", ""):
        await app.ask("PUT", words, 422, json={"keyword": taken})
    whole = await app.ask("PUT", path, 422, json={"context": ["public"]})
    assert "as a whole" in whole["error"]
    await app.ask("DELETE", path)
    assert [one["phrase"] for one in await app.get("/api/v1/filters")] == ["drain"]
    await app.ask("DELETE", f"/api/v1/filters/{more['id']}")
    assert await app.get("/api/v2/filters") == []


async def test_a_followed_tag_brings_its_threads_home(room: Room) -> None:
    app = room.app
    other = await makers.forum(room.instance, room.sam, "other", title="Other")
    tagged = await makers.thread(room.instance, room.sam, other, "Afar", "Afar", tags=("forms",))
    assert tagged.uri not in await room.page("/")
    assert (await app.post("/api/v1/tags/forms/follow"))["following"] is True
    ids = [one["reblog"]["id"] for one in await app.get("/api/v1/timelines/home")]
    assert ids == [str(tagged.id), str(room.thread.id)]
    assert f'data-thread="{tagged.uri}"' in await room.page("/")
    assert [one["name"] for one in await app.get("/api/v1/followed_tags")] == ["forms"]
    await makers.submit(room.client, "/tags/forms", action="leave")
    found = await app.get("/api/v1/tags/forms")
    assert (found["following"], found["url"].endswith("/tags/forms")) == (False, True)
    assert len(await app.get("/api/v1/timelines/home")) == 1
    await makers.submit(room.client, "/tags/forms", action="follow")
    assert (await app.post("/api/v1/tags/forms/unfollow"))["following"] is False
    await app.post("/api/v1/tags/two words/follow", 404)
