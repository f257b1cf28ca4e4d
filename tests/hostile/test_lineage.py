# SPDX-License-Identifier: Apache-2.0
"""Who may warn of a practice, and who may offer what to whom."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy import select

from storage import posts
from storage.log import Form
from storage.posts import Post
from storage.practices import ChangeOffer, PracticeNotice, PracticeWithdrawal
from tests.hostile.commons import Commons, doing
from tests.hostile.copy import announce, copied, held_in, words
from tests.hostile.followers import follow
from tests.hostile.peer import Json, ScriptedPeer, vera
from tests.server.library.bench import adapted_from, published
from tests.server.practices.test_record import PERMITS

OFFERED: Json = {
    "v": 1,
    "ofVersion": 1,
    "sections": ["lessons"],
    "note": "Ten reasons.",
    "practice": {"v": 1, "name": "x", "summary": "x", "lessons": ["Begin with ten reasons."]},
}


async def test_only_the_author_of_an_original_warns_of_it(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await gh.allow(vic.host, evil.host)
    await follow(gh, vic, "nodebb")
    uri = f"{vic.origin}/p/7"
    made = await adapted_from(gh.instance, gh.admin, gh.forum, uri)
    count = 0

    async def tell(
        peer: ScriptedPeer, minute: int, advisory: Any, **changes: Any
    ) -> tuple[str, str]:
        nonlocal count
        count += 1
        said = {} if advisory is None else {"gh:advisory": advisory}
        post = words(
            vic, f"{vic.origin}/f/permits", 7, updated=f"2026-11-23T09:{minute:02}:00Z",
            **{"gh:practice": PERMITS, **said, **changes},
        )  # fmt: skip
        row = await gh.sent(peer, doing("Update", vera(peer), post, count))
        return row.state, row.note

    async def stands() -> str:
        async with gh.instance.reading() as session:
            rows = (await session.execute(select(PracticeNotice))).scalars().all()
        return ", ".join(row.words for row in rows if row.active)

    notice = {"kind": "withdrawn", "content": "Stop.", "published": "2026-11-23T09:00:00Z"}
    assert (await tell(evil, 1, notice))[0] != "applied"
    for wrong in (
        "Stop.", {**notice, "kind": "recall"}, {**notice, "content": " "},
        {**notice, "content": "x" * 1001}, {**notice, "published": "soon"},
        {**notice, "content": ["Stop."]},
    ):  # fmt: skip
        state, why = await tell(vic, 2, wrong)
        assert (state, "gh:advisory" in why) == ("refused", True), wrong
    # What is not public is not shown to whoever reads an adaptation.
    assert (await tell(vic, 2, notice, to=[f"{vic.origin}/f/permits"], cc=[]))[0] != "applied"
    assert await stands() == ""
    assert (await tell(vic, 3, notice))[0] == "applied"
    assert await stands() == "Stop."
    # Software that would take it for a thread of the forum's is not pointed to it.
    assert [form for form, _ in await gh.log() if form == Form.POINTER] == []
    await gh.is_guildhall(vic.host)
    assert (await tell(vic, 2, None))[0] != "applied"
    assert await stands() == "Stop."
    assert (await tell(vic, 4, None))[0] == "applied"
    assert await stands() == ""
    assert [body["object"] for form, body in await gh.log() if form == Form.POINTER] == [uri]
    await _by_forum(gh, partial(tell, vic), made, notice)


async def _by_forum(
    gh: Commons, tell: Callable[..., Awaitable[tuple[str, str]]], made: Post, notice: Json
) -> None:
    """What the forum of the original withdrew, its author's server repeats in it."""
    by_forum: Json = {**notice, "name": "Permits <b>", "content": "Stop at once."}
    for bad in ("Stop.", {**by_forum, "content": ""}, {**by_forum, "name": 7}):
        state, why = await tell(5, None, **{"gh:withdrawn": bad})
        assert (state, "gh:withdrawn" in why) == ("refused", True), bad
    assert (await tell(5, None, **{"gh:withdrawn": by_forum}))[0] == "applied"
    async with gh.instance.reading() as session:
        [row] = (await session.execute(select(PracticeWithdrawal))).scalars()
    assert (row.forum, row.words, row.active) == ("Permits <b>", "Stop at once.", True)
    page = await gh.client.get(f"/p/{made.id}/{made.slug}")
    assert "Withdrawn by the stewards of Permits &lt;b&gt; about" in page.text
    assert (await tell(6, None))[0] == "applied"
    assert "Stop at once." not in (await gh.client.get(f"/p/{made.id}/{made.slug}")).text


async def test_what_was_warned_of_before_an_adaptation_came_is_asked_for_once(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await gh.allow(vic.host, evil.host)
    forum = await copied(gh, vic)
    notice = {"kind": "withdrawn", "content": "Stop.", "published": "2026-11-20T09:00:00Z"}

    def original(number: int, **changes: Any) -> str:
        parts: Json = {"gh:practice": PERMITS, "gh:advisory": notice, **changes}
        document = words(evil, f"{evil.origin}/f/permits", number, **parts)
        evil.put(document["id"], document)
        return str(document["id"])

    async def adapt(number: int, source: str) -> str:
        based = {**PERMITS, "basedOn": [{"uri": source, "version": 1}]}
        article = words(vic, forum.uri, number, **{"gh:practice": based})
        vic.put(article["id"], article)
        create = doing("Create", vera(vic), article, number)
        return await announce(gh, vic, forum.uri, create, number)

    veras, closed = original(2), original(3, to=[], cc=[])
    stolen = original(4, attributedTo=vera(vic))
    for number, source in enumerate((veras, veras, closed, stolen, f"{evil.origin}/p/9"), 11):
        assert await adapt(number, source) == "applied", source
    await gh.settled()
    async with gh.instance.reading() as session:
        rows = (await session.execute(select(PracticeNotice))).scalars().all()
        assert [(row.uri, row.words, row.active) for row in rows] == [(veras, "Stop.", True)]
        assert await posts.by_uri(session, veras) is None
    assert evil.fetched.count("/p/2") == 1
    [first] = [post for post in await held_in(gh, forum) if post.uri == f"{vic.origin}/p/11"]
    page = await gh.client.get(f"/p/{first.id}/{first.slug}")
    assert "Withdrawn about" in page.text

    def above(number: int, source: str) -> str:
        based = {**PERMITS, "basedOn": [{"uri": source, "version": 1}]}
        return original(number, **{"gh:practice": based, "gh:advisory": None})

    # Through two that are held nowhere here, up to the one that was warned of; and round in a ring.
    top = original(20)
    assert await adapt(22, above(22, above(21, top))) == "applied"
    assert await adapt(30, above(30, above(31, f"{evil.origin}/p/30"))) == "applied"
    await gh.settled()
    assert [evil.fetched.count(f"/p/{n}") for n in (20, 21, 22, 30, 31)] == [1] * 5
    [made] = [post for post in await held_in(gh, forum) if post.uri == f"{vic.origin}/p/22"]
    page = await gh.client.get(f"/p/{made.id}/{made.slug}")
    assert "Withdrawn about" in page.text
    assert "Stop." in (await gh.client.get(f"/p/{made.id}/print")).text
    # Its author takes it back, and is believed, though only what was made of it is held.
    lifted = words(
        evil, f"{evil.origin}/f/permits", 20, updated="2026-11-24T09:00:00Z",
        **{"gh:practice": PERMITS},
    )  # fmt: skip
    assert (await gh.sent(evil, doing("Update", vera(evil), lifted, 20))).state == "applied"
    assert "Withdrawn about" not in (await gh.client.get(f"/p/{made.id}/{made.slug}")).text


async def test_offers_come_from_the_author_of_an_adaptation_and_end_by_those_they_are_between(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    await gh.allow(vic.host, evil.host)
    practice = await published(gh.instance, gh.admin, gh.forum)

    async def offer(
        number: int, peer: ScriptedPeer = vic, changes: Json | None = None
    ) -> tuple[str, str]:
        said = {**OFFERED, **(changes or {})}
        activity = doing(
            "Offer", vera(peer), f"{vic.origin}/p/8", number,
            **{"target": practice.uri, "gh:changeSet": said, "to": [gh.admin.uri]},
        )  # fmt: skip
        row = await gh.sent(peer, activity)
        return row.state, row.note

    async def states() -> list[str]:
        async with gh.instance.reading() as session:
            question = select(ChangeOffer.state).order_by(ChangeOffer.id)
            return list((await session.execute(question)).scalars())

    assert (await offer(1, evil))[0] != "applied"
    faults: tuple[Json, ...] = (
        {"sections": ["outcomes"]}, {"sections": []}, {"sections": "lessons"}, {"v": 2},
        {"ofVersion": "1"}, {"note": "x" * 1001}, {"practice": {"v": 1}},
    )  # fmt: skip
    for number, wrong in enumerate(faults, 10):
        state, why = await offer(number, changes=wrong)
        assert (state, "gh:changeSet" in why) == ("refused", True), (wrong, why)
    assert await states() == []
    for number in range(20, 25):
        assert (await offer(number))[0] == "applied"
    state, why = await offer(25)
    assert (state, "wait for an answer" in why) == ("refused", True)
    first = {"id": f"{vera(vic)}#offer-20", "type": "Offer", "actor": vera(vic),
             "object": f"{vic.origin}/p/8"}  # fmt: skip
    assert (await gh.sent(evil, doing("Undo", vera(evil), first, 1))).state != "applied"
    assert (await gh.sent(evil, doing("Accept", vera(evil), first, 1))).state != "applied"
    assert set(await states()) == {"waiting"}
    assert (await gh.sent(vic, doing("Undo", vera(vic), first, 1))).state == "applied"
    assert sorted(await states()) == ["waiting"] * 4 + ["withdrawn"]
