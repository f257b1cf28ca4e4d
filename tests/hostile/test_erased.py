# SPDX-License-Identifier: Apache-2.0
"""What was deleted, or is no longer for everybody, is not anywhere any more."""

from pathlib import Path

import orjson
import pytest
from sqlalchemy import ColumnElement, column, literal_column, select, table

from federation import receive
from federation.errors import Unreachable
from federation.outbox import tell
from server import postponed
from server.facts import Fact, PostDeleted
from server.posts import editing, reading
from server.posts.drafts import EditDraft
from storage.posts import Post
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing, note
from tests.hostile.copy import announce, copied, words
from tests.hostile.followed import followed as followed
from tests.hostile.followed import told
from tests.hostile.peer import Json, Page, ScriptedPeer, mallory, vera

TAINT = "quixotrope"
BESIDE = "oddity"
_NAME: ColumnElement[str] = column("name")
_NAMES = select(_NAME).select_from(table("sqlite_master")).where(column("type") == "table")
_EVERYTHING: ColumnElement[object] = literal_column("*")


async def rows_with(gh: Commons, word: str) -> list[str]:
    """Every table that holds a word anywhere, the search index and the log included."""
    found = []
    async with gh.instance.reading() as session:
        listed = await session.execute(_NAMES)
        for name in listed.scalars().all():
            rows = (await session.execute(select(_EVERYTHING).select_from(table(name)))).all()
            if any(word in repr(tuple(row)).lower() for row in rows):
                found.append(name)
    return found


def files_with(folder: Path, word: str) -> list[str]:
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and word.encode() in path.read_bytes()
    ]


async def read_by(gh: Commons, post: Post, peer: ScriptedPeer) -> dict[str, str]:
    """Every face of a post and of what is around it."""
    number = post.id
    await gh.is_guildhall(peer.host)
    documents = [f"/p/{number}", f"/p/{number}/context", f"/p/{number}/replies"]
    documents += [f"/p/{number}/likes", "/f/counters", "/f/counters/outbox"]
    documents += ["/f/counters/featured", "/f/counters/digest", "/u/sam", "/u/sam/outbox"]
    documents += [f"/f/counters/announce/{number}", f"/f/counters/digest?post={post.uri}"]
    pages = [f"/p/{number}", f"/p/{number}/x", f"/p/{number}/history", "/f/counters", "/"]
    pages += ["/forums", f"/search?q={BESIDE}", "/u/sam", f"/u/vera@{peer.host}"]
    found = {path: (await gh.get(path, peer)).text for path in documents}
    return found | {f"page {path}": await gh.page(path) for path in pages}


@pytest.mark.parametrize("writer", ["here", "elsewhere"])
async def test_ACL_15_of_what_is_deleted_not_a_word_is_left(
    gh: Commons, vic: ScriptedPeer, writer: str
) -> None:
    """Database with its history, log, search and mail; files; pages; documents; the peer's."""
    await gh.is_guildhall(vic.host)
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    ana = await makers.member(gh.instance, "ana")
    await makers.follow(gh.instance, ana, gh.forum)
    post = await (_written_here if writer == "here" else _written_elsewhere)(gh, vic)
    await gh.settled()
    reply = await makers.reply(gh.instance, ana, post, "What is that?")
    async with gh.instance.transaction() as tx:
        await reading.save_draft(
            tx, gh.admin, f"edit:{post.id}", title="", source=f"half a {TAINT}", tags=""
        )
    assert await rows_with(gh, TAINT)
    for path in (f"/p/{post.id}", f"/search?q={BESIDE}", "/f/counters"):
        assert TAINT in (await gh.page(path)).lower()
    if writer == "here":
        async with gh.instance.transaction() as tx:
            held = await tx.session.get_one(Post, post.id)
            await editing.remove(tx, gh.admin, held)
    else:
        row = await gh.sent(vic, doing("Delete", vera(vic), post.uri, "gone"))
        assert row.state == "applied", row.note
    await gh.settled()
    assert await rows_with(gh, TAINT) == []
    assert files_with(gh.instance.settings.state, TAINT) == []
    for path, text in (await read_by(gh, post, vic)).items():
        assert TAINT not in text.lower(), path
    tombstone = await gh.get(post.uri.removeprefix(ORIGIN) if writer == "here" else "/p/1", vic)
    if writer == "here":
        assert tombstone.status_code == 410
        assert set(tombstone.json()) <= TOMBSTONE
        last = [sent for sent in vic.delivered if sent["type"] == "Announce"][-1]
        assert last["object"]["type"] == "Delete"
        assert TAINT.encode() not in orjson.dumps(last)
    shown = await gh.page(f"/p/{post.id}")
    assert "What is that?" in shown
    assert await gh.held(reply.uri) is not None


TOMBSTONE = {
    "@context", "id", "type", "formerType", "deleted", "published", "updated", "to", "cc",
    "audience", "attributedTo", "context", "proof",
}  # fmt: skip


async def _written_here(gh: Commons, vic: ScriptedPeer) -> Post:
    post = await makers.thread(
        gh.instance,
        gh.admin,
        gh.forum,
        f"The {TAINT}",
        f"A {TAINT} for @ana, an {BESIDE}.",
        tags=(TAINT,),
    )
    async with gh.instance.transaction() as tx:
        draft = EditDraft(f"A {TAINT} again", f"Another {TAINT}, an {BESIDE}.", (TAINT,))
        await editing.edit(tx, gh.admin, post, draft)
    return post


async def _written_elsewhere(gh: Commons, vic: ScriptedPeer) -> Post:
    said = note(
        f"{vic.origin}/p/1", vera(vic), gh.forum.uri, type="Article", name=f"The {TAINT}",
        content=f"<p>A {TAINT}, an {BESIDE}.</p>",
        source={"content": f"A {TAINT} for @ana", "mediaType": "x"},
        tag=[{"type": "Hashtag", "name": f"#{TAINT}"}],
    )  # fmt: skip
    await gh.sent(vic, doing("Create", vera(vic), said))
    changed = said | {
        "content": f"<p>Another {TAINT}, an {BESIDE}.</p>",
        "updated": "2026-11-23T09:30:00Z",
    }
    await gh.sent(vic, doing("Update", vera(vic), changed))
    held = await gh.held(said["id"])
    assert held is not None
    return held


async def test_ACL_06_what_a_home_closes_is_closed_at_its_copy(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Pages, search, documents, and the ids of what was done before."""
    await gh.is_guildhall(vic.host)
    forum = await copied(gh, vic)
    said = words(vic, forum.uri, 1, name=f"The {TAINT}", content=f"<p>{TAINT}</p>")
    vic.put(said["id"], said)
    assert await announce(gh, vic, forum.uri, said["id"], 1) == "applied"
    held = await gh.held(said["id"])
    assert held is not None
    paths = [f"/p/{held.id}", f"/f/permits@{vic.host}"]
    for path in paths:
        assert (await gh.client.get(path, headers={"Accept": "text/html"})).status_code == 200
    closed = {"gh:visibility": "agencies", "manuallyApprovesFollowers": True}
    changes: Json = {**closed, "attributedTo": f"{forum.uri}/moderators"}
    vic.actor("/f/permits", "Group", **changes)
    group = orjson.loads(vic.pages["/f/permits"].body)
    assert (await gh.sent(vic, doing("Update", forum.uri, group))).state == "applied"
    for path in paths:
        assert (await gh.client.get(path, headers={"Accept": "text/html"})).status_code == 404
    for path in ("/", "/forums", f"/u/vera@{vic.host}", "/agencies"):
        assert TAINT not in (await gh.page(path)).lower(), path
    assert said["name"] not in await gh.page("/search?q=the")
    for part in ("", "/context", "/replies", "/likes"):
        assert (await gh.get(f"/p/{held.id}{part}", evil)).status_code == 404


async def test_ACL_06_an_activity_of_long_ago_is_not_an_address(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """Ids of activities are fragments: whoever asks for one is given the actor at most."""
    await gh.is_guildhall(vic.host)
    closed = await makers.forum(gh.instance, gh.admin, "closed", visibility="agencies")
    await gh.sent(vic, doing("Follow", vera(vic), closed.uri))
    thread = await makers.thread(gh.instance, gh.admin, closed, f"A {TAINT}")
    await gh.settled()
    sent = [one for one in vic.delivered if TAINT.encode() in orjson.dumps(one)]
    assert sent
    inner = [one["object"] for one in sent if isinstance(one["object"], dict)]
    for document in [*sent, *inner]:
        url = str(document["id"])
        for peer in (evil, None):
            bare = await gh.get(url.removeprefix(ORIGIN).partition("#")[0], peer)
            assert TAINT not in bare.text.lower()
            encoded = await gh.get(url.removeprefix(ORIGIN).replace("#", "%23"), peer)
            assert encoded.status_code in {401, 403, 404}
    for path in (f"/f/closed/announce/{thread.id}", f"/f/closed/outbox?before={2**62}"):
        assert (await gh.get(path, evil)).status_code == 404


async def test_what_is_deleted_is_not_sent_while_its_deletion_is_not_told_yet(
    followed: Commons, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body in memory, for a server that was away when it was first tried, is a copy as well."""
    vic.inbox_answer = lambda _: Page(status=503)
    post = await makers.thread(followed.instance, followed.admin, followed.forum, TAINT)
    await followed.settled()
    assert vic.delivered
    tellers = dict(tell.TELLERS)

    async def fails(_: object, __: Fact) -> None:
        raise RuntimeError("not now")

    monkeypatch.setitem(tell.TELLERS, PostDeleted, fails)
    async with followed.instance.transaction() as tx:
        await editing.remove(tx, followed.admin, await tx.session.get_one(Post, post.id))
    await followed.settled()
    vic.inbox_answer = lambda _: Page(status=202)
    vic.requests.clear()
    await followed.deliver(vic, doing("View", mallory(vic), followed.thread.uri))
    await followed.settled()
    assert vic.delivered == []
    monkeypatch.setitem(tell.TELLERS, PostDeleted, tellers[PostDeleted])
    followed.clock.turn(hours=1)
    await followed.settled()
    assert [kind for kind, _ in told(vic)] == ["Delete"]


async def test_what_is_being_worked_on_while_its_post_goes_does_not_wait_with_its_words(
    gh: Commons, vic: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await _written_elsewhere(gh, vic)

    async def away(*_: object) -> None:
        async with gh.instance.transaction() as tx:
            await editing.remove(tx, gh.admin, await tx.session.get_one(Post, post.id))
        raise Unreachable("It is away.")

    monkeypatch.setattr(receive, "handle", away)
    changed = note(post.uri, vera(vic), gh.forum.uri, content=f"<p>A {TAINT}.</p>")
    row = await gh.sent(vic, doing("Update", vera(vic), changed, 9))
    assert (row.state, row.body, row.note) == ("ignored", None, postponed.NOTE)
