# SPDX-License-Identifier: Apache-2.0
"""What one activity may have us fetch and keep, counted at the other servers."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import LargeBinary, cast, func, select

from federation import verification
from federation.delivery import sending
from storage.base import Base, Characters
from storage.peers import Peer
from storage.search import INDEX
from tests import makers
from tests.hostile.commons import Commons, doing, like, note
from tests.hostile.copy import copied, held_in, words
from tests.hostile.peer import PUBLIC, Json, Page, ScriptedPeer, mallory, vera
from web.activitypub import arriving

MOST = 20
MOST_BYTES = 1_000_000


async def test_a_batch_has_us_fetch_twenty_documents_at_most(
    gh: Commons, vic: ScriptedPeer
) -> None:
    """Fifty posts, each by somebody else, in one Announce."""
    forum = await copied(gh, vic)
    uris = []
    for number in range(50):
        author = vic.actor(f"/u/a{number}")
        uris.append(vic.put(f"/p/{number}", words(vic, forum.uri, number, attributedTo=author)))
    vic.requests.clear()
    await gh.sent(vic, doing("Announce", forum.uri, uris, 1))
    assert 5 < len(vic.fetched) <= MOST
    # What was had is whole, and nothing is held up.
    assert await held_in(gh, forum)
    assert (await gh.sent(vic, doing("Announce", forum.uri, uris[49], 2))).state == "applied"


async def test_one_activity_has_us_read_a_megabyte_at_most(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Every ancestor is as large as a document may be."""
    for number in range(1, 9):
        parent = f"{vic.origin}/p/{number + 1}"
        filler = "x" * 400_000
        one = note(f"{vic.origin}/p/{number}", vera(vic), gh.forum.uri, inReplyTo=parent)
        vic.put(one["id"], one | {"filler": filler})
    answer = note(f"{evil.origin}/p/0", mallory(evil), gh.forum.uri, inReplyTo=f"{vic.origin}/p/1")
    await gh.sent(evil, doing("Create", mallory(evil), answer))
    read = [path for path in vic.fetched if path.startswith("/p/")]
    assert sum(len(vic.pages[path].body) for path in read) <= MOST_BYTES + 400_500
    assert await gh.held(f"{vic.origin}/p/1") is None


async def stored(gh: Commons) -> int:
    """How many bytes of text there are in the database, found by its tables themselves."""
    size = 0
    async with gh.instance.reading() as session:
        for table in Base.metadata.sorted_tables:
            texts = [column for column in table.columns if isinstance(column.type, Characters)]
            for column in texts:
                in_bytes = func.sum(func.length(cast(column, LargeBinary)))
                size += (await session.execute(select(in_bytes))).scalar_one() or 0
        found = func.sum(func.length(cast(INDEX.c.body, LargeBinary)))
        size += (await session.execute(select(found).select_from(INDEX))).scalar_one() or 0
    return size


@pytest.mark.parametrize("word", ["word ", "\u7a93\u53e3 "], ids=["ascii", "three-bytes"])
async def test_one_activity_has_us_keep_a_million_bytes_at_most(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, word: str
) -> None:
    """By a long line of ancestors, by one huge post, and by an edit."""
    before = await stored(gh)
    content = f"<p>{word * (130_000 // len(word.encode()))}</p>"
    for number in range(1, 8):
        parent = f"{vic.origin}/p/{number + 1}" if number < 7 else gh.thread.uri
        one = note(f"{vic.origin}/p/{number}", vera(vic), gh.forum.uri, inReplyTo=parent)
        vic.put(one["id"], one | {"content": content})
    answer = note(f"{evil.origin}/p/0", mallory(evil), gh.forum.uri, inReplyTo=f"{vic.origin}/p/1")
    row = await gh.sent(evil, doing("Create", mallory(evil), answer))
    assert row.state == "refused"
    # What our forum sends on of it to its followers is counted with it.
    assert 100_000 < await stored(gh) - before < 1_000_000
    before = await stored(gh)
    huge = note(f"{evil.origin}/p/9", mallory(evil), gh.forum.uri, inReplyTo=gh.thread.uri)
    filler = word * (480_000 // len(word.encode()))
    row = await gh.sent(evil, doing("Create", mallory(evil), huge | {"filler": filler}, 9))
    assert (row.state, row.note) == (
        "refused", "This is larger, all told, than what is taken here at once.",
    )  # fmt: skip
    assert await stored(gh) - before < 10_000
    await gh.sent(evil, doing("Create", mallory(evil), huge, 10))
    edited = huge | {"filler": filler * 2, "updated": "2026-11-23T09:30:00Z"}
    assert (await gh.sent(evil, doing("Update", mallory(evil), edited))).state == "refused"
    assert await stored(gh) - before < 15_000


async def test_nobody_holds_a_connection_of_ours(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds for a delivery of ours, and for one that comes while its key is asked for."""
    assert (sending.DEADLINE, arriving.RECEIVING_SECONDS) == (10.0, 10.0)
    assert 3 * verification.PATIENCE < 10
    patience = verification.PATIENCE
    monkeypatch.setattr(verification, "PATIENCE", 0.1)
    actor = evil.actor("/u/slow")
    evil.pages["/u/slow"] = replace(evil.pages["/u/slow"], seconds=1.0)
    answer = await gh.deliver(evil, like(actor, gh.thread.uri))
    assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (503, True)
    # The question went on by itself: whoever comes again is not asked for anew.
    for _ in range(600):
        if (await gh.deliver(evil, like(actor, gh.thread.uri))).status_code != 503:
            break
        await asyncio.sleep(0.05)
    assert evil.fetched.count("/u/slow") == 1
    monkeypatch.setattr(verification, "PATIENCE", patience)
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    monkeypatch.setattr(sending, "DEADLINE", 0.1)
    vic.inbox_answer = lambda _: Page(status=202, seconds=1.0)
    await makers.thread(gh.instance, gh.admin, gh.forum)
    await gh.settled()
    async with gh.instance.reading() as session:
        peer = await session.get_one(Peer, vic.host)
    assert "within 0.1 seconds" in peer.last_error


@pytest.mark.fep("4f05")
async def test_a_post_that_another_actor_of_its_server_removes_is_looked_for_there(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, name="Cards", type="Page")
    vic.put(said["id"], said)
    await gh.sent(vic, doing("Create", vera(vic), said))
    removal = doing("Delete", mallory(vic), said["id"], summary="spam")
    assert (await gh.sent(vic, removal)).state == "refused"
    vic.pages["/p/1"] = Page(status=404)
    # Of another server it is not even asked.
    asked = len(vic.fetched)
    other = doing("Delete", mallory(evil), said["id"])
    assert (await gh.sent(evil, other)).state == "refused"
    assert len(vic.fetched) == asked
    assert (await gh.sent(vic, removal | {"id": f"{mallory(vic)}#again"})).state == "applied"
    held = await gh.held(said["id"])
    assert held is not None
    assert held.state == "deleted"


async def test_a_poll_is_shown_with_its_options_and_a_vote_is_no_reply(
    gh: Commons, vic: ScriptedPeer
) -> None:
    options = [{"type": "Note", "name": name} for name in ("Cards", "<b>Coins</b>")]
    poll = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, type="Question", oneOf=options)
    poll["inReplyTo"] = gh.thread.uri
    assert (await gh.sent(vic, doing("Create", vera(vic), poll))).state == "applied"
    held = await gh.held(poll["id"])
    assert held is not None
    assert "<li>Cards</li>" in held.html
    assert "&lt;b&gt;Coins" in held.html
    vote = note(f"{vic.origin}/p/2", mallory(vic), gh.forum.uri, name="Cards", inReplyTo=poll["id"])
    del vote["content"]
    row = await gh.sent(vic, doing("Create", mallory(vic), vote))
    assert (row.state, row.note) == (
        "ignored", "Votes are counted by the server that the poll is of.",
    )  # fmt: skip


@pytest.mark.fep("9967")
async def test_a_poll_of_mastodon_is_counted_as_its_server_says_and_sent_votes(
    gh: Commons, vic: ScriptedPeer
) -> None:
    """Begun by a mention; counts by undated Updates; a vote as a bare Note; then its end."""

    def asked(counts: tuple[int, int], **more: object) -> Json:
        options = [
            {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
            for name, votes in zip(("Cards", "Coins"), counts, strict=True)
        ]
        return {
            "@context": ["https://www.w3.org/ns/activitystreams", {"votersCount": "toot:x"}],
            "id": f"{vic.origin}/users/vera/statuses/7", "type": "Question", "summary": None,
            "inReplyTo": None, "published": "2026-11-23T09:00:00Z", "sensitive": False,
            "url": f"{vic.origin}/@vera/7", "attributedTo": vera(vic), "to": [PUBLIC],
            "cc": [f"{vera(vic)}/followers", gh.forum.uri],
            "content": "<p>@counters How do people pay?</p>", "oneOf": options,
            "endTime": "2026-11-30T09:00:00Z", "votersCount": sum(counts), "attachment": [],
            "tag": [{"type": "Mention", "href": gh.forum.uri, "name": "@counters@gh.localhost"}],
        } | more  # fmt: skip

    poll = asked((0, 0))
    row = await gh.sent(vic, doing("Create", vera(vic), poll))
    assert (row.state, row.note) == ("applied", "")
    held = await gh.held(poll["id"])
    assert held is not None
    assert held.title == "How do people pay?"
    await gh.sent(vic, doing("Update", vera(vic), asked((3, 1)), "counts"))
    shown = await gh.page(f"/p/{held.id}")
    assert "4 people voted" in shown
    ana = await makers.member(gh.instance, "ana")
    token = await makers.token(gh.instance, ana)
    key = {"Authorization": f"Bearer {token}"}
    vote = await gh.client.post(
        f"/api/v1/polls/{held.id}/votes", json={"choices": ["1"]}, headers=key
    )
    assert vote.status_code == 200, vote.text
    await gh.settled()
    [sent] = [one for one in vic.delivered if one["type"] == "Create" and one["to"] == [vera(vic)]]
    note_sent = sent["object"]
    assert (note_sent["type"], note_sent["name"], note_sent["inReplyTo"]) == (
        "Note", "Coins", poll["id"],
    )  # fmt: skip
    assert (note_sent["to"], note_sent["attributedTo"]) == ([vera(vic)], ana.uri)
    assert not {"content", "source"} & set(note_sent)
    ended = asked((3, 2), closed="2026-11-23T09:05:00Z")
    await gh.sent(vic, doing("Update", vera(vic), ended, "over"))
    assert "The poll ended" in await gh.page(f"/p/{held.id}")
    told = (await gh.client.get(f"/api/v1/polls/{held.id}", headers=key)).json()
    assert [one["votes_count"] for one in told["options"]] == [3, 2]
    assert (told["voters_count"], told["expired"], told["own_votes"]) == (5, True, [1])
    assert (await gh.announced()).count("Update") == 2
