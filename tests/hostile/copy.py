# SPDX-License-Identifier: Apache-2.0
"""A forum of a scripted peer, followed by a member of ours."""

import asyncio
import time

from sqlalchemy import select

from server.forums import follows
from storage.forums import CopyState, Forum
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.hostile.commons import SECONDS, Commons, doing, note
from tests.hostile.peer import AS, Json, ScriptedPeer, vera


def collection(uri: str, items: list[object]) -> Json:
    return {
        "@context": AS,
        "id": uri,
        "type": "OrderedCollection",
        "totalItems": len(items),
        "orderedItems": items,
    }


def serve_forum(peer: ScriptedPeer, path: str = "/f/permits", **changes: object) -> str:
    """Serve a Group with empty collections; answers its id."""
    group = f"{peer.origin}{path}"
    for part in ("outbox", "moderators"):
        peer.put(f"{group}/{part}", collection(f"{group}/{part}", []))
    return peer.actor(path, "Group", attributedTo=f"{group}/moderators", **changes)


async def follow(gh: Commons, peer: ScriptedPeer, group: str, member: Member) -> Forum:
    """Have a member follow a served forum until the copy is current."""
    forum = await gh.app.state.lookup.find(group)
    assert isinstance(forum, Forum)
    async with gh.instance.transaction() as tx:
        await follows.follow(tx, member, forum)
    await gh.settled()
    asked = next(one for one in peer.delivered if one["object"] == group)
    await gh.sent(peer, doing("Accept", group, asked, asked["id"]))
    end = time.monotonic() + SECONDS
    while True:
        async with gh.instance.reading() as session:
            held = await session.get_one(Forum, forum.id)
        if held.copy_state == CopyState.CURRENT:
            return held
        assert time.monotonic() < end, held.copy_state
        await asyncio.sleep(0.02)


async def copied(gh: Commons, peer: ScriptedPeer) -> Forum:
    """A current copy of the peer's forum, followed by our Ana."""
    return await follow(gh, peer, serve_forum(peer), await makers.member(gh.instance, "ana"))


def words(peer: ScriptedPeer, forum: str, number: int, **changes: object) -> Json:
    """What Vera of a host wrote in a forum, in a context of its own host."""
    uri = f"{peer.origin}/p/{number}"
    parts: Json = {"type": "Article", "name": f"Thread {number}", "context": f"{uri}/context"}
    return note(uri, vera(peer), forum, **{**parts, **changes})


async def announce(
    gh: Commons, home: ScriptedPeer, forum: str, inner: object, number: object
) -> str:
    """The home announces; answers how that ended."""
    return (await gh.sent(home, doing("Announce", forum, inner, number))).state


async def held_in(gh: Commons, forum: Forum) -> list[Post]:
    """Every post of the copy, oldest first."""
    async with gh.instance.reading() as session:
        question = select(Post).where(Post.forum_id == forum.id).order_by(Post.id)
        return list((await session.execute(question)).scalars())
