# SPDX-License-Identifier: Apache-2.0
"""Who signed: requests that are not what they claim change nothing."""

from datetime import timedelta

import orjson
import pytest

from tests.hostile.commons import HOST, INBOX, ORIGIN, Commons, doing, like
from tests.hostile.effects import Unchanged, must_be_one_sentence, seen
from tests.hostile.forgery import digest, http_date, signed
from tests.hostile.peer import Json, ScriptedPeer, mallory, vera


def body_of(peer: ScriptedPeer, gh: Commons) -> bytes:
    return orjson.dumps(like(mallory(peer), gh.thread.uri))


async def test_an_honest_like_counts_in_every_view(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    before = await seen(gh, vic)
    row = await gh.sent(evil, like(mallory(evil), gh.thread.uri))
    assert (row.state, row.note) == ("applied", "")
    after = await seen(gh, vic)
    assert await gh.endorsements(gh.thread) == 1
    assert all(before[view] != after[view] for view in ("json", "pages", "rows"))


@pytest.mark.parametrize("path", ["/inbox", "/u/sam/inbox", "/f/counters/inbox"])
async def test_SIG_01_an_unsigned_delivery_is_refused_without_a_fetch(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, path: str
) -> None:
    async with Unchanged(gh, vic):
        must_be_one_sentence(await gh.post(body_of(evil, gh), {}, path), 401)
    assert evil.requests == []


async def test_SIG_02_a_flipped_bit_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    body = body_of(evil, gh)
    headers = evil.sign(INBOX, body, gh.clock.now())
    start, value = headers["Signature"].rsplit('signature="', 1)
    flipped = ("B" if value[0] == "A" else "A") + value[1:]
    async with Unchanged(gh, evil):
        forged = headers | {"Signature": f'{start}signature="{flipped}'}
        must_be_one_sentence(await gh.post(body, forged), 401)


async def test_SIG_02_a_key_of_somebody_else_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    body = orjson.dumps(like(mallory(vic), gh.thread.uri))
    headers = evil.sign(INBOX, body, gh.clock.now(), key_id=f"{mallory(vic)}#main-key")
    async with Unchanged(gh, vic):
        must_be_one_sentence(await gh.post(body, headers), 401)


async def test_SIG_03_a_body_swapped_after_signing_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    body = body_of(evil, gh)
    other = orjson.dumps(like(mallory(evil), gh.thread.uri, 2))
    headers = evil.sign(INBOX, body, gh.clock.now())
    async with Unchanged(gh, vic):
        must_be_one_sentence(await gh.post(other, headers), 401)
        headers["Digest"] = digest(other)
        must_be_one_sentence(await gh.post(other, headers), 401)


def by_hand(gh: Commons, peer: ScriptedPeer, body: bytes, **changes: str) -> list[tuple[str, str]]:
    """The lines of an honest signature; a change to "" leaves one out."""
    lines = {
        "(request-target)": "post /inbox",
        "host": HOST,
        "date": http_date(gh.clock.now()),
        "digest": digest(body),
    } | changes
    return [(name, value) for name, value in lines.items() if value]


async def test_a_signature_by_hand_is_taken_when_nothing_is_missing(
    gh: Commons, evil: ScriptedPeer
) -> None:
    body = body_of(evil, gh)
    headers = signed(evil.keys.rsa, f"{mallory(evil)}#main-key", by_hand(gh, evil, body))
    assert (await gh.post(body, headers)).status_code == 202


@pytest.mark.parametrize(
    "left_out", ["digest", "host", "date", "(request-target)"], ids=["04", "06", "07", "12"]
)
async def test_SIG_04_06_07_12_what_is_sent_but_not_signed_is_not_believed(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, left_out: str
) -> None:
    body = body_of(evil, gh)
    lines = by_hand(gh, evil, body, **{left_out: ""})
    headers = signed(evil.keys.rsa, f"{mallory(evil)}#main-key", lines)
    headers = {"digest": digest(body), "date": http_date(gh.clock.now())} | headers
    async with Unchanged(gh, vic):
        must_be_one_sentence(await gh.post(body, headers), 401)


async def test_SIG_06_a_delivery_to_another_server_cannot_be_replayed_here(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    body = orjson.dumps(like(mallory(vic), gh.thread.uri))
    key_id = f"{mallory(vic)}#main-key"
    headers = vic.sign(f"{evil.origin}/inbox", body, gh.clock.now(), key_id=key_id)
    async with Unchanged(gh, vic):
        must_be_one_sentence(await gh.post(body, headers), 421)
        must_be_one_sentence(await gh.post(body, headers | {"Host": HOST}), 401)


@pytest.mark.parametrize(
    ("hours", "status"), [(-13, 401), (-50 / 60, 202), (0, 202), (50 / 60, 202), (13, 401)]
)
async def test_SIG_07_the_clock_may_differ_by_an_hour(
    gh: Commons, evil: ScriptedPeer, hours: float, status: int
) -> None:
    body = body_of(evil, gh)
    headers = evil.sign(INBOX, body, gh.clock.now() + timedelta(hours=hours))
    assert (await gh.post(body, headers)).status_code == status


@pytest.mark.parametrize(
    ("created", "expires"), [(0, -1_000_000_000), (31_536_000, 0), (0, -1), (-7200, 0)]
)
async def test_SIG_08_an_expired_or_future_signature_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, created: int, expires: int
) -> None:
    body, now = body_of(evil, gh), int(gh.clock.now().timestamp())
    times = {"(created)": str(now + created), "(expires)": str(now + (expires or 3600))}
    lines = [*by_hand(gh, evil, body), *times.items()]
    headers = signed(
        evil.keys.rsa,
        f"{mallory(evil)}#main-key",
        lines,
        algorithm="hs2019",
        times=f",created={times['(created)']},expires={times['(expires)']}",
    )
    async with Unchanged(gh, vic):
        must_be_one_sentence(await gh.post(body, headers), 401)


def broken_headers(good: dict[str, str]) -> list[dict[str, str]]:
    """Two hundred pairs of signature headers, each wrong in its way."""
    signature = good["Signature"]
    inputs = [
        "sig1=", "=", "sig1", "sig1=()", 'sig1=("@method"', "sig1=:::", "a" * 9000, "sig1=?1",
        'sig1=("@method" "@target-uri");created=x;keyid="k"', 'sig1=("@query-param");keyid=1',
        'sig1=("@method" "@method");created=1;keyid="http://evil.localhost/u/mallory#main-key"',
        'sig1=("signature";key="sig1");created=1;keyid="http://evil.localhost/u/mallory#main-key"',
    ]  # fmt: skip
    values = ["sig1=:AAAA:", "sig1=::", "sig1=AAAA", "sig2=:AAAA:", "", "sig1=1", "sig1=:%%:"]
    found = [{"Signature-Input": one, "Signature": two} for one in inputs for two in values]
    found += [{**good, "Signature-Input": one} for one in inputs]
    step = max(1, len(signature) // 100)
    found += [
        {**good, "Signature": signature[:end].strip()} for end in range(0, len(signature), step)
    ]
    return found[:200]


async def test_SIG_11_two_hundred_broken_header_pairs_break_nothing(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    body = body_of(evil, gh)
    good = evil.sign(INBOX, body, gh.clock.now())
    broken = broken_headers(good)
    assert len(broken) >= 190
    async with Unchanged(gh, vic):
        for headers in broken:
            answer = await gh.post(body, headers)
            assert answer.status_code in {400, 401}, (headers, answer.text)
    assert (await gh.post(body, good)).status_code == 202
    await gh.settled()
    assert await gh.endorsements(gh.thread) == 1


async def test_SIG_12_path_query_and_method_are_signed(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    body = body_of(evil, gh)
    headers = evil.sign(INBOX, body, gh.clock.now())
    got = evil.sign(INBOX, None, gh.clock.now(), method="GET") | {"Digest": digest(b"")}
    async with Unchanged(gh, vic):
        for path in ("/inbox?as=x", "/u/sam/inbox", "/f/counters/inbox"):
            must_be_one_sentence(await gh.post(body, headers, path), 401)
        must_be_one_sentence(await gh.post(body, got), 401)


@pytest.mark.parametrize("kind", ["Create", "Like", "Follow", "Delete", "Flag", "Update"])
async def test_SIG_14_an_actor_who_did_not_sign_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, kind: str
) -> None:
    thing = gh.forum.uri if kind == "Follow" else gh.thread.uri
    activity = doing(kind, mallory(vic), thing)
    async with Unchanged(gh, vic):
        answer = await gh.deliver(evil, activity, key_id=f"{mallory(evil)}#main-key")
        must_be_one_sentence(answer, 401, 403)


async def test_SIG_14_another_actor_of_the_same_host_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    await gh.deliver(evil, doing("View", mallory(evil), gh.thread.uri))
    async with Unchanged(gh, vic):
        activity = like(f"{evil.origin}/u/vera", gh.thread.uri)
        answer = await gh.deliver(evil, activity, key_id=f"{mallory(evil)}#main-key")
        must_be_one_sentence(answer, 401)


def bare_key(key_id: str, owner: str, pem: str) -> Json:
    return {
        "@context": "https://w3id.org/security/v1",
        "id": key_id,
        "type": "CryptographicKey",
        "owner": owner,
        "publicKeyPem": pem,
    }


@pytest.mark.parametrize("where", ["evil", "vic"])
async def test_SIG_15_a_key_that_its_owner_does_not_list_is_refused(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer, where: str
) -> None:
    host = evil if where == "evil" else vic
    key_id = f"{host.origin}/uploads/key"
    host.put(key_id, bare_key(key_id, mallory(vic), evil.keys.rsa.public.pem()))
    async with Unchanged(gh, vic):
        answer = await gh.deliver(evil, like(mallory(vic), gh.thread.uri), key_id=key_id)
        must_be_one_sentence(answer, 401)


@pytest.mark.parametrize("listed", ["another key", "of another owner", "elsewhere", "nothing"])
async def test_SIG_15_what_the_owner_lists_under_the_id_is_what_counts(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer, listed: str
) -> None:
    """An upload at the victim's own server names Mallory's key, and the victim as its owner."""
    key_id, pem = f"{vic.origin}/uploads/key", evil.keys.rsa.public.pem()
    vic.put(key_id, bare_key(key_id, vera(vic), pem))
    own = {"id": key_id, "owner": vera(vic), "publicKeyPem": vic.keys.rsa.public.pem()}
    vic.actor(
        "/u/vera",
        publicKey={
            "another key": own,
            "of another owner": own | {"owner": mallory(vic), "publicKeyPem": pem},
            "elsewhere": own | {"id": f"{evil.origin}/key", "publicKeyPem": pem},
            "nothing": None,
        }[listed],
    )
    async with Unchanged(gh, vic):
        answer = await gh.deliver(evil, like(vera(vic), gh.thread.uri), key_id=key_id)
        must_be_one_sentence(answer, 401)


async def test_a_key_document_of_its_own_is_good_when_its_owner_lists_it(
    gh: Commons, evil: ScriptedPeer
) -> None:
    key_id = f"{mallory(evil)}/main-key"
    pem = evil.keys.rsa.public.pem()
    evil.put(key_id, bare_key(key_id, mallory(evil), pem))
    evil.actor("/u/mallory", publicKey={"id": key_id, "owner": mallory(evil), "publicKeyPem": pem})
    answer = await gh.deliver(evil, like(mallory(evil), gh.thread.uri), key_id=key_id)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("new_id", ["main-key", "key-2"])
async def test_SIG_17_a_rotated_key_is_fetched_once_and_the_old_one_refused(
    gh: Commons, vic: ScriptedPeer, new_id: str
) -> None:
    actor = mallory(vic)
    assert (await gh.sent(vic, like(actor, gh.thread.uri))).state == "applied"
    gh.clock.turn(minutes=5)
    rotated = {
        "id": f"{actor}#{new_id}",
        "owner": actor,
        "publicKeyPem": vic.keys.spare.public.pem(),
    }
    vic.actor("/u/mallory", publicKey=rotated)
    vic.requests.clear()
    new = {"key": vic.keys.spare, "key_id": f"{actor}#{new_id}"}
    assert (await gh.deliver(vic, doing("View", actor, gh.thread.uri, 2), **new)).status_code == 202
    assert vic.fetched == ["/u/mallory"]
    assert (await gh.deliver(vic, doing("View", actor, gh.thread.uri, 3))).status_code == 401
    assert (await gh.deliver(vic, doing("View", actor, gh.thread.uri, 4), **new)).status_code == 202
    assert len(vic.fetched) <= 2


async def test_SIG_18_bad_signatures_cause_few_fetches(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    async with Unchanged(gh, vic):
        activity = like(mallory(evil), gh.thread.uri)
        for _ in range(60):
            answer = await gh.deliver(evil, activity, key=evil.keys.spare)
            must_be_one_sentence(answer, 401)
    assert len(evil.fetched) <= 2
    evil.requests.clear()
    statuses = [
        (await gh.deliver(evil, activity, key_id=f"{mallory(evil)}#key-{n}")).status_code
        for n in range(60)
    ]
    assert len(evil.fetched) <= 30
    assert statuses[-1] == 429
    gh.clock.turn(minutes=2)
    assert (await gh.deliver(evil, activity)).status_code == 202


async def test_an_exact_replay_is_told_apart_from_a_repeat(gh: Commons, evil: ScriptedPeer) -> None:
    body = body_of(evil, gh)
    headers = evil.sign(INBOX, body, gh.clock.now())
    assert (await gh.post(body, headers)).status_code == 202
    await gh.settled()
    stored = await gh.counts()
    must_be_one_sentence(await gh.post(body, headers), 409)
    gh.clock.turn(minutes=1)
    anew = evil.sign(INBOX, body, gh.clock.now())
    assert (await gh.post(body, anew)).status_code == 202
    await gh.settled()
    assert await gh.counts() == stored
    assert await gh.endorsements(gh.thread) == 1
    assert (await gh.post(body, anew, "/u/sam/inbox")).status_code == 401
    assert ORIGIN in gh.thread.uri
