# SPDX-License-Identifier: Apache-2.0
"""The forms of a review: nothing typed is lost, faults stand at their field."""

import html
import re

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from server.instance import Instance
from server.reviews import rubric
from server.vetting import lists
from storage.forums import Forum
from storage.members import Member
from storage.reviews import Review, ReviewTask
from tests import makers
from tests.server.library.bench import begun, published
from tests.web.practices.forms import send


async def test_lists_of_reviews_go_on_to_the_first_of_them(
    app: Starlette, instance: Instance, admin: Member
) -> None:
    forum, now = await makers.forum(instance, admin), instance.clock.now()
    ana = await makers.member(instance, "ana")
    shown = {f"Permits {n:02}" for n in range(lists.PAGE + 1)}
    async with instance.transaction() as tx:
        for n, title in enumerate(sorted(shown)):
            tx.session.add(
                Review(
                    id=tx.ids.next(), draft_id=n, forum_id=forum.id, author_id=ana.id,
                    title=title, version=1, state="accepted", submitted=now,
                )
            )  # fmt: skip
            tx.session.add(
                ReviewTask(
                    id=tx.ids.next(), token=str(n), invitation=f"http://a.example/{n}",
                    member_id=ana.id, title=title, version=1, state="answered",
                    received=now, due=now,
                )
            )  # fmt: skip
    pages = (
        (ana, "/reviews", r'href="/reviews/[0-9]+">(.*?)<'),
        (ana, "/reviews", r'href="/reviews/drafts/[0-9]+">(.*?)<'),
        (admin, "/reviews/board", r'href="/reviews/cases/[0-9]+">(.*?)<'),
    )
    for person, path, line in pages:
        async with makers.browser(app) as client:
            await makers.sign_in(client, instance, person)
            first = (await client.get(path)).text
            on = re.search(r'rel="next" href="(.*?)"', first)
            assert on, path
            second = (await client.get(html.unescape(on[1]))).text
            read = re.findall(line, first), re.findall(line, second)
            assert [len(one) for one in read] == [lists.PAGE, 1], line
            assert {*read[0], *read[1]} == shown
            assert 'rel="next"' not in second
            empty = (await client.get("/reviews/earlier")).text
            assert "nothing older" in empty


async def test_a_review_is_asked_for_given_and_decided_by_forms(
    app: Starlette, instance: Instance, admin: Member
) -> None:
    ana, dee = await makers.member(instance, "ana"), await makers.member(instance, "dee")
    forum = await makers.forum(instance, admin)
    post = await published(instance, ana, forum)
    async with (
        makers.browser(app) as author, makers.browser(app) as steward, makers.browser(app) as peer,
    ):  # fmt: skip
        for client, person in ((author, ana), (steward, admin), (peer, dee)):
            await makers.sign_in(client, instance, person)
        own = f"/p/{post.id}/review"
        assert "Have it reviewed" in (await author.get(f"/p/{post.id}/{post.slug}")).text
        long = "Look. " * 400
        refused = await makers.submit(author, own, action="submit", note=long)
        assert (refused.status_code, long.strip() in refused.text) == (422, True)
        assert (await makers.submit(author, own, action="submit", note="Go.")).status_code == 303
        async with instance.reading() as session:
            number = (await session.execute(select(Review.id))).scalar_one()
        case = f"/reviews/cases/{number}"
        assert "Its author asks" in (await steward.get("/notifications")).text
        for fields, told in (
            ({"action": "member", "invite": "nobody", "due": ""}, "Nobody here has this name"),
            ({"action": "member", "invite": "dee", "due": "soon"}, "Give the day as"),
            ({"action": "agency", "invite": "x.example", "due": ""}, "on our list"),
            ({"action": "decide", "decision": "accepted", "letter": "Yes."}, "Nobody has reviewed"),
        ):
            answer = await makers.submit(steward, case, **fields)
            assert (answer.status_code, told in answer.text) == (422, True), fields
        await makers.submit(steward, case, action="member", invite="dee", due="")
        async with instance.reading() as session:
            token = (await session.execute(select(ReviewTask.token))).scalar_one()
        await _given(peer, f"/reviews/{token}")
        answer = await makers.submit(
            steward, case, action="decide", decision="accepted", letter="Well done."
        )
        assert answer.status_code == 303
        read = (await author.get(own)).text
        for told in ("Well done.", "A reviewer of City of Riverton", "clarity is there"):
            assert told in read
        assert "Dee Okafor" not in read
        # What no button sends is nothing.
        for client, path in ((steward, case), (peer, f"/reviews/{token}")):
            assert (await makers.submit(client, path, action="steal")).status_code == 404
        assert (await steward.get("/reviews/cases/x")).status_code == 404


async def _given(peer: httpx.AsyncClient, task: str) -> None:
    """Dee's part: she is asked again for what she left out, and finds what she wrote."""
    assert "Will you review it?" in (await peer.get(task)).text
    for fields, told in (
        ({"conflict": ""}, "Say whether anything could sway you"),
        ({"conflict": "some", "which": " "}, "Say what it is"),
    ):
        answer = await makers.submit(peer, task, action="accept", **fields)
        assert (answer.status_code, told in answer.text) == (422, True)
    await makers.submit(peer, task, action="accept", conflict="none")
    marks = {f"{name}.comment": f"The {name} is there." for name in rubric.CRITERIA}
    half = {**marks, "clarity.score": "4", "recommendation": "accept"}
    assert (await makers.submit(peer, task, action="save", **half)).status_code == 303
    answer = await makers.submit(peer, task, action="send", **half, summary="Not lost & kept.")
    shown = html.unescape(answer.text)
    assert answer.status_code == 422
    for told in ("Evidence: choose an answer.", "The ethics is there.", "Not lost & kept."):
        assert told in shown
    scores = {f"{name}.score": "3" for name in rubric.CRITERIA}
    assert (await makers.submit(peer, task, action="send", **half | scores)).status_code == 303
    assert "Sent, not decided yet" in (await peer.get("/reviews")).text


async def test_a_draft_is_reviewed_before_anybody_else_knows_of_it(
    app: Starlette, instance: Instance, admin: Member
) -> None:
    ana, dee, lee = [await makers.member(instance, name) for name in ("ana", "dee", "lee")]
    forum = await makers.forum(instance, admin)
    number = await begun(instance, ana, contact="Ana, permits@riverton")
    async with (
        makers.browser(app) as author, makers.browser(app) as steward, makers.browser(app) as peer,
        makers.browser(app) as other,
    ):  # fmt: skip
        for client, person in ((author, ana), (steward, admin), (peer, dee), (other, lee)):
            await makers.sign_in(client, instance, person)
        case = await _submitted(instance, author, (steward, other), number, forum)
        assert "not published yet" in (await steward.get("/reviews/board")).text
        await makers.submit(steward, case, action="member", invite="dee", due="")
        async with instance.reading() as session:
            token = (await session.execute(select(ReviewTask.token))).scalar_one()
        shown = (await peer.get(f"/reviews/{token}")).text
        assert ("Digital permits" in shown, "permits@riverton" in shown) == (True, False)
        for path in ("/practices", f"/f/{forum.handle}", "/search?q=permits", "/reviews", "/"):
            assert "Digital permits" not in (await other.get(path)).text, path
        await _given(peer, f"/reviews/{token}")
        await makers.submit(steward, case, action="decide", decision="accepted", letter="Good.")
        assert "Go on to publish it" in (await author.get(f"/reviews/drafts/{number}")).text
        assert "Digital permits" in (await author.get("/reviews")).text
        assert "is decided" in (await author.get("/notifications")).text

        made = await makers.submit(
            author, f"/practices/drafts/{number}/publish", forum=str(forum.id)
        )
        page = (await other.get(made.headers["location"])).text
        assert "version 1 of this practice was reviewed and accepted" in page
        own = f"{made.headers['location'].rsplit('/', 1)[0]}/review"
        assert "Good." in (await author.get(own)).text
        await _differs(instance, author, ana, forum)


async def _submitted(
    instance: Instance,
    author: httpx.AsyncClient,
    others: tuple[httpx.AsyncClient, ...],
    number: int,
    forum: Forum,
) -> str:
    """Ask for a review of a draft; what is taken back leaves nothing, and can be asked again."""
    own = f"/reviews/drafts/{number}"
    assert own in (await author.get(f"/practices/drafts/{number}")).text
    where = await makers.submit(author, own, action="submit", forum="", note="Step 2?")
    assert (where.status_code, "Choose the forum" in where.text) == (422, True)
    for client in others:
        assert (await client.get(own)).status_code == 404
        assert (await makers.submit(client, own, action="withdraw")).status_code == 404
    sent = {"action": "submit", "forum": str(forum.id), "note": "Step 2?"}
    for action in (sent, {"action": "withdraw"}, sent):
        assert (await makers.submit(author, own, **action)).status_code == 303
    twice = await makers.submit(author, own, **sent)
    assert (twice.status_code, "under review already" in twice.text) == (403, True)
    async with instance.reading() as session:
        rows = (await session.execute(select(Review).order_by(Review.id))).scalars().all()
    assert [(row.state, bool(row.record)) for row in rows] == [
        ("withdrawn", False), ("submitted", True),
    ]  # fmt: skip
    return f"/reviews/cases/{rows[1].id}"


async def _differs(
    instance: Instance, author: httpx.AsyncClient, ana: Member, forum: Forum
) -> None:
    """What is published otherwise than it was submitted is not reviewed: its review ends."""
    number = await begun(instance, ana, name="Counter hours")
    draft = f"/practices/drafts/{number}"
    sent = {"action": "submit", "forum": str(forum.id), "note": ""}
    await makers.submit(author, f"/reviews/drafts/{number}", **sent)
    await send(author, f"{draft}/lessons", lessons="Another lesson.")
    made = await makers.submit(author, f"{draft}/publish", forum=str(forum.id))
    assert made.status_code == 303
    async with instance.reading() as session:
        review = (
            (await session.execute(select(Review).order_by(Review.id.desc()))).scalars().first()
        )
    assert review is not None
    assert (review.state, review.post_id, review.record) == ("withdrawn", None, "")
