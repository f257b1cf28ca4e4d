# SPDX-License-Identifier: Apache-2.0
"""A thread that somebody on Mastodon begins by mentioning the forum."""

from typing import Any

from server.posts import editing
from tests import makers
from tests.hostile.commons import Commons, doing
from tests.hostile.followers import follow, summed_up
from tests.hostile.peer import AS, PUBLIC, Json, ScriptedPeer, vera

QUESTION = "How long do permits take with you?"


def toot(gh: Commons, peer: ScriptedPeer, number: int, words: str, **changes: Any) -> Json:
    """A status as Mastodon sends it: no audience, no title; whom it is for stands in its text."""
    uri, author = f"{vera(peer)}/statuses/{number}", vera(peer)
    link = (
        f'<span class="h-card" translate="no"><a href="{gh.forum.url}" class="u-url mention">'
        f"@<span>{gh.forum.handle}</span></a></span>"
    )
    html = f"<p>{link} {words}</p>"
    return {
        "id": uri,
        "type": "Note",
        "summary": None,
        "inReplyTo": None,
        "published": "2026-11-23T09:00:00Z",
        "url": f"{peer.origin}/@vera/{number}",
        "attributedTo": author,
        "to": [PUBLIC],
        "cc": [f"{author}/followers", gh.forum.uri],
        "sensitive": False,
        "atomUri": uri,
        "inReplyToAtomUri": None,
        "conversation": f"tag:{peer.host},2026-11-23:objectId=1:objectType=Conversation",
        "context": f"{peer.origin}/contexts/1-{number}",
        "content": html,
        "contentMap": {"en": html},
        "interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC]}},
        "attachment": [],
        "tag": [
            {"type": "Mention", "href": gh.forum.uri, "name": f"@{gh.forum.handle}@gh.localhost"},
            {"type": "Hashtag", "href": f"{peer.origin}/tags/permits", "name": "#permits"},
        ],
        "replies": {
            "id": f"{uri}/replies",
            "type": "Collection",
            "first": {"type": "CollectionPage", "partOf": f"{uri}/replies", "items": []},
        },
    } | changes


def sending(status: Json, kind: str = "Create") -> Json:
    """The activity around it, as Mastodon names and addresses it."""
    stamp = "activity" if kind == "Create" else "updates/1"
    return {
        "@context": [AS, {"conversation": "ostatus:conversation", "sensitive": "as:sensitive"}],
        "id": f"{status['id']}/{stamp}" if kind == "Create" else f"{status['id']}#{stamp}",
        "type": kind,
        "actor": status["attributedTo"],
        "published": status["published"],
        "to": status["to"],
        "cc": status["cc"],
        "object": status,
    }


async def test_a_thread_begun_on_mastodon_lives_and_ends_like_any_other(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await follow(gh, evil, "piefed")
    await follow(gh, vic, "mastodon")
    asked = toot(gh, vic, 1, f"{QUESTION}</p><p>Ours take <strong>21</strong> days. #permits")
    vic.put(asked["id"], {"@context": AS, **asked})
    assert (await gh.sent(vic, sending(asked))).state == "applied"
    held = await gh.held(asked["id"])
    assert held is not None
    assert held.is_thread
    # The first line is the title, without the name by which it was sent here.
    assert held.title == QUESTION
    page = await gh.page(f"/p/{held.id}")
    assert "<strong>21</strong>" in page
    assert 'href="/tags/permits"' in page
    # A forum's followers hear of it, each in its way; its author's server as of any post.
    assert [summed_up(one) for one in evil.delivered] == ["Announce{Create}"]
    assert [summed_up(one) for one in vic.delivered] == ["Announce{id}"]
    assert vic.delivered[0]["object"] == asked["id"]
    vic.requests.clear()
    answer = await makers.reply(gh.instance, gh.admin, held, "Twelve.")
    await gh.settled()
    [told] = [one for one in vic.delivered if one["type"] == "Create"]
    assert (told["object"]["inReplyTo"], told["object"]["id"]) == (asked["id"], answer.uri)
    assert vera(vic) in told["to"]
    # Her reply names who she answers, and not the forum.
    thanks = toot(gh, vic, 2, "Thank you!", inReplyTo=answer.uri)
    thanks |= {"cc": [f"{vera(vic)}/followers", gh.admin.uri], "content": "<p>Thank you!</p>"}
    assert (await gh.sent(vic, sending(thanks))).state == "applied"
    reply = await gh.held(thanks["id"])
    assert reply is not None
    assert (reply.thread_id, reply.parent_id) == (held.id, answer.id)
    edited = {
        **asked,
        "content": asked["content"].replace("21", "23"),
        "updated": "2026-11-23T09:01:00Z",
    }
    assert (await gh.sent(vic, sending(edited, "Update"))).state == "applied"
    assert "<strong>23</strong>" in await gh.page(f"/p/{held.id}")
    vic.requests.clear()
    gone = doing("Delete", vera(vic), {"id": asked["id"], "type": "Tombstone"}, "x")
    assert (await gh.sent(vic, gone)).state == "applied"
    ended = await gh.held(asked["id"])
    assert ended is not None
    assert ended.state == "deleted"
    assert "Undo{Announce}" in [summed_up(one) for one in vic.delivered]


async def test_only_what_is_for_everybody_becomes_a_thread(gh: Commons, vic: ScriptedPeer) -> None:
    """Quietly public posts do; letters and what is for followers do not, and their author hears."""
    vic.software = "mastodon"
    vic.describe()
    author = vera(vic)
    for number, (to, cc, state) in enumerate(
        (
            ([f"{author}/followers"], [PUBLIC, gh.forum.uri], "applied"),
            ([f"{author}/followers", gh.forum.uri], [], "refused"),
            ([gh.forum.uri], [], "refused"),
        ),
        start=1,
    ):
        vic.requests.clear()
        said = toot(gh, vic, number, QUESTION, to=to, cc=cc)
        assert (await gh.sent(vic, sending(said))).state == state
        assert (await gh.held(said["id"]) is not None) == (state == "applied")
        rejected = [one for one in vic.delivered if one["type"] == "Reject"]
        assert len(rejected) == (state == "refused")
    # A status of hers in some other talk stays there, though it names the forum.
    other = toot(gh, vic, 7, "Elsewhere")
    other |= {"cc": [], "tag": [], "content": "<p>Elsewhere</p>"}
    vic.put(other["id"], {"@context": AS, **other})
    said = toot(gh, vic, 8, "You should see this", inReplyTo=other["id"])
    assert (await gh.sent(vic, sending(said))).state == "refused"
    assert await gh.held(other["id"]) is None


async def test_a_steward_removes_such_a_thread_like_any_other(
    gh: Commons, vic: ScriptedPeer
) -> None:
    await follow(gh, vic, "mastodon")
    asked = toot(gh, vic, 1, QUESTION)
    vic.put(asked["id"], {"@context": AS, **asked})
    assert (await gh.sent(vic, sending(asked))).state == "applied"
    held = await gh.held(asked["id"])
    assert held is not None
    vic.requests.clear()
    async with gh.instance.transaction() as tx:
        await editing.remove(tx, gh.admin, held, "Asked twice.")
    await gh.settled()
    assert [summed_up(one) for one in vic.delivered] == ["Undo{Announce}"]
