# SPDX-License-Identifier: Apache-2.0
"""Accounts: who gets one, and what it needs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from server.errors import Invalid, NotAllowed, NotFound, SignInNeeded
from server.instance import Instance
from server.members import accounts, passwords
from server.members.accounts import AccountDraft
from server.settings import Settings
from storage.letters import Letter
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock

DRAFT = AccountDraft(
    handle="lee",
    email="lee@riverton.example.gov",
    name="Lee Park",
    password="four slow green kettles",
    role_title="records clerk",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """People of one domain, and of all below another, may sign up."""
    domains = ("riverton.example.gov", "*.cascadia.example.gov")
    return settings.model_copy(update={"signup_domains": domains})


async def letters(instance: Instance) -> list[Letter]:
    async with instance.reading() as session:
        return list((await session.execute(select(Letter).order_by(Letter.id))).scalars())


async def link_in_the_last_letter(instance: Instance) -> str:
    text = (await letters(instance))[-1].text
    line = next(line for line in text.splitlines() if "/sign-up/confirm/" in line)
    return line.rpartition("/")[2]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"handle": ""}, "handle"),
        ({"handle": "lee park"}, "handle"),
        ({"handle": "lée"}, "handle"),
        ({"handle": "a" * 31}, "handle"),
        ({"handle": "admin"}, "handle"),
        ({"handle": "lee\n"[:3] + "/x"}, "handle"),
        ({"email": "lee"}, "email"),
        ({"email": "lee@localhost"}, "email"),
        ({"email": "lee@a.gov, ana@b.gov"}, "email"),
        ({"email": "lee@a.gov\nBcc: ana@b.gov"}, "email"),
        ({"email": "a" * 65 + "@riverton.example.gov"}, "email"),
        ({"name": "\u200b \u202e"}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "lee@riverton.example.gov"}, "password"),
    ],
)
def test_what_cannot_be_an_account_is_named_by_its_field(
    change: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.check(replace(DRAFT, **change))
    assert list(refused.value.fields) == [field]


def test_a_draft_is_tidied() -> None:
    tidy = accounts.check(
        replace(DRAFT, handle=" @Lee ", email=" Lee@Riverton.example.gov ", name=" Lee  Park ")
    )
    assert (tidy.handle, tidy.email, tidy.name) == ("lee", "lee@riverton.example.gov", "Lee Park")


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("a" * 7 + "bcdefgh", False),
        ("abcdefgh ijklmn", True),
        ("ab cd ef " * 14 + "xy", True),
        ("ab cd ef " * 15, False),
        ("aaaaaaaaaaaaaaaaaaaa", False),
        ("PasswordPassword", False),
        ("Riverton Commons", False),
        ("пять тихих фонарей", True),
    ],
)
def test_ACC_15_length_counts_in_a_password_and_its_letters_do_not(
    password: str, good: bool
) -> None:
    assert (passwords.fault(password, context=("Riverton Commons",)) is None) is good


@pytest.mark.usefixtures("real_hashing")
async def test_ACC_15_a_password_is_kept_as_argon2id_and_compared_whole() -> None:
    long = "one lamp two lamps three lamps four lamps five lamps six lamps seven lamps "
    stored = await passwords.hashed(long + "north")
    assert stored.startswith("$argon2id$")
    # RFC 9106, 4: 64 MiB, three passes, four lanes.
    assert "$m=65536,t=3,p=4$" in stored
    assert await passwords.matches(stored, long + "north")
    assert not await passwords.matches(stored, long + "south")
    assert not await passwords.matches(None, long + "north")


async def test_a_password_is_the_same_however_its_letters_are_composed() -> None:
    stored = await passwords.hashed("cafe\u0301 au lait ce matin")
    assert await passwords.matches(stored, "caf\u00e9 au lait ce matin")


async def test_the_first_administrator_is_made_once(instance: Instance) -> None:
    pair = makers.keys(instance.vault)
    async with instance.transaction() as tx:
        first = await accounts.create_first_admin(tx, DRAFT, "hash", pair)
    assert first.is_admin
    second = replace(DRAFT, handle="eve", email="eve@riverton.example.gov")
    with pytest.raises(NotFound):
        async with instance.transaction() as tx:
            await accounts.create_first_admin(tx, second, "hash", pair)


async def test_a_name_and_an_address_are_given_once(instance: Instance) -> None:
    ana = await makers.member(instance)
    pair = makers.keys(instance.vault)
    for change, field in (
        ({"handle": ana.handle}, "handle"),
        ({"email": ana.email or ""}, "email"),
    ):
        with pytest.raises(Invalid) as refused:
            async with instance.transaction() as tx:
                await accounts.create(tx, replace(DRAFT, **change), "hash", pair)
        assert list(refused.value.fields) == [field]


async def test_a_person_and_a_forum_never_share_a_name(instance: Instance, admin: Member) -> None:
    await makers.forum(instance, admin, "lee")
    with pytest.raises(Invalid):
        async with instance.transaction() as tx:
            await accounts.create(tx, DRAFT, "hash", makers.keys(instance.vault))


async def test_ACC_06_an_invitation_works_once(instance: Instance, admin: Member) -> None:
    pair = makers.keys(instance.vault)
    async with instance.transaction() as tx:
        token = await accounts.invite(tx, admin, "Lee, records")
    async with instance.transaction() as tx:
        lee = await accounts.accept_invitation(tx, token, DRAFT, "hash", pair)
    assert lee.agency == "City of Riverton"
    assert not lee.is_admin
    other = replace(DRAFT, handle="eve", email="eve@riverton.example.gov")
    with pytest.raises(NotFound):
        async with instance.transaction() as tx:
            await accounts.accept_invitation(tx, token, other, "hash", pair)


async def test_ACC_06_an_invitation_runs_out(
    instance: Instance, admin: Member, clock: TurnableClock
) -> None:
    async with instance.transaction() as tx:
        token = await accounts.invite(tx, admin, "")
    clock.turn(days=13)
    async with instance.reading() as session:
        assert await accounts.invitation(session, token, clock.now())
        assert len(await accounts.open_invitations(session, clock.now())) == 1
    clock.turn(days=2)
    async with instance.reading() as session:
        with pytest.raises(NotFound):
            await accounts.invitation(session, token, clock.now())
        assert await accounts.open_invitations(session, clock.now()) == []


async def test_only_administrators_invite(instance: Instance) -> None:
    ana = await makers.member(instance)
    with pytest.raises(NotAllowed):
        async with instance.transaction() as tx:
            await accounts.invite(tx, ana, "")


async def test_ACC_06_the_token_of_an_invitation_is_stored_nowhere(
    instance: Instance, admin: Member
) -> None:
    async with instance.transaction() as tx:
        token = await accounts.invite(tx, admin, "Lee")
    async with instance.reading() as session:
        kept = (await accounts.open_invitations(session, instance.clock.now()))[0]
    assert token not in (kept.token_hash, kept.note)
    assert len(kept.token_hash) == 64


@pytest.mark.parametrize(
    ("email", "may"),
    [
        ("lee@riverton.example.gov", True),
        ("LEE@RIVERTON.EXAMPLE.GOV", True),
        ("lee@health.riverton.example.gov", False),
        ("lee@evilriverton.example.gov", False),
        ("lee@riverton.example.gov.evil.example", False),
        ("lee@data.cascadia.example.gov", True),
        ("lee@a.b.cascadia.example.gov", True),
        ("lee@cascadia.example.gov", False),
        ("lee@evilcascadia.example.gov", False),
        ("lee@riverton.example.gov@evil.example", False),
    ],
)
def test_a_domain_is_taken_whole(email: str, may: bool) -> None:
    domains = ("riverton.example.gov", "*.cascadia.example.gov")
    assert accounts.may_sign_up(email, domains) is may


@given(st.text(max_size=60))
def test_no_address_may_sign_up_where_no_domain_may(email: str) -> None:
    assert not accounts.may_sign_up(email, ())


async def test_a_letter_leads_to_an_account(instance: Instance) -> None:
    async with instance.transaction() as tx:
        await accounts.ask_confirmation(tx, DRAFT.email.upper())
    token = await link_in_the_last_letter(instance)
    pair = makers.keys(instance.vault)
    async with instance.transaction() as tx:
        lee = await accounts.accept_confirmation(tx, token, DRAFT, "hash", pair)
    assert lee.email == DRAFT.email
    async with instance.reading() as session:
        with pytest.raises(NotFound):
            await accounts.confirmation(session, token, instance.clock.now())


async def test_ACC_06_every_link_to_an_address_ends_with_its_account(instance: Instance) -> None:
    tokens = []
    for _ in range(2):
        async with instance.transaction() as tx:
            await accounts.ask_confirmation(tx, DRAFT.email)
        tokens.append(await link_in_the_last_letter(instance))
    async with instance.transaction() as tx:
        pair = makers.keys(instance.vault)
        await accounts.accept_confirmation(tx, tokens[0], DRAFT, "hash", pair)
    async with instance.reading() as session:
        with pytest.raises(NotFound):
            await accounts.confirmation(session, tokens[1], instance.clock.now())


async def test_ACC_06_a_letter_confirms_no_other_address(instance: Instance) -> None:
    async with instance.transaction() as tx:
        await accounts.ask_confirmation(tx, DRAFT.email)
    token = await link_in_the_last_letter(instance)
    other = replace(DRAFT, email="mayor@riverton.example.gov")
    pair = makers.keys(instance.vault)
    with pytest.raises(Invalid):
        async with instance.transaction() as tx:
            await accounts.accept_confirmation(tx, token, other, "hash", pair)


async def test_ACC_06_a_letter_runs_out_after_a_day(
    instance: Instance, clock: TurnableClock
) -> None:
    async with instance.transaction() as tx:
        await accounts.ask_confirmation(tx, DRAFT.email)
    token = await link_in_the_last_letter(instance)
    clock.turn(hours=25)
    async with instance.reading() as session:
        with pytest.raises(NotFound):
            await accounts.confirmation(session, token, clock.now())


async def test_a_member_who_signs_up_again_is_told_so_by_mail_alone(instance: Instance) -> None:
    ana = await makers.member(instance)
    async with instance.transaction() as tx:
        await accounts.ask_confirmation(tx, ana.email or "")
    (letter,) = await letters(instance)
    assert "already have an account" in letter.subject
    assert "/sign-up/confirm/" not in letter.text


async def test_other_domains_are_sent_no_letter(instance: Instance) -> None:
    for address in ("lee@elsewhere.example", "nobody"):
        with pytest.raises(Invalid):
            async with instance.transaction() as tx:
                await accounts.ask_confirmation(tx, address)
    assert await letters(instance) == []


async def test_a_visitor_invites_nobody(instance: Instance) -> None:
    nobody = await makers.person_elsewhere(instance)
    with pytest.raises((NotAllowed, SignInNeeded)):
        async with instance.transaction() as tx:
            await accounts.invite(tx, nobody, "")
