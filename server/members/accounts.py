# SPDX-License-Identifier: Apache-2.0
"""Accounts of this agency: made by an admin, a link or a mail."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import audit, mail, text
from server.addresses import HANDLE, RESERVED
from server.errors import Invalid, NotFound
from server.keys import NewKey
from server.members import passwords
from server.permissions import Permission, Standing, must
from server.transaction import Transaction
from storage import members
from storage.keys import ActorKey
from storage.members import EmailConfirmation, Handle, Invitation, Member

LONGEST_NOTE = 200
INVITATION_LASTS = timedelta(days=14)
CONFIRMATION_LASTS = timedelta(days=1)
# The dot-atom of RFC 5322, 3.2.3, at a host name.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+\Z", re.IGNORECASE
)


@dataclass(frozen=True)
class AccountDraft:
    """What a new member enters; `password_hash` is made before the transaction."""

    handle: str
    email: str
    name: str
    password: str
    role_title: str = ""


def token_hash(token: str) -> str:
    """What is stored of a token that opens something."""
    return hashlib.sha256(token.encode()).hexdigest()


def check(draft: AccountDraft) -> AccountDraft:
    """The draft, tidied; Invalid names every field that needs another look."""
    tidy = AccountDraft(
        handle=draft.handle.strip().lower().lstrip("@"),
        email=draft.email.strip().lower(),
        name=text.clean_line(draft.name, 100),
        password=draft.password,
        role_title=text.clean_line(draft.role_title, 100),
    )
    faults: dict[str, str] = {}
    if not HANDLE.match(tidy.handle):
        faults["handle"] = "Use 1 to 30 small letters, digits or underscores."
    elif tidy.handle in RESERVED:
        faults["handle"] = "This name is kept for the site itself."
    if not _EMAIL.match(tidy.email) or len(tidy.email) > 254:
        faults["email"] = "Enter an e-mail address such as ana@riverton.example.gov."
    if not tidy.name:
        faults["name"] = "Enter the name that colleagues know you by."
    wrong = passwords.fault(tidy.password, context=(tidy.handle, tidy.email, tidy.name))
    if wrong:
        faults["password"] = wrong
    if faults:
        raise Invalid(faults)
    return tidy


async def create(
    tx: Transaction,
    draft: AccountDraft,
    password_hash: str,
    keys: tuple[NewKey, NewKey],
    *,
    admin: bool = False,
) -> Member:
    """Make a local account from a checked draft."""
    if await tx.session.get(Handle, draft.handle) is not None:
        raise Invalid({"handle": "This name is taken: choose another."})
    if await members.by_email(tx.session, draft.email) is not None:
        raise Invalid({"email": "There is already an account with this address."})
    uri = tx.addresses.member(draft.handle)
    member = Member(
        id=tx.ids.next(),
        uri=uri,
        handle=draft.handle,
        peer=None,
        url=uri,
        name=draft.name,
        role_title=draft.role_title,
        agency=tx.settings.agency_name,
        inbox=f"{uri}/inbox",
        shared_inbox=tx.addresses.shared_inbox,
        is_admin=admin,
        email=draft.email,
        password_hash=password_hash,
        created=tx.now,
        updated=tx.now,
    )
    tx.session.add(member)
    tx.session.add(Handle(name=draft.handle, kind="member", owner_id=member.id))
    add_keys(tx, uri, keys)
    await tx.session.flush()
    audit.note(tx, member, "member.joined", uri, "as an admin" if admin else "")
    return member


def add_keys(tx: Transaction, owner: str, keys: tuple[NewKey, NewKey]) -> None:
    """Give an actor of ours its keys: `#main-key` (RSA) and `#ed25519-key`."""
    for key in keys:
        name = "main-key" if key.kind == "rsa" else "ed25519-key"
        tx.session.add(
            ActorKey(
                key_id=f"{owner}#{name}",
                owner=owner,
                kind=key.kind,
                public=key.public,
                sealed=key.sealed,
                created=tx.now,
                checked=tx.now,
            )
        )


async def any_admin(session: AsyncSession) -> bool:
    """Whether somebody already administers this instance."""
    found = select(Member.id).where(Member.is_admin, Member.peer.is_(None)).limit(1)
    return (await session.execute(found)).first() is not None


async def invite(tx: Transaction, admin: Member, note: str) -> str:
    """Make an invitation; answers the token of its link, which is stored nowhere."""
    must(Standing(admin), Permission.INVITE)
    if len(note.strip()) > LONGEST_NOTE:
        length = len(note.strip())
        raise Invalid({"note": f"Keep it to {LONGEST_NOTE} characters: this has {length}."})
    token = tx.randomness.token()
    tx.session.add(
        Invitation(
            id=tx.ids.next(),
            token_hash=token_hash(token),
            note=text.clean_line(note, LONGEST_NOTE),
            invited_by=admin.id,
            created=tx.now,
            expires=tx.now + INVITATION_LASTS,
        )
    )
    audit.note(tx, admin, "member.invited", tx.settings.origin, note)
    return token


async def create_first_admin(
    tx: Transaction, draft: AccountDraft, password_hash: str, keys: tuple[NewKey, NewKey]
) -> Member:
    """Make the account that administers a new instance, once."""
    if await any_admin(tx.session):
        raise NotFound("This site already has an administrator: sign in, or ask them.")
    return await create(tx, draft, password_hash, keys, admin=True)


async def invitation(session: AsyncSession, token: str, now: datetime) -> Invitation:
    """The invitation a link carries, if it can still be used."""
    question = select(Invitation).where(
        Invitation.token_hash == token_hash(token),
        Invitation.used_by.is_(None),
        Invitation.expires > now,
    )
    # Locked where the database can, so that two people cannot use one link at once.
    found = (await session.execute(question.with_for_update())).scalar_one_or_none()
    if found is None:
        raise NotFound("This invitation was used, has run out, or never was: ask for a new one.")
    return found


async def accept_invitation(
    tx: Transaction,
    token: str,
    draft: AccountDraft,
    password_hash: str,
    keys: tuple[NewKey, NewKey],
) -> Member:
    """Sign up by an invitation, which works once."""
    used = await invitation(tx.session, token, tx.now)
    member = await create(tx, draft, password_hash, keys)
    used.used_by = member.id
    return member


def may_sign_up(email: str, domains: tuple[str, ...]) -> bool:
    """Whether an address is of a domain whose people may sign up by themselves."""
    host = email.rpartition("@")[2].lower()
    return any(
        host == domain.removeprefix("*.")
        if not domain.startswith("*.")
        else host.endswith(domain[1:])
        for domain in domains
    )


async def ask_confirmation(tx: Transaction, email: str) -> None:
    """Send the letter with the link; says nothing about whether there is an account."""
    address = email.strip().lower()
    if not _EMAIL.match(address) or len(address) > 254:
        raise Invalid({"email": "Enter an e-mail address such as ana@riverton.example.gov."})
    if not may_sign_up(address, tx.settings.signup_domains):
        raise Invalid({"email": "Addresses of this domain need an invitation: ask an admin."})
    site = tx.settings.site_name
    if await members.by_email(tx.session, address) is not None:
        mail.post(
            tx,
            address,
            f"You already have an account at {site}",
            f"Someone asked to sign up at {site} with this address, which has an account.\n\n"
            f"Sign in: {tx.settings.origin}/sign-in\n",
        )
        return
    token = tx.randomness.token()
    tx.session.add(
        EmailConfirmation(
            token_hash=token_hash(token),
            email=address,
            created=tx.now,
            expires=tx.now + CONFIRMATION_LASTS,
        )
    )
    mail.post(
        tx,
        address,
        f"Finish signing up at {site}",
        f"Follow this link within a day to choose your name and password:\n\n"
        f"{tx.settings.origin}/sign-up/confirm/{token}\n\n"
        "If you did not ask for it, do nothing.\n",
    )


async def confirmation(session: AsyncSession, token: str, now: datetime) -> EmailConfirmation:
    """What a confirmation link stands for, if it can still be used."""
    found = await session.get(EmailConfirmation, token_hash(token))
    if found is None or found.expires <= now:
        raise NotFound("This link was used or has run out: sign up again.")
    return found


async def accept_confirmation(
    tx: Transaction,
    token: str,
    draft: AccountDraft,
    password_hash: str,
    keys: tuple[NewKey, NewKey],
) -> Member:
    """Sign up with the address that the letter went to, whatever the form said."""
    used = await confirmation(tx.session, token, tx.now)
    if draft.email != used.email:
        raise Invalid({"email": f"The letter went to {used.email}: sign up with that address."})
    member = await create(tx, draft, password_hash, keys)
    # Every link sent to this address has now served its purpose.
    await tx.session.execute(delete(EmailConfirmation).where(EmailConfirmation.email == used.email))
    return member


async def page(session: AsyncSession) -> list[Member]:
    """Every local account, by name."""
    question = select(Member).where(Member.peer.is_(None)).order_by(func.lower(Member.name))
    return list((await session.execute(question)).scalars())


async def open_invitations(session: AsyncSession, now: datetime) -> list[Invitation]:
    """Invitations that can still be used, newest first."""
    question = (
        select(Invitation)
        .where(Invitation.used_by.is_(None), Invitation.expires > now)
        .order_by(Invitation.id.desc())
    )
    return list((await session.execute(question)).scalars())
