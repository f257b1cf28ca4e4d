# SPDX-License-Identifier: Apache-2.0
"""Founding and changing a forum, its stewards, its list of members."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import delete

from server import audit, text
from server.addresses import HANDLE, RESERVED
from server.errors import Invalid, NotFound
from server.facts import ForumChanged, StewardNamed
from server.forums.standing import standing
from server.keys import NewKey
from server.members.accounts import add_keys
from server.permissions import Permission, Standing, must
from server.transaction import Transaction
from storage import members
from storage.base import insert
from storage.forums import CopyState, Forum, ForumMember, ForumSteward, Visibility
from storage.members import Handle, Member

LONGEST_DESCRIPTION = 5_000


@dataclass(frozen=True)
class ForumDraft:
    """What a forum is to be; the handle and the visibility are fixed once it is made."""

    handle: str
    title: str
    description: str = ""
    visibility: str = Visibility.PUBLIC
    language: str = "en"


def check(draft: ForumDraft) -> ForumDraft:
    """The draft, tidied; Invalid names every field that needs another look."""
    tidy = ForumDraft(
        handle=draft.handle.strip().lower().lstrip("@"),
        title=text.clean_line(draft.title, 100),
        description=draft.description.strip(),
        visibility=draft.visibility,
        language=draft.language.strip().lower() or "en",
    )
    faults: dict[str, str] = {}
    if not HANDLE.match(tidy.handle) or tidy.handle in RESERVED:
        faults["handle"] = "Use 1 to 30 small letters, digits or underscores, such as permits."
    if not tidy.title:
        faults["title"] = "Give the forum a title, such as Permits and licensing."
    if len(tidy.description) > LONGEST_DESCRIPTION:
        faults["description"] = f"Keep it under {LONGEST_DESCRIPTION} characters."
    if tidy.visibility not in set(Visibility):
        faults["visibility"] = "Choose who may read the forum."
    if len(tidy.language) > 12 or not tidy.language.replace("-", "").isalnum():
        faults["language"] = "Enter a language code such as en or es."
    if faults:
        raise Invalid(faults)
    return tidy


async def create(
    tx: Transaction, founder: Member, draft: ForumDraft, keys: tuple[NewKey, NewKey]
) -> Forum:
    """Found a forum; its founder becomes its first steward."""
    must(Standing(founder), Permission.CREATE_FORUM)
    draft = check(draft)
    uri, identifier = tx.addresses.forum(draft.handle), tx.ids.next()
    await _take_name(tx, draft.handle, identifier)
    forum = Forum(
        id=identifier,
        uri=uri,
        handle=draft.handle,
        peer=None,
        url=uri,
        title=draft.title,
        agency=tx.settings.agency_name,
        description_source=draft.description,
        description_html=await asyncio.to_thread(text.render, draft.description),
        visibility=draft.visibility,
        language=draft.language,
        inbox=f"{uri}/inbox",
        shared_inbox=tx.addresses.shared_inbox,
        outbox=f"{uri}/outbox",
        moderators=f"{uri}/moderators",
        copy_state=CopyState.HOME,
        created=tx.now,
        updated=tx.now,
    )
    tx.session.add(forum)
    add_keys(tx, uri, keys)
    await tx.session.flush()
    tx.session.add(ForumSteward(forum_id=forum.id, member_id=founder.id, created=tx.now))
    audit.note(tx, founder, "forum.created", uri, draft.visibility)
    await tx.session.flush()
    return forum


async def _take_name(tx: Transaction, name: str, owner: int) -> None:
    """Enter a name into the one namespace; Invalid when somebody has it."""
    statement = (
        insert(tx.session, Handle)
        .values(name=name, kind="forum", owner_id=owner)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(Handle.name)
    )
    if (await tx.session.execute(statement)).first() is None:
        raise Invalid({"handle": "This name is taken: choose another."})


async def change(tx: Transaction, actor: Member, forum: Forum, draft: ForumDraft) -> Forum:
    """Change title, description and language; who may read it stays as it was made."""
    forum = await tx.session.get_one(Forum, forum.id)
    must(await standing(tx.session, actor, forum), Permission.EDIT_FORUM)
    _must_be_home(forum)
    draft = check(
        ForumDraft(forum.handle, draft.title, draft.description, forum.visibility, draft.language)
    )
    forum.title = draft.title
    forum.description_source = draft.description
    forum.description_html = await asyncio.to_thread(text.render, draft.description)
    forum.language = draft.language
    forum.updated = tx.now
    audit.note(tx, actor, "forum.changed", forum.uri)
    tx.record(ForumChanged(forum.id, actor.id))
    return forum


async def name_steward(
    tx: Transaction, admin: Member, forum: Forum, person: Member, *, named: bool
) -> None:
    """Make someone a steward of a forum of ours, or no longer one."""
    must(await standing(tx.session, admin, forum), Permission.NAME_STEWARDS)
    _must_be_home(forum)
    held = await tx.session.get(ForumSteward, (forum.id, person.id))
    if named == (held is not None):
        return
    if held is None:
        tx.session.add(ForumSteward(forum_id=forum.id, member_id=person.id, created=tx.now))
    else:
        await tx.session.delete(held)
    tx.record(StewardNamed(forum.id, person.id, admin.id, named, tx.ids.next()))


async def list_member(
    tx: Transaction, actor: Member, forum: Forum, handle: str, *, listed: bool
) -> None:
    """Let a local member into a closed forum, or no longer."""
    must(await standing(tx.session, actor, forum), Permission.LIST_MEMBERS)
    person = await members.by_handle(tx.session, handle.strip().lower().lstrip("@"))
    if person is None:
        raise Invalid({"handle": "Nobody here has this name."})
    if listed:
        await tx.session.execute(
            insert(tx.session, ForumMember)
            .values(forum_id=forum.id, member_id=person.id, created=tx.now)
            .on_conflict_do_nothing(index_elements=["forum_id", "member_id"])
        )
    else:
        await tx.session.execute(
            delete(ForumMember).where(
                ForumMember.forum_id == forum.id, ForumMember.member_id == person.id
            )
        )
    verb = "forum.member_listed" if listed else "forum.member_unlisted"
    audit.note(tx, actor, verb, forum.uri, person.uri)


async def find_steward(tx: Transaction, name: str) -> Member:
    """The person a form names as `@name` or `@name@agency`; Invalid when unknown here."""
    handle, _, peer = name.strip().lower().lstrip("@").partition("@")
    person = await members.by_handle(tx.session, handle, peer or None)
    if person is None:
        raise Invalid({"steward": "Nobody with this name is known here: look them up first."})
    return person


def _must_be_home(forum: Forum) -> None:
    if not forum.is_local:
        raise NotFound("This forum is kept by another agency.")
