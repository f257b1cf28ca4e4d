# SPDX-License-Identifier: Apache-2.0
"""What other libraries sign we take, and what we sign they take."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from tests.hostile.peer import Asked, World
from tests.peers.programs import APSIG, HTTP_SIGNATURES, Json
from tests.peers.stranger import Stranger, changed, proofs_hold, verified, with_body
from tests.peers.town import ACTIVITY, Town, listed, riverton
from web.demo.waiting import TooLate, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SIGNERS = {
    "apsig": (APSIG, "sign_draft"),
    "apsig-rfc9421": (APSIG, "sign_rfc9421"),
    "activitypub-http-signatures": (HTTP_SIGNATURES, "sign_draft"),
}
VERIFIERS = {"apsig": APSIG, "activitypub-http-signatures": HTTP_SIGNATURES}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strangers() -> AsyncIterator[dict[str, Stranger]]:
    """One for each way of signing, each on a host of its own."""
    made = {name: Stranger(f"{name}.localhost", program) for name, (program, _) in SIGNERS.items()}
    for name, stranger in made.items():
        stranger.scheme = SIGNERS[name][1]
    async with World(list(made.values())) as world:
        for stranger in made.values():
            stranger.port = world.port
        yield made


def hosts(strangers: dict[str, Stranger]) -> dict[str, int]:
    return {stranger.host: stranger.port for stranger in strangers.values()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    tmp_path_factory: pytest.TempPathFactory, strangers: dict[str, Stranger]
) -> AsyncIterator[Town]:
    async with riverton(tmp_path_factory.mktemp("town"), hosts(strangers)) as opened:
        yield opened


async def received(stranger: Stranger, kind: str, about: str) -> Asked:
    """A delivery of ours of this kind that names something, once it has come."""

    async def probe() -> Asked | None:
        for one in stranger.requests:
            if one.method == "POST" and one.document["type"] == kind and about in str(one.document):
                return one
        return None

    return await until(f"{kind} at {stranger.host}", probe)


async def test_what_other_libraries_sign_is_taken_and_a_changed_byte_is_not(
    town: Town, strangers: dict[str, Stranger]
) -> None:
    for name, stranger in strangers.items():
        activity = stranger.create(town.forum, name=f"Signed by {name}")
        url, body = f"{town.origin}/inbox", orjson.dumps(activity)
        headers = await stranger.signed("POST", url, body)
        answer = await town.send("POST", url, headers, changed(body))
        assert answer.status_code == 401, (name, answer.text)
        answer = await town.send("POST", f"{town.origin}/f/permits/inbox", headers, body)
        assert answer.status_code == 401, (name, answer.text)
        assert activity["object"]["id"] not in await town.listed()
        answer = await town.send("POST", url, headers, body)
        assert answer.status_code == 202, (name, answer.text)
        page = await town.thread_page(activity["object"]["id"])
        assert page.title == f"Signed by {name}"


async def test_what_other_libraries_ask_for_signed_is_shown_to_them(
    town: Town, strangers: dict[str, Stranger]
) -> None:
    thread = await town.ana.post(town.agency, "permits", "Twelve days", "Down from 21.")
    for name in VERIFIERS:
        stranger = strangers[name]
        headers = await stranger.signed("GET", thread)
        assert (await town.send("GET", thread, {"accept": ACTIVITY})).status_code == 401
        answer = await town.send("GET", thread, headers | {"accept": ACTIVITY})
        assert answer.status_code == 200, (name, answer.text)
        assert answer.json()["name"] == "Twelve days"
        other = await town.send("GET", f"{thread}/context", headers | {"accept": ACTIVITY})
        assert other.status_code == 401, (name, other.text)


async def must_verify(town: Town, stranger: Stranger) -> None:
    """Everything we send to a stranger that follows the forum is verified by other libraries.

    AssertionError naming the first that is not, or that is though a byte was changed.
    """
    answer = await stranger.deliver(town, stranger.activity("Follow", town.forum))
    assert answer.status_code == 202, answer.text
    await received(stranger, "Accept", stranger.person)
    thread = await town.ana.post(town.agency, "permits", "The rules", "We wrote the rules down.")
    announced = await received(stranger, "Announce", thread)
    asked = [one for one in stranger.requests if "signature" in one.headers]
    assert {one.method for one in asked} == {"GET", "POST"}
    wrong = [
        with_body(announced, changed(announced.body)),
        Asked("POST", "/elsewhere", announced.headers, announced.body),
    ]
    for name, program in VERIFIERS.items():
        found = await verified(town, program, stranger.host, [*asked, *wrong])
        for one, held in zip(asked, found[:-2], strict=True):
            assert held, f"{name} refuses {one.method} {one.target}"
        assert found[-2:] == [False, False], f"{name} takes what was changed"
    await must_be_proven(town, announced.document)


async def must_be_proven(town: Town, announce: Json) -> None:
    """The proofs of an Announce, of what it announces and of the post hold for apsig."""
    documents = [announce, announce["object"], announce["object"]["object"]]
    spoilt = [document | {"published": "2026-01-01T00:00:00Z"} for document in documents]
    assert await proofs_hold(town, documents + spoilt) == [True] * 3 + [False] * 3


async def test_what_we_sign_other_libraries_verify(
    town: Town, strangers: dict[str, Stranger]
) -> None:
    await must_verify(town, strangers["apsig"])


async def test_what_is_signed_wrongly_other_libraries_refuse(
    tmp_path: Path, strangers: dict[str, Stranger]
) -> None:
    strangers["apsig"].requests.clear()
    async with riverton(tmp_path, hosts(strangers), sabotage="signing") as broken:
        with pytest.raises(AssertionError, match="apsig refuses"):
            await must_verify(broken, strangers["apsig"])


async def test_a_relayed_post_is_believed_on_the_proof_of_another_library(
    town: Town, strangers: dict[str, Stranger]
) -> None:
    """The author's origin shows who they are and no post: only the proof speaks for it."""
    home, author = strangers["apsig"], strangers["activitypub-http-signatures"]
    forum = home.actor("/f/rules", "Group", preferredUsername="rules", name="Rules")
    home.webfinger("rules", forum)
    home.person = forum
    await town.follow(forum)
    follow = await received(home, "Follow", forum)
    answer = await home.deliver(town, home.activity("Accept", follow.document))
    assert answer.status_code == 202, answer.text
    good = await author.vouched(author.create(forum, name="Believed on its proof"))
    bad = await author.vouched(author.create(forum, name="Changed on the way"))
    bad["object"]["content"] = "<p>We write no rules down.</p>"
    for relayed in (bad, good):
        answer = await home.deliver(town, home.activity("Announce", relayed))
        assert answer.status_code == 202, answer.text
    path = f"/f/rules@{home.host}"
    page = await until("the relayed thread", lambda: listed(town, path, good["object"]["id"]))
    assert (await town.ana.browser.open(page)).title == "Believed on its proof"
    with pytest.raises(TooLate):
        await until("the changed one", lambda: listed(town, path, bad["object"]["id"]), 2)
