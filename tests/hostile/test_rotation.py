# SPDX-License-Identifier: Apache-2.0
"""New keys of ours: what other servers see, and what goes on as before."""

import pytest
from sqlalchemy import select

from federation.signatures.keys import VerificationKey
from federation.signatures.proofs import check_proof
from federation.signatures.request import Request
from federation.signatures.verify import check, read_claim
from server import rotation
from server.errors import NotAllowed, NotFound
from storage.audit import AuditEntry
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing
from tests.hostile.peer import Asked, Json, ScriptedPeer, vera


async def rotated(gh: Commons, owner: str) -> list[str]:
    pair = await gh.instance.vault.new_pair()
    async with gh.instance.transaction() as tx:
        return await rotation.rotate(tx, gh.admin, owner, pair)


async def actor(gh: Commons, uri: str, peer: ScriptedPeer | None) -> Json:
    found: Json = (await gh.get(uri.removeprefix(ORIGIN), peer)).json()
    return found


def key_id_of(asked: Asked) -> str:
    return asked.headers["signature"].partition('keyId="')[2].partition('"')[0]


@pytest.mark.parametrize("whose", ["forum", "member", "instance"])
async def test_new_keys_have_new_ids_and_old_proofs_hold_for_seven_days(
    gh: Commons, vic: ScriptedPeer, whose: str
) -> None:
    uris = {"forum": gh.forum.uri, "member": gh.admin.uri, "instance": f"{ORIGIN}/instance"}
    owner = uris[whose]
    before = await actor(gh, owner, vic)
    gh.clock.turn(minutes=1)
    made = await rotated(gh, owner)
    await gh.settled()
    for peer in (vic, None):
        after = await actor(gh, owner, peer)
        assert after["publicKey"]["id"] == made[0]
        assert after["publicKey"]["publicKeyPem"] != before["publicKey"]["publicKeyPem"]
        listed = [method["id"] for method in after["assertionMethod"]]
        assert listed == [made[1], before["assertionMethod"][0]["id"]]
    async with gh.instance.transaction() as tx:
        await rotation.forget_old(tx, tx.now, ORIGIN)
    assert len((await actor(gh, owner, vic))["assertionMethod"]) == 2
    gh.clock.turn(days=8)
    async with gh.instance.transaction() as tx:
        await rotation.forget_old(tx, tx.now, ORIGIN)
    [method] = (await actor(gh, owner, vic))["assertionMethod"]
    assert method["id"] == made[1]
    again = await rotated(gh, owner)
    assert not {*again} & {*made}
    async with gh.instance.reading() as session:
        verbs = select(AuditEntry.subject).where(AuditEntry.verb == "keys.changed")
        assert (await session.execute(verbs)).scalars().all() == [owner] * 2


async def test_what_is_sent_after_a_change_is_signed_with_the_new_keys(
    gh: Commons, vic: ScriptedPeer
) -> None:
    vic.software = "piefed"
    vic.describe()
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    await gh.settled()
    first = await rotated(gh, gh.forum.uri)
    gh.clock.turn(minutes=1)
    vic.requests.clear()
    await makers.thread(gh.instance, gh.admin, gh.forum)
    await gh.settled()
    asked = [one for one in vic.requests if one.method == "POST"]
    assert {key_id_of(one) for one in asked} == {first[0]}
    # It says by itself that it has changed, and every word checks with what it lists now.
    group = await actor(gh, gh.forum.uri, vic)
    said = [one["object"] if one["type"] == "Announce" else one for one in vic.delivered]
    assert "Update" in {one["type"] for one in said if isinstance(one, dict)}
    key = VerificationKey.from_pem(group["publicKey"]["publicKeyPem"])
    [method] = [one for one in group["assertionMethod"] if one["id"] == first[1]]
    proof_key = VerificationKey.from_multikey(method["publicKeyMultibase"])
    for one in asked:
        headers = tuple((name, value) for name, value in one.headers.items())
        request = Request("POST", one.target, vic.host, "http", headers, one.body)
        check(read_claim(request, own_hosts=[vic.host], now=gh.clock.now()), key)
        check_proof(one.document, proof_key, now=gh.clock.now())


async def test_only_admins_change_keys_and_only_of_our_own(gh: Commons, vic: ScriptedPeer) -> None:
    ana = await makers.member(gh.instance, "ana")
    pair = await gh.instance.vault.new_pair()
    async with gh.instance.transaction() as tx:
        with pytest.raises(NotAllowed):
            await rotation.rotate(tx, ana, ana.uri, pair)
    await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))
    for owner in (vera(vic), f"{ORIGIN}/u/nobody"):
        with pytest.raises(NotFound):
            await rotated(gh, owner)
