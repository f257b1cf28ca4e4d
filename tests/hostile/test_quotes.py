# SPDX-License-Identifier: Apache-2.0
"""Who asks to quote a post of ours is answered, and the stamp ends with it."""

import pytest

from federation.quotes import awaited
from server import quotes
from server.posts import editing
from storage.forums import Visibility
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing, note
from tests.hostile.peer import AS, PUBLIC, Json, Page, ScriptedPeer, mallory, vera


def asking(actor: str, quoted: str, number: int, quoting: object = "") -> Json:
    """QuoteRequest as Mastodon sends it: the quoting post is `instrument`."""
    instrument = quoting or f"{actor}/statuses/{number}"
    return doing("QuoteRequest", actor, quoted, number, instrument=instrument)


async def answered(gh: Commons, peer: ScriptedPeer, request: Json) -> Json:
    """Ask, and return what came back."""
    peer.requests.clear()
    row = await gh.sent(peer, request)
    assert row.state == "applied", row.note
    assert len(peer.delivered) == 1
    found = peer.delivered[0]
    assert found["to"] == [request["actor"]]
    assert found["object"]["id"] == request["id"]
    assert found["object"]["type"] == "QuoteRequest"
    return found


def path(url: str) -> str:
    return url.removeprefix(ORIGIN)


@pytest.mark.fep("044f")
async def test_a_public_post_may_be_quoted_until_it_is_deleted(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    shown = (await gh.get(path(gh.thread.uri), vic)).json()
    assert shown["interactionPolicy"] == {"canQuote": {"automaticApproval": [PUBLIC]}}
    quoting = f"{vera(vic)}/statuses/1"
    embedded = {"id": quoting, "type": "Note", "attributedTo": vera(vic), "quote": gh.thread.uri}
    accepted = await answered(gh, vic, asking(vera(vic), gh.thread.uri, 1, embedded))
    assert (accepted["type"], accepted["actor"]) == ("Accept", gh.admin.uri)
    stamp = (await gh.get(path(accepted["result"]), vic)).json()
    assert stamp["id"] == accepted["result"]
    assert stamp["type"] == "QuoteAuthorization"
    assert stamp["attributedTo"] == gh.admin.uri
    assert (stamp["interactingObject"], stamp["interactionTarget"]) == (quoting, gh.thread.uri)
    assert stamp["proof"]["verificationMethod"].startswith(gh.admin.uri)
    # Whoever is given posts is given stamps, and nobody else.
    assert (await gh.get(path(accepted["result"]))).status_code == 401
    other = await makers.thread(gh.instance, gh.admin, gh.forum)
    number = accepted["result"].rpartition("/")[2]
    for wrong in (f"{path(other.uri)}/quotes/{number}", f"{path(gh.thread.uri)}/quotes/1"):
        assert (await gh.get(wrong, vic)).status_code == 404
    # Asked again, the same stamp stands for it.
    again = await answered(gh, vic, asking(vera(vic), gh.thread.uri, 2, quoting))
    assert again["result"] == accepted["result"]
    assert again["id"] != accepted["id"]
    vic.requests.clear()
    async with gh.instance.transaction() as tx:
        await editing.remove(tx, gh.admin, gh.thread)
    await gh.settled()
    gone = [one for one in vic.delivered if one["object"]["id"] == accepted["result"]]
    assert [(one["type"], one["actor"]) for one in gone] == [("Delete", gh.admin.uri)]
    assert (await gh.get(path(accepted["result"]), vic)).status_code == 404
    refused = await answered(gh, vic, asking(vera(vic), gh.thread.uri, 3))
    assert (refused["type"], refused["summary"]) == ("Reject", "This post was deleted.")


async def test_a_stamp_ceases_when_its_post_quotes_no_more(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    first = asking(vera(vic), gh.thread.uri, 1)
    second = asking(vera(vic), gh.thread.uri, 2)
    stamps = [path((await answered(gh, vic, one))["result"]) for one in (first, second)]

    async def served() -> list[int]:
        return [(await gh.get(stamp, vic)).status_code for stamp in stamps]

    # Nobody else withdraws them.
    undo = doing("Undo", mallory(evil), first, 3)
    assert (await gh.sent(evil, undo)).state == "refused"
    stolen = doing("Undo", mallory(evil), {**first, "actor": mallory(evil)}, 4)
    assert (await gh.sent(evil, stolen)).state in {"refused", "ignored"}
    neighbour = doing("Delete", mallory(vic), second["instrument"], 5)
    assert (await gh.sent(vic, neighbour)).state == "applied"
    assert await served() == [200, 200]
    assert (await gh.sent(vic, doing("Undo", vera(vic), first, 6))).state == "applied"
    assert await served() == [404, 200]
    assert (await gh.sent(vic, doing("Delete", vera(vic), second["instrument"], 7))).state == (
        "applied"
    )
    assert await served() == [404, 404]
    assert (await gh.sent(vic, doing("Undo", vera(vic), first, 8))).state == "ignored"


async def test_a_quote_is_refused_with_a_reason_that_tells_nothing_else(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = await makers.forum(
        gh.instance, gh.admin, handle="closed", visibility=Visibility.AGENCIES
    )
    secret = await makers.thread(gh.instance, gh.admin, closed)
    unknown = f"{ORIGIN}/p/17"
    answers = [
        await answered(gh, evil, asking(mallory(evil), uri, number))
        for number, uri in enumerate((secret.uri, unknown), 1)
    ]
    # What is not public is to a stranger what never was: nobody is named as its author.
    assert {(one["type"], one["actor"], one["summary"]) for one in answers} == {
        ("Reject", f"{ORIGIN}/instance", "There is no such post here.")
    }
    assert "interactionPolicy" not in str(
        [(await gh.get(path(secret.uri), evil)).text, (await gh.get(path(secret.uri), vic)).text]
    )
    await gh.is_guildhall(vic.host)
    known = await answered(gh, vic, asking(vera(vic), secret.uri, 1))
    assert (known["type"], known["actor"]) == ("Reject", gh.admin.uri)
    assert known["summary"] == "This post is not public, and is not quoted outside."
    for number, instrument in enumerate(
        (
            f"{vera(vic)}/statuses/1",
            {"id": f"{mallory(evil)}/statuses/1", "type": "Note", "attributedTo": vera(vic)},
        ),
        3,
    ):
        request = asking(mallory(evil), gh.thread.uri, number, instrument)
        refused = await answered(gh, evil, request)
        assert refused["summary"] == "Only its own author may ask for a post to quote another."
    # A post that another of the same server has a stamp for is not Mallory's to ask for.
    quoting = f"{vic.origin}/statuses/9"
    assert (await answered(gh, vic, asking(vera(vic), gh.thread.uri, 5, quoting)))["type"] == (
        "Accept"
    )
    assert (await answered(gh, vic, asking(mallory(vic), gh.thread.uri, 6, quoting)))["type"] == (
        "Reject"
    )
    monkeypatch.setattr(quotes, "MOST_OF_ONE_POST", 1)
    again = asking(vera(vic), gh.thread.uri, 7, quoting)
    assert (await answered(gh, vic, again))["type"] == "Accept"
    another = asking(vera(vic), gh.thread.uri, 8)
    assert (await answered(gh, vic, another))["summary"] == quotes.TOO_MANY
    for number, request in enumerate(
        (
            asking(mallory(evil), f"{vic.origin}/p/1", 7),
            {**asking(mallory(evil), gh.thread.uri, 8), "instrument": 3},
        )
    ):
        assert (await gh.sent(evil, request)).state == "ignored", number


def shows(page: str, quoted: str) -> bool:
    return f'data-quotes="{quoted}"' in page


async def test_what_quotes_a_post_of_ours_shows_it_until_its_author_takes_that_back(
    gh: Commons, vic: ScriptedPeer
) -> None:
    quoting = note(f"{vera(vic)}/statuses/1", vera(vic), gh.forum.uri)
    quoting |= {"inReplyTo": gh.thread.uri, "quote": gh.thread.uri}
    # It comes first, as from Mastodon, and asks then; nobody's word but ours counts.
    forged = quoting | {"quoteAuthorization": f"{gh.thread.uri}/quotes/1"}
    assert (await gh.sent(vic, doing("Create", vera(vic), forged))).state == "applied"
    thread = f"/p/{gh.thread.id}"
    assert not shows(await gh.page(thread), gh.thread.uri)
    accepted = await answered(gh, vic, asking(vera(vic), gh.thread.uri, 1, quoting))
    page = await gh.page(thread)
    assert shows(page, gh.thread.uri)
    assert page.count("When are you open?") >= 2
    vic.requests.clear()
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, gh.admin)
        listed = (await browser.get(f"{thread}/quotes")).text
        number = accepted["result"].rpartition("/")[2]
        assert quoting["id"] in listed
        answer = await makers.submit(browser, f"{thread}/quotes", quote=number)
        assert answer.status_code == 303
        assert quoting["id"] not in (await browser.get(f"{thread}/quotes")).text
    await gh.settled()
    assert [(one["type"], one["actor"], one["object"]["id"]) for one in vic.delivered] == [
        ("Delete", gh.admin.uri, accepted["result"])
    ]
    assert (await gh.get(path(accepted["result"]), vic)).status_code == 404
    assert not shows(await gh.page(thread), gh.thread.uri)
    again = await answered(gh, vic, asking(vera(vic), gh.thread.uri, 2, quoting))
    assert (again["type"], again["summary"]) == ("Reject", quotes.REVOKED)


@pytest.mark.fep("044f")
async def test_a_quote_is_shown_by_the_stamp_of_who_is_quoted_and_by_no_other(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri)
    assert (await gh.sent(vic, doing("Create", vera(vic), said))).state == "applied"
    thread = f"/p/{gh.thread.id}"

    def stamp(number: int, peer: ScriptedPeer = vic, **changes: object) -> str:
        uri = f"{peer.origin}/stamps/{number}"
        document = {
            "@context": AS, "id": uri, "type": "QuoteAuthorization", "attributedTo": vera(vic),
            "interactingObject": f"{evil.origin}/p/{number}", "interactionTarget": said["id"],
        }  # fmt: skip
        return peer.put(uri, document | changes)

    wrong = {
        2: stamp(2, evil),
        3: stamp(3, attributedTo=mallory(vic)),
        4: stamp(4, interactingObject=f"{evil.origin}/p/99"),
        5: stamp(5, interactionTarget=gh.thread.uri),
        6: stamp(6, type="Note"),
        7: stamp(7, id=f"{vic.origin}/stamps/77"),
        8: f"{vic.origin}/stamps/gone",
        9: None,
    }

    async def quote(number: int, stamped: str | None) -> bool:
        own = note(f"{evil.origin}/p/{number}", mallory(evil), gh.forum.uri, quote=said["id"])
        own |= {"inReplyTo": gh.thread.uri, "quoteAuthorization": stamped}
        created = doing("Create", mallory(evil), own, number)
        assert (await gh.sent(evil, created)).state == "applied"
        return shows(await gh.page(thread), said["id"])

    assert [await quote(*one) for one in wrong.items()] == [False] * len(wrong)
    assert await quote(10, stamp(10))
    # Nobody needs leave to quote themselves.
    own = note(f"{vic.origin}/p/2", vera(vic), gh.forum.uri, quote=said["id"])
    await gh.sent(vic, doing("Create", vera(vic), own | {"inReplyTo": gh.thread.uri}, 2))
    assert (await gh.page(thread)).count("data-quotes") == 2
    # Whose it is takes it back, and nobody else.
    gone = f"{vic.origin}/stamps/10"
    for peer, actor in ((evil, mallory(evil)), (vic, mallory(vic))):
        await gh.sent(peer, doing("Delete", actor, gone, "stamp"))
    assert (await gh.page(thread)).count("data-quotes") == 2
    await gh.sent(vic, doing("Delete", vera(vic), gone, "stamp"))
    assert (await gh.page(thread)).count("data-quotes") == 1
    # What is quoted and deleted is not shown either.
    await gh.sent(vic, doing("Delete", vera(vic), said["id"], 3))
    assert "data-quotes" not in await gh.page(thread)


async def test_a_stamp_that_cannot_be_had_is_asked_for_again_and_not_for_ever(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri)
    assert (await gh.sent(vic, doing("Create", vera(vic), said))).state == "applied"
    uris = [f"{vic.origin}/stamps/{number}" for number in (1, 2)]
    for number, uri in enumerate(uris, 1):
        document = {
            "@context": AS, "id": uri, "type": "QuoteAuthorization", "attributedTo": vera(vic),
            "interactingObject": f"{evil.origin}/p/{number}", "interactionTarget": said["id"],
        }  # fmt: skip
        vic.put(uri, document)
    served = dict(vic.pages)
    for number, uri in enumerate(uris, 1):
        vic.pages[f"/stamps/{number}"] = Page(status=503)
        own = note(f"{evil.origin}/p/{number}", mallory(evil), gh.forum.uri, quote=said["id"])
        own |= {"inReplyTo": gh.thread.uri, "quoteAuthorization": uri}
        # The other comes without it, and is given it by an Update that changes nothing (Mastodon).
        first = own if number == 1 else own | {"quoteAuthorization": None}
        await gh.sent(evil, doing("Create", mallory(evil), first, number))
        if number == 2:
            row = await gh.sent(evil, doing("Update", mallory(evil), own, number))
            assert row.state == "applied"
    thread, stamps = f"/p/{gh.thread.id}", gh.station.stamps
    assert "data-quotes" not in await gh.page(thread)
    assert "edited" not in await gh.page(thread)
    await stamps.run_due()
    vic.requests.clear()
    await stamps.run_due()
    assert vic.fetched == []
    gh.clock.turn(minutes=2)
    await stamps.run_due()
    assert sorted(vic.fetched) == ["/stamps/1", "/stamps/2"]
    assert "data-quotes" not in await gh.page(thread)
    vic.pages["/stamps/2"] = served["/stamps/2"]
    for _ in range(awaited.MOST_TRIES + 5):
        gh.clock.turn(hours=7)
        await stamps.run_due()
    assert vic.fetched.count("/stamps/2") == 2
    # Once it was asked for when its post came.
    assert vic.fetched.count("/stamps/1") == awaited.MOST_TRIES - 1, vic.fetched
    assert (await gh.page(thread)).count("data-quotes") == 1
    assert not await stamps.are_wanted()
