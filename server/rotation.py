# SPDX-License-Identifier: Apache-2.0
"""New keys for actors of ours: an admin's deed, never done by itself."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import audit
from server.errors import Invalid, NotFound
from server.facts import ForumChanged, ProfileChanged
from server.keys import NewKey
from server.permissions import Permission, Standing, must
from server.transaction import Transaction
from storage import forums, keys, members
from storage.keys import ActorKey
from storage.members import Member

# What was signed with an old key is still on its way, or is passed on.
KEPT_FOR = timedelta(days=7)
INSTANCE = "instance"


async def rotate(
    tx: Transaction, admin: Member | None, owner: str, fresh: tuple[NewKey, NewKey]
) -> list[str]:
    """Give an actor of ours new keys under new ids; answers these, RSA first.

    The private parts of the old ones go at once, the public ones after KEPT_FOR. An unknown id
    has other servers ask for the actor again. `admin` is None for the command line.
    """
    if admin is not None:
        must(Standing(admin), Permission.ADMINISTER)
    held = [row for row in await keys.of_owner(tx.session, owner) if row.sealed is not None]
    if not held:
        raise NotFound(f"{owner} is nobody whose keys are kept here.")
    for row in held:
        row.sealed, row.retired = None, tx.now
    number, made = tx.ids.next(), []
    for key in fresh:
        name = "main-key" if key.kind == "rsa" else "ed25519-key"
        row = ActorKey(key_id=f"{owner}#{name}-{number}", owner=owner, kind=key.kind)
        row.public, row.sealed = key.public, key.sealed
        row.created = row.checked = tx.now
        tx.session.add(row)
        made.append(row.key_id)
    await _tell(tx, owner)
    audit.note(tx, admin or "system", "keys.changed", owner)
    await tx.session.flush()
    return made


async def _tell(tx: Transaction, owner: str) -> None:
    """Have an Update of the actor sent, by which those who know it learn of the new keys."""
    forum = await forums.by_uri(tx.session, owner)
    if forum is not None:
        forum.updated = tx.now
        tx.record(ForumChanged(forum.id))
    member = await members.by_uri(tx.session, owner)
    if member is not None:
        member.updated = tx.now
        tx.record(ProfileChanged(member.id))


async def forget_old(tx: Transaction, now: datetime, origin: str) -> None:
    """Drop the old keys of our actors whose time is over."""
    ours = ActorKey.owner.startswith(f"{origin}/", autoescape=True)
    over = ActorKey.retired < now - KEPT_FOR
    await tx.session.execute(delete(ActorKey).where(ours, over, ActorKey.sealed.is_(None)))


async def owner_named(session: AsyncSession, origin: str, name: str) -> str:
    """The actor of ours whom an admin means: a member, a forum, or `instance`."""
    handle = name.strip().lower().lstrip("@!")
    if handle == INSTANCE:
        return f"{origin}/{INSTANCE}"
    found = await members.by_handle(session, handle) or await forums.by_handle(session, handle)
    if found is None:
        asked = name.strip()[:100]
        raise Invalid(
            {"name": f"Nobody and no forum here is called {asked}." if asked else "Name somebody."}
        )
    return found.uri


async def since(session: AsyncSession, owner: str) -> datetime | None:
    """Since when an actor of ours has the keys it signs with."""
    held = [row.created for row in await keys.of_owner(session, owner) if row.sealed is not None]
    return max(held, default=None)


async def owners(tx: Transaction) -> list[str]:
    """Every actor whose keys are kept here."""
    question = select(ActorKey.owner).where(ActorKey.sealed.is_not(None)).distinct()
    return sorted((await tx.session.execute(question)).scalars())
