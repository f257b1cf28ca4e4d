# SPDX-License-Identifier: Apache-2.0
"""Telling what happened to forums, and who follows them."""

import orjson
from sqlalchemy import select

from federation import deeds, forums
from federation.deeds import Deed
from federation.documents import forum_document
from federation.outbox import needs
from federation.outbox.telling import Telling
from server.facts import (
    ActivityRefused,
    FollowerAccepted,
    FollowerLeft,
    FollowerRejected,
    ForumChanged,
    ForumFollowed,
    ForumLeft,
    StewardNamed,
)
from storage import forums as forums_storage
from storage import log
from storage.forums import FEDERATED, FollowState, Forum, ForumFollow, Visibility
from storage.log import Entry, Form
from storage.members import Member
from storage.posts import Post


async def steward_named(t: Telling, fact: StewardNamed) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    if not forum.is_local or forum.visibility not in FEDERATED:
        return
    person = await t.tx.session.get_one(Member, fact.member)
    by = await t.tx.session.get_one(Member, fact.by)
    is_public = forum.visibility == Visibility.PUBLIC
    deed = Deed(actor=by.uri, post=person.uri, forum=forum.uri, public=is_public)
    document = deeds.steward(deed, fact.n, named=fact.named)
    raw = orjson.dumps(await t.sign(by.uri, document)).decode()
    await _announce_forum(t, forum, raw)


async def forum_changed(t: Telling, fact: ForumChanged) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    if not forum.is_local or forum.visibility not in FEDERATED:
        return
    group = await forum_document(t.tx.session, t.wire.urls, forum)
    by = await t.tx.session.get(Member, fact.by)
    actor = by.uri if by is not None else forum.uri
    document = forums.update_group(forum, group, by.uri if by is not None else None)
    await _announce_forum(t, forum, orjson.dumps(await t.sign(actor, document)).decode())
    if forum.visibility != Visibility.PUBLIC:
        return
    if await needs.is_wanted(t.tx.session, forum, Form.AUTHOR):
        own = forums.update_group(forum, group)
        entry = Entry(
            form=Form.AUTHOR,
            activity_id=str(own["id"]),
            signer=forum.uri,
            order_key=forum.uri,
            audience=forum.uri,
            subject=forum.uri,
        )
        await t.append(orjson.dumps(await t.sign(forum.uri, own)).decode(), [(entry, ())])


async def _announce_forum(t: Telling, forum: Forum, raw: str) -> None:
    """Announce something about the forum itself."""
    stand_in = Post(uri=forum.uri)
    await t.announce(forum, raw, post=stand_in, order_key=forum.uri, follows=False)


async def followed(t: Telling, fact: ForumFollowed) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    member = await t.tx.session.get_one(Member, fact.member)
    held = await forums_storage.follow_of(t.tx.session, forum.id, member.id)
    if held is None or held.state != FollowState.PENDING:
        return
    document = forums.follow(held.uri, member.uri, forum.uri)
    await t.send_direct(
        document, member.uri, forum.shared_inbox or forum.inbox,
        order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def left(t: Telling, fact: ForumLeft) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    member = await t.tx.session.get_one(Member, fact.member)
    inner = forums.follow(fact.uri, member.uri, forum.uri)
    await t.send_direct(
        forums.undo(member.uri, inner, [forum.uri]), member.uri,
        forum.shared_inbox or forum.inbox, order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def follower_accepted(t: Telling, fact: FollowerAccepted) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    held = await forums_storage.follow_of(t.tx.session, forum.id, person.id)
    if held is None or held.state != FollowState.ACCEPTED:
        return
    lane = await t.lane(person.shared_inbox or person.inbox)
    await log.subscribe(t.tx.session, forum.uri, lane, t.tx.ids.next())
    await t.send_direct(
        forums.answer("Accept", forum.uri, person.uri, held.uri), forum.uri,
        person.shared_inbox or person.inbox,
        order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def follower_rejected(t: Telling, fact: FollowerRejected) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    await t.send_direct(
        forums.answer("Reject", forum.uri, person.uri, fact.uri, fact.reason), forum.uri,
        person.shared_inbox or person.inbox,
        order_key=f"{forum.uri}#follows", subject=forum.uri,
    )  # fmt: skip


async def follower_left(t: Telling, fact: FollowerLeft) -> None:
    """End the subscription once nobody behind the lane follows any more."""
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    inbox = person.shared_inbox or person.inbox
    remaining = (
        select(Member.id)
        .join(ForumFollow, ForumFollow.member_id == Member.id)
        .where(
            ForumFollow.forum_id == forum.id,
            ForumFollow.state == FollowState.ACCEPTED,
            (Member.shared_inbox == inbox) | (Member.inbox == inbox),
        )
        .limit(1)
    )
    if (await t.tx.session.execute(remaining)).first() is None:
        await log.unsubscribe(t.tx.session, forum.uri, await t.lane(inbox))


async def refused(t: Telling, fact: ActivityRefused) -> None:
    forum = await t.tx.session.get_one(Forum, fact.forum)
    person = await t.tx.session.get_one(Member, fact.member)
    inbox = person.shared_inbox or person.inbox
    if person.is_local or not await needs.reads_refusals(t.tx.session, inbox):
        return
    await t.send_direct(
        forums.refusal(forum.uri, person.uri, fact.activity, fact.reason), forum.uri,
        inbox, order_key=fact.activity, subject=fact.activity,
    )  # fmt: skip
