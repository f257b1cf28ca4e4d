# SPDX-License-Identifier: Apache-2.0
"""Signing in: sessions begin, end, and guessing is slowed."""

import asyncio

import pytest
from argon2 import PasswordHasher

from server.errors import Invalid, TooFast
from server.instance import Instance
from server.members import passwords, profile, sign_in
from storage.members import Member, MemberState
from tests import makers
from tests.clock import TurnableClock

HERE = "192.0.2.7"


async def attempt(instance: Instance, login: str, password: str, address: str = HERE) -> str:
    return await sign_in.sign_in(instance, login, password, address)


async def fail(instance: Instance, login: str, times: int, address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises(Invalid):
            await attempt(instance, login, "wrong wrong wrong", address)


async def whose(instance: Instance, token: str) -> str | None:
    async with instance.reading() as session:
        found = await sign_in.signed_in(session, instance, token)
    return found.member.handle if found else None


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer failures are borne, since each takes a tenth of a second."""
    monkeypatch.setattr(sign_in, "FAILURES_AN_ACCOUNT", 3)
    monkeypatch.setattr(sign_in, "FAILURES_AN_ADDRESS", 5)


@pytest.mark.parametrize("login", ["ana", "@Ana", " ana@RIVERTON.example.gov "])
async def test_a_member_signs_in_by_name_or_address(instance: Instance, login: str) -> None:
    await makers.member(instance)
    assert await whose(instance, await attempt(instance, login, makers.PASSWORD)) == "ana"


async def test_every_session_has_a_token_of_its_own(instance: Instance) -> None:
    await makers.member(instance)
    first = await attempt(instance, "ana", makers.PASSWORD)
    second = await attempt(instance, "ana", makers.PASSWORD)
    assert first != second
    assert len(first) >= 43


async def test_ACC_01_a_wrong_name_and_a_wrong_password_are_refused_alike(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same words, and after the same work: a hash is compared for nobody as well."""
    await makers.member(instance)
    said, verified = set(), []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored)
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for number, login in enumerate(("ana", "nobody", "nobody@riverton.example.gov"), 1):
        with pytest.raises(Invalid) as refused:
            await attempt(instance, login, "wrong wrong wrong")
        said.add(refused.value.sentence)
        assert len(verified) == number
    assert len(said) == 1


@pytest.mark.usefixtures("few")
async def test_ACC_05_an_account_is_closed_to_guesses_from_everywhere(instance: Instance) -> None:
    await makers.member(instance)
    await fail(instance, "ana", 2, "192.0.2.1")
    await fail(instance, "ana@riverton.example.gov", 1, "192.0.2.2")
    with pytest.raises(TooFast) as refused:
        await attempt(instance, "ana", makers.PASSWORD, "192.0.2.3")
    assert refused.value.retry_after == 900


@pytest.mark.usefixtures("few")
async def test_ACC_05_an_address_may_not_guess_at_many_accounts(instance: Instance) -> None:
    await makers.member(instance)
    for login in ("bo", "cy", "di", "ed", "flo"):
        await fail(instance, login, 1)
    with pytest.raises(TooFast):
        await attempt(instance, "ana", makers.PASSWORD)
    assert await attempt(instance, "ana", makers.PASSWORD, "198.51.100.1")


@pytest.mark.usefixtures("few")
async def test_ACC_05_nobody_is_locked_out_for_good(
    instance: Instance, clock: TurnableClock
) -> None:
    await makers.member(instance)
    await fail(instance, "ana", 3)
    clock.turn(minutes=16)
    assert await attempt(instance, "ana", makers.PASSWORD)


@pytest.mark.usefixtures("few")
async def test_signing_in_forgives_what_was_mistyped(instance: Instance) -> None:
    await makers.member(instance)
    for _ in range(3):
        await fail(instance, "ana", 1)
        assert await attempt(instance, "ana", makers.PASSWORD)


@pytest.mark.usefixtures("few")
async def test_ACC_05_attempts_made_at_once_do_not_overtake_the_count(instance: Instance) -> None:
    await makers.member(instance)
    guesses = [attempt(instance, "ana", f"guess number {n} of many") for n in range(12)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Invalid) == 3
    assert [type(answer) for answer in answers].count(TooFast) == 9


@pytest.mark.usefixtures("real_hashing")
async def test_a_password_is_checked_beside_the_event_loop(instance: Instance) -> None:
    turns = 0
    check = asyncio.ensure_future(passwords.hashed("three grey umbrellas"))
    while not check.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 20


async def test_ACC_02_a_suspended_member_is_signed_out_and_stays_out(instance: Instance) -> None:
    ana = await makers.member(instance)
    token = await attempt(instance, "ana", makers.PASSWORD)
    async with instance.transaction() as tx:
        (await tx.session.get_one(Member, ana.id)).state = MemberState.SUSPENDED
    assert await whose(instance, token) is None
    with pytest.raises(Invalid):
        await attempt(instance, "ana", makers.PASSWORD)


async def test_a_person_of_another_agency_cannot_sign_in(instance: Instance) -> None:
    await makers.person_elsewhere(instance)
    with pytest.raises(Invalid):
        await attempt(instance, "marek", makers.PASSWORD)


async def test_ACC_02_a_session_ends_by_signing_out_and_by_time(
    instance: Instance, clock: TurnableClock
) -> None:
    ana = await makers.member(instance)
    tokens = []
    for _ in range(2):
        async with instance.transaction() as tx:
            tokens.append(await sign_in.open_session(tx, ana))
    async with instance.transaction() as tx:
        await sign_in.sign_out(tx, tokens[0])
    assert [await whose(instance, token) for token in tokens] == [None, "ana"]
    clock.turn(days=30, minutes=1)
    assert await whose(instance, tokens[1]) is None
    async with instance.transaction() as tx:
        await sign_in.tidy(tx)


async def test_ACC_02_a_new_password_ends_every_session(instance: Instance) -> None:
    ana = await makers.member(instance)
    tokens = []
    for _ in range(2):
        async with instance.transaction() as tx:
            tokens.append(await sign_in.open_session(tx, ana))
    new = "eleven paper boats"
    await profile.check_password_change(ana, makers.PASSWORD, new)
    hashed = await passwords.hashed(new)
    async with instance.transaction() as tx:
        await profile.change_password(tx, ana, hashed)
    assert [await whose(instance, token) for token in tokens] == [None, None]
    assert await attempt(instance, "ana", new)
    with pytest.raises(Invalid):
        await attempt(instance, "ana", makers.PASSWORD)


async def test_the_old_password_must_be_known_and_the_new_one_must_do(instance: Instance) -> None:
    ana = await makers.member(instance)
    for old, new, field in (
        ("not my password at all", "eleven paper boats", "old"),
        (makers.PASSWORD, "short", "new"),
    ):
        with pytest.raises(Invalid) as refused:
            await profile.check_password_change(ana, old, new)
        assert list(refused.value.fields) == [field]
