# SPDX-License-Identifier: Apache-2.0
"""Followers that run any software, and what they were sent."""

from typing import Any

from federation.signatures.keys import VerificationKey
from federation.signatures.request import Request
from federation.signatures.verify import check, read_claim
from server.posts import editing
from server.posts.drafts import EditDraft
from storage import keys
from storage.members import Member
from storage.posts import Post
from tests.hostile.commons import Commons, doing
from tests.hostile.peer import Asked, Json, ScriptedPeer, vera


async def follow(gh: Commons, peer: ScriptedPeer, software: str, **changes: Any) -> None:
    """Have Vera, whose server runs some software, follow our forum."""
    peer.software = software
    peer.describe()
    sent = await gh.sent(peer, doing("Follow", vera(peer), gh.forum.uri, **changes))
    assert sent.state == "applied"
    assert [one["type"] for one in peer.delivered] == ["Accept"]
    peer.requests.clear()


async def signer(gh: Commons, asked: Asked) -> str:
    """Whose valid signature a delivery carries."""
    request = Request(
        "POST", asked.target, asked.headers["host"], "http", tuple(asked.headers.items()),
        asked.body,
    )  # fmt: skip
    claim = read_claim(request, now=gh.clock.now(), own_hosts=[asked.headers["host"]])
    owner = claim.key_id.partition("#")[0]
    async with gh.instance.reading() as session:
        [key] = [one for one in await keys.of_owner(session, owner) if one.kind == "rsa"]
    check(claim, VerificationKey.from_pem(key.public))
    return owner


def summed_up(document: Json) -> str:
    """`Announce{Update}`, `Announce{id}`, `Undo{Announce}`, `Delete`."""
    inner = document["object"]
    if document["type"] not in {"Announce", "Undo"}:
        return str(document["type"])
    return f"{document['type']}{{{inner['type'] if isinstance(inner, dict) else 'id'}}}"


async def told(gh: Commons, peer: ScriptedPeer) -> list[tuple[str, str]]:
    """What a peer was sent since, and who signed it: the last part of the signer's id."""
    await gh.settled()
    found = []
    for asked in peer.requests:
        if asked.method == "POST":
            owner = await signer(gh, asked)
            assert asked.document["actor"] == owner
            found.append((summed_up(asked.document), owner.rpartition("/")[2]))
    peer.requests.clear()
    return found


async def edit(gh: Commons, author: Member, post: Post, words: str = "Newer words") -> None:
    await gh.settled()
    gh.clock.turn(minutes=1)
    async with gh.instance.transaction() as tx:
        await editing.edit(tx, author, post, EditDraft("Newer", words))


async def remove(gh: Commons, actor: Member, post: Post, reason: str = "") -> None:
    # What has not gone out by then goes nowhere.
    await gh.settled()
    async with gh.instance.transaction() as tx:
        await editing.remove(tx, actor, post, reason)
