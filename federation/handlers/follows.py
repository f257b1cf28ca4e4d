# SPDX-License-Identifier: Apache-2.0
"""Follow, Accept, Reject, and taking a follow back."""

from federation import authority
from federation.incoming import Ignored, Incoming
from federation.urls import host_of_uri
from federation.vocabulary.activities import Activity, Reference
from server import digests
from server.forums import comparing, follows
from server.posts import receipts
from server.transaction import Transaction
from storage import forums, members
from storage import posts as posts_storage
from storage.forums import FEDERATED, Forum
from storage.members import Member


async def follow(incoming: Incoming, activity: Activity) -> None:
    """Somebody elsewhere wants to follow a forum of ours."""
    forum = await _our_forum(incoming, activity.object)
    person = await incoming.actors.person(activity.actor, follower=True)
    await incoming.actors.meet(host_of_uri(activity.actor))
    async with incoming.deed() as tx:
        await follows.accept_follower(tx, person, forum, activity.id)


async def undo_follow(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """They no longer want to."""
    authority.must_undo_own(activity.actor, inner)
    forum = await _our_forum(incoming, inner.object)
    async with incoming.deed() as tx:
        person = await members.by_uri(tx.session, activity.actor)
        if person is not None:
            await follows.drop_follower(tx, person, forum)


async def _our_forum(incoming: Incoming, thing: object) -> Forum:
    uri = getattr(thing, "id", "")
    async with incoming.wire.instance.reading() as session:
        forum = await forums.by_uri(session, uri)
    if forum is None or not forum.is_local or forum.visibility not in FEDERATED:
        raise Ignored("This is not a forum of ours that can be followed.")
    return forum


async def accept(incoming: Incoming, activity: Activity) -> None:
    """A forum elsewhere took a follow of ours."""
    async with incoming.deed() as tx:
        forum, member, _ = await _our_follow(tx, activity)
        await follows.confirmed(tx, member, forum)


async def reject(incoming: Incoming, activity: Activity) -> None:
    """A forum elsewhere said no: to a follow, or to something one of us sent it."""
    reason = activity.summary or activity.content or ""
    async with incoming.deed() as tx:
        forum = await forums.by_uri(tx.session, activity.actor)
        if forum is None or forum.is_local:
            raise Ignored("This forum is not known here.")
        uri = getattr(activity.object, "id", "")
        kind, _, rest = uri.partition("#")[2].partition("-")
        if kind in {"create", "like", "update"}:
            await _refused(tx, incoming, forum, uri, (kind, rest), reason)
            return
        _, member, _ = await _our_follow(tx, activity)
        await follows.declined(tx, member, forum, reason)


async def _refused(
    tx: Transaction, incoming: Incoming, forum: Forum, uri: str, said: tuple[str, str], reason: str
) -> None:
    """The home did not take a post, an edit or an endorsement of ours."""
    kind, rest = said
    number, _, revision = rest.partition("-")
    if not incoming.wire.urls.is_ours(uri) or not number.isdecimal() or len(number) > 19:
        raise Ignored("This is not an activity of ours.")
    post = await tx.session.get(posts_storage.Post, int(number))
    if post is None or post.forum_id != forum.id:
        raise Ignored("This is not an activity of ours in this forum.")
    if kind != "like":
        author = await tx.session.get_one(Member, post.author_id)
        authority.must_be_author(uri.partition("#")[0], author.uri)
    if kind == "create":
        await receipts.refuse(tx, post, reason)
        return
    if kind == "update":
        known = int(revision) if revision.isdecimal() and len(revision) < 9 else -1
        if await receipts.refuse_edit(tx, post, known, reason):
            # What the home keeps in its place comes by its digest.
            await digests.agree(tx, forum, post.uri)
            comparing.soon(tx, forum)
        return
    member = await members.by_uri(tx.session, uri.partition("#")[0])
    if member is not None:
        await receipts.refuse_endorsement(tx, post, member.id)


async def _our_follow(tx: Transaction, activity: Activity) -> tuple[Forum, Member, str]:
    """The follow of ours that an Accept or Reject answers."""
    inner = activity.object
    if not isinstance(inner, Activity | Reference):
        raise Ignored("This answers no follow of ours.")
    uri = inner.id
    member_uri = inner.actor if isinstance(inner, Activity) else uri.partition("#")[0]
    forum = await forums.by_uri(tx.session, activity.actor)
    member = await members.by_uri(tx.session, member_uri)
    if forum is None or member is None or not member.is_local or forum.is_local:
        raise Ignored("This answers no follow of ours.")
    authority.must_be_forum(activity.actor, forum.uri)
    held = await forums.follow_of(tx.session, forum.id, member.id)
    if held is None or (uri and held.uri != uri):
        raise Ignored("This answers no follow of ours.")
    return forum, member, held.uri
