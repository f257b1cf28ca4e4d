# SPDX-License-Identifier: Apache-2.0
"""What we ask of servers that answer signed questions only."""

from collections.abc import Callable

import pytest

from federation.members import RFC9421
from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import VerificationKey
from federation.signatures.request import Request
from federation.signatures.verify import check, read_claim
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing
from tests.hostile.peer import Asked, Page, ScriptedPeer, mallory, vera

INSTANCE = f"{ORIGIN}/instance"


async def guarded(gh: Commons, peer: ScriptedPeer, *, newer_only: bool) -> list[str]:
    """Have a peer check our signatures as it would; answers the targets it let in."""
    # Whoever asks for it: two such servers could never meet otherwise.
    stub = (await gh.get("/instance")).json()
    key_id, key = stub["publicKey"]["id"], stub["publicKey"]["publicKeyPem"]
    let_in: list[str] = []
    answer: Callable[[Asked], Page] = peer.answer

    def checked(asked: Asked) -> Page:
        headers = tuple(asked.headers.items())
        request = Request(asked.method, asked.target, peer.host, "http", headers, None)
        try:
            if newer_only and "signature-input" not in asked.headers:
                raise SignatureRefused("Only RFC 9421 is read here.")
            claim = read_claim(request, own_hosts=[peer.host], now=gh.clock.now())
            assert claim.key_id == key_id
            check(claim, VerificationKey.from_pem(key))
        except SignatureRefused:
            peer.requests.append(asked)
            return Page(b"Sign.", 401, "text/plain")
        let_in.append(asked.target)
        return answer(asked)

    peer.answer = checked  # type: ignore[method-assign]
    return let_in


@pytest.mark.parametrize("newer_only", [False, True])
async def test_questions_are_signed_by_the_instance_in_a_way_that_is_remembered(
    gh: Commons, vic: ScriptedPeer, newer_only: bool
) -> None:
    let_in = await guarded(gh, vic, newer_only=newer_only)
    row = await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    assert row.state == "applied", row.note
    assert "/u/vera" in let_in
    knocked_twice = vic.fetched.count("/u/vera") - let_in.count("/u/vera")
    assert knocked_twice == int(newer_only)
    vic.requests.clear()
    assert (await gh.sent(vic, doing("Follow", mallory(vic), gh.forum.uri))).state == "applied"
    assert vic.fetched.count("/u/mallory") == let_in.count("/u/mallory") >= 1


@pytest.mark.parametrize("fragment", [True, False])
async def test_a_key_that_is_a_document_of_its_own_leads_to_its_owner(
    gh: Commons, vic: ScriptedPeer, fragment: bool
) -> None:
    """As at GoToSocial: the key's address gives a stub of its owner, who is asked then."""
    owner = f"{vic.origin}/u/gale"
    key_id = f"{owner}#main-key" if fragment else f"{owner}/main-key"
    key = {"id": key_id, "owner": owner, "publicKeyPem": vic.keys.rsa.public.pem()}
    vic.actor("/u/gale", publicKey=key)
    stub = {"id": owner, "type": "Person", "preferredUsername": "gale", "publicKey": key}
    if not fragment:
        vic.put(key_id, {"@context": "https://w3id.org/security/v1", **stub})
    let_in = await guarded(gh, vic, newer_only=False)
    follow = doing("Follow", owner, gh.forum.uri)
    answer = await gh.deliver(vic, follow, key_id=key_id)
    assert answer.status_code == 202, answer.text
    await gh.settled()
    assert (await gh.row(follow["id"])).state == "applied"
    assert "/u/gale" in let_in


def newer(asked: Asked) -> bool:
    return "signature-input" in asked.headers


@pytest.mark.fep("844e")
async def test_who_says_so_is_sent_the_newer_signatures_at_once(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    """The one that claims it wrongly is knocked at twice, once."""
    software = {"type": "Application", "implements": [{"href": RFC9421, "name": "RFC-9421"}]}
    for peer in (vic, evil):
        peer.software = "piefed"
        peer.describe()
    evil.inbox_answer = lambda asked: Page(status=401 if newer(asked) else 202)
    follows = (
        (vic, vic.actor("/u/vera", generator=software)),
        (evil, evil.actor("/u/mallory", implements=RFC9421)),
    )
    for peer, actor in follows:
        assert (await gh.sent(peer, doing("Follow", actor, gh.forum.uri))).state == "applied"
        peer.requests.clear()
    await makers.thread(gh.instance, gh.admin, gh.forum)
    await gh.settled()
    posted = [[newer(one) for one in p.requests if one.method == "POST"] for p in (vic, evil)]
    assert all(posted[0])
    assert posted[0]
    assert not any(posted[1])
    assert posted[1]
    # A question goes the same way.
    await gh.sent(vic, doing("Follow", vic.actor("/u/vito"), gh.forum.uri))
    asked = [newer(one) for one in vic.requests if one.target == "/u/vito"]
    assert asked[-1:] == [True]
