# SPDX-License-Identifier: Apache-2.0
"""Practices being written: whose they are, saving, and sharing them.

A draft is seen by its owner and by those they invited, and by nobody else, admins included: to
anybody else it answers as if it were not there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Invalid, NotAllowed, NotFound
from server.practices.forgetting import drop_drafts
from server.practices.merging import Clash, merge
from server.practices.record.practice import MOST_OUTCOMES, MOST_STEPS
from server.practices.typed import part_keys
from server.records.editions import Beginning
from server.transaction import Transaction
from storage import members
from storage.base import held, insert
from storage.members import Member, MemberState
from storage.practices import PracticeDraft, PracticeDraftPerson

MOST_DRAFTS = 200
MOST_PEOPLE = 20
LARGEST_DRAFT = 1_000_000
_NOT_FIELDS = ("aside.", "by.")
MOST_PARTS = {"steps": MOST_STEPS, "outcomes": MOST_OUTCOMES}


@dataclass(frozen=True)
class Open:
    """A draft as those who write it see it."""

    draft: PracticeDraft
    typed: dict[str, str]
    owner: Member
    people: tuple[Member, ...]
    last: Member

    @property
    def others(self) -> tuple[Member, ...]:
        """Everybody who writes it."""
        return (self.owner, *self.people)


@dataclass(frozen=True)
class Saved:
    """What a save left: the fields asked for as they now are, and what has to be decided."""

    values: dict[str, str]
    clashes: dict[str, Clash]
    by: Member | None = None


async def begin(tx: Transaction, member: Member, beginning: Beginning) -> PracticeDraft:
    """Begin a draft of one's own."""
    if not member.is_local or member.state != MemberState.ACTIVE:
        raise NotAllowed
    mine = select(PracticeDraft.id).where(PracticeDraft.owner_id == member.id).limit(MOST_DRAFTS)
    if len((await tx.session.execute(mine)).all()) >= MOST_DRAFTS:
        raise NotAllowed("You have 200 drafts already: publish or discard some first.")
    draft = PracticeDraft(
        id=tx.ids.next(),
        owner_id=member.id,
        forum_id=beginning.forum,
        post_id=beginning.post,
        source_id=beginning.source,
        source_version=beginning.source_version,
        source_digest=beginning.source_digest,
        thread_id=beginning.thread,
        title=text.clean_line(beginning.typed.get("name", ""), 200),
        typed=packed(beginning.typed),
        revision=0,
        created=tx.now,
        updated=tx.now,
        updated_by=member.id,
    )
    tx.session.add(draft)
    await tx.session.flush()
    return draft


def packed(typed: Mapping[str, str]) -> str:
    """Fields as they are stored; Invalid when they are more than a draft can hold."""
    stored = json.dumps({name: v for name, v in typed.items() if v}, ensure_ascii=False)
    if len(stored) > LARGEST_DRAFT:
        raise Invalid(message="This draft is too long: shorten some of its texts first.")
    return stored


def fields_of(draft: PracticeDraft) -> dict[str, str]:
    """What stands in a draft's fields."""
    typed: dict[str, str] = json.loads(draft.typed)
    return typed


async def must_write(session: AsyncSession, member: Member | None, draft: int) -> PracticeDraft:
    """The draft, for those who write it; NotFound for everybody else."""
    found = await session.get(PracticeDraft, draft)
    if found is None or member is None or member.state != MemberState.ACTIVE:
        raise NotFound
    if found.owner_id != member.id:
        invited = await session.get(PracticeDraftPerson, (draft, member.id))
        if invited is None:
            raise NotFound
    return found


async def opened(session: AsyncSession, member: Member | None, number: int) -> Open:
    """A draft with everybody who writes it, for one of them."""
    draft = await must_write(session, member, number)
    question = (
        select(Member)
        .join(PracticeDraftPerson, PracticeDraftPerson.member_id == Member.id)
        .where(PracticeDraftPerson.draft_id == draft.id)
        .order_by(Member.name)
    )
    people = tuple((await session.execute(question)).scalars())
    owner = await session.get_one(Member, draft.owner_id)
    last = await session.get_one(Member, draft.updated_by)
    return Open(draft, fields_of(draft), owner, people, last)


async def mine(session: AsyncSession, member: Member) -> list[PracticeDraft]:
    """The drafts that somebody writes, the latest first."""
    invited = select(PracticeDraftPerson.draft_id).where(PracticeDraftPerson.member_id == member.id)
    question = (
        select(PracticeDraft)
        .where(or_(PracticeDraft.owner_id == member.id, PracticeDraft.id.in_(invited)))
        .order_by(PracticeDraft.updated.desc(), PracticeDraft.id.desc())
        .limit(MOST_DRAFTS)
    )
    return list((await session.execute(question)).scalars())


async def save(
    tx: Transaction,
    member: Member,
    number: int,
    base: Mapping[str, str],
    values: Mapping[str, str],
) -> Saved:
    """Keep what was typed into some fields; `base` is what they held when the form was shown.

    What somebody else changed meanwhile stays. Where both changed a field, theirs stays in it,
    the writer's own is set aside until they save that field again, and both are answered, for
    the writer to decide between.
    """
    draft = await _held(tx, member, number)
    typed = fields_of(draft)
    names = {*base, *values}
    merged = merge(base, values, {name: typed[name] for name in names if name in typed})
    kept = {name: v for name, v in merged.values.items() if name not in merged.clashes}
    own = {_aside(member, name): "" for name in names}
    own |= {_aside(member, name): clash.mine for name, clash in merged.clashes.items()}
    own |= {f"by.{n}": str(member.id) for n, v in kept.items() if v != typed.get(n, "")}
    by = None
    if merged.clashes:
        other = typed.get(f"by.{min(merged.clashes)}", str(draft.updated_by))
        by = await tx.session.get(Member, int(other))
    await _write(tx, member, draft, {**typed, **kept, **own})
    return Saved(merged.values, merged.clashes, by)


def _aside(member: Member, name: str) -> str:
    """Where a text is kept that somebody else overtook; no field of the form is called so."""
    return f"aside.{member.id}.{name}"


def set_aside(typed: Mapping[str, str], member: Member) -> dict[str, str]:
    """What somebody typed into fields that another changed meanwhile, and has not decided on."""
    before = _aside(member, "")
    return {name.removeprefix(before): v for name, v in typed.items() if name.startswith(before)}


async def _held(tx: Transaction, member: Member, number: int) -> PracticeDraft:
    await must_write(tx.session, member, number)
    return await held(tx.session, PracticeDraft, number)


async def _write(
    tx: Transaction, member: Member, draft: PracticeDraft, typed: Mapping[str, str]
) -> None:
    stored = packed(typed)
    if stored == draft.typed:
        return
    before = fields_of(draft)
    draft.typed, draft.revision = stored, draft.revision + 1
    draft.title = text.clean_line(typed.get("name", ""), 200)
    if any(
        before.get(n, "") != typed.get(n, "")
        for n in {*before, *typed}
        if not n.startswith(_NOT_FIELDS)
    ):
        draft.updated, draft.updated_by = tx.now, member.id
    await tx.session.flush()


async def add_part(tx: Transaction, member: Member, number: int, what: str) -> str:
    """Add a step or an outcome at the end; answers its number in the draft."""
    draft = await _held(tx, member, number)
    typed = fields_of(draft)
    keys = part_keys(typed, what)
    if len(keys) >= MOST_PARTS[what]:
        raise Invalid(message=f"Keep it to {MOST_PARTS[what]} {what}.")
    # Larger than any before, so that nobody's open form means a new one by the number of another.
    key = str(max([draft.revision, *(int(key) for key in keys if key.isdecimal())]) + 1)
    await _write(tx, member, draft, {**typed, what: " ".join([*keys, key])})
    return key


async def move_part(
    tx: Transaction, member: Member, number: int, what: str, key: str, by: int
) -> None:
    """Move a step or an outcome up (-1) or down (1)."""
    draft = await _held(tx, member, number)
    typed = fields_of(draft)
    keys = part_keys(typed, what)
    if key not in keys:
        raise NotFound
    at = keys.index(key)
    keys.insert(max(0, min(len(keys) - 1, at + by)), keys.pop(at))
    await _write(tx, member, draft, {**typed, what: " ".join(keys)})


async def remove_part(tx: Transaction, member: Member, number: int, what: str, key: str) -> None:
    """Take a step or an outcome out."""
    draft = await _held(tx, member, number)
    typed = fields_of(draft)
    keys = part_keys(typed, what)
    if key not in keys:
        raise NotFound
    left = {name: v for name, v in typed.items() if not name.startswith(f"{what}.{key}.")}
    await _write(tx, member, draft, {**left, what: " ".join(k for k in keys if k != key)})


async def place(tx: Transaction, member: Member, number: int, forum: int) -> None:
    """Choose the forum that a draft is to be published in."""
    (await _held(tx, member, number)).forum_id = forum


async def invite(tx: Transaction, owner: Member, number: int, handle: str) -> Member:
    """Have a colleague write along; they are found by their name at this instance."""
    draft = await _owned(tx, owner, number)
    name = handle.strip().lower().removeprefix("@").removesuffix(f"@{tx.settings.host}")
    found = await members.by_handle(tx.session, name, None) if name else None
    if found is None or found.state != MemberState.ACTIVE:
        raise Invalid({"handle": "Nobody here has that name: give it as on their page, like ana."})
    if found.id == draft.owner_id:
        raise Invalid({"handle": "This is your own draft already."})
    count = select(PracticeDraftPerson.member_id).where(PracticeDraftPerson.draft_id == draft.id)
    if len((await tx.session.execute(count)).all()) >= MOST_PEOPLE:
        raise Invalid({"handle": f"At most {MOST_PEOPLE} people can write along."})
    await tx.session.execute(
        insert(tx.session, PracticeDraftPerson)
        .values(draft_id=draft.id, member_id=found.id, at=tx.now)
        .on_conflict_do_nothing(index_elements=["draft_id", "member_id"])
    )
    return found


async def uninvite(tx: Transaction, member: Member, number: int, person: int) -> None:
    """Have somebody write along no longer; everybody may leave by themselves."""
    draft = await _held(tx, member, number)
    if member.id not in (draft.owner_id, person):
        raise NotAllowed("Only the owner of a draft decides who writes along.")
    await tx.session.execute(
        delete(PracticeDraftPerson).where(
            PracticeDraftPerson.draft_id == draft.id, PracticeDraftPerson.member_id == person
        )
    )


async def _owned(tx: Transaction, owner: Member, number: int) -> PracticeDraft:
    draft = await _held(tx, owner, number)
    if draft.owner_id != owner.id:
        raise NotAllowed("Only the owner of a draft can do this.")
    return draft


async def discard(tx: Transaction, owner: Member, number: int) -> None:
    """Throw a draft away, for everybody who writes it."""
    draft = await _owned(tx, owner, number)
    await drop_drafts(tx, [draft.id])
