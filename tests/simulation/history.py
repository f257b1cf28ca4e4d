# SPDX-License-Identifier: Apache-2.0
"""What people do in a run: a seeded history of real deeds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from server import endorsements
from server.errors import Refusal
from server.forums import deeds, follows
from server.posts import editing, steering, writing
from server.posts.drafts import EditDraft, ReplyDraft, ThreadDraft
from server.transaction import Transaction
from storage import forums
from storage.appends import Unwell
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from tests.simulation.node import Node
from tests.simulation.world import Place, World


@dataclass
class Written:
    """A post that its author was told is posted, and the word that only it carries."""

    uri: str
    node: Node
    place: Place
    words: list[str]
    thread: bool


@dataclass
class Deed:
    """One attempt, for the report of a failure."""

    at: float
    node: str
    what: str
    ended: str


@dataclass
class History:
    """Everything tried, and what became of it."""

    world: World
    deeds: list[Deed] = field(default_factory=list)
    written: dict[str, Written] = field(default_factory=dict)
    _count: int = 0

    def word(self) -> str:
        """A word nobody used before."""
        self._count += 1
        return f"w{self.world.seed}q{self._count}q"

    async def some(
        self,
        count: int,
        *,
        gap: float = 20.0,
        nodes: list[Node] | None = None,
        places: list[Place] | None = None,
    ) -> None:
        """Do this many things, one after the other, up to `gap` seconds apart."""
        chance = self.world.random
        for _ in range(count):
            up = [node for node in nodes or self.world.nodes if node.alive]
            if up:
                await self.one(chance.choice(up), chance.choice(places or self.world.places))
            await self.world.pass_time(chance.uniform(0.0, gap), 60.0)

    async def one(self, node: Node, place: Place) -> None:
        """One deed at a node, chosen by the seed."""
        chance = self.world.random
        kinds = list(CHOICES)
        kind = chance.choices(kinds, [CHOICES[k] for k in kinds])[0]
        await self.attempt(node, place, kind)

    async def attempt(self, node: Node, place: Place, kind: str) -> None:
        """Try a deed; what its forum or a crash makes of it is noted."""
        started = node.starts
        deed = Deed(self.world.loop.time(), node.name, f"{kind} in {place.uri}", "")
        self.deeds.append(deed)
        try:
            deed.ended = await node.do(lambda: self._do(node, place, kind))
        except Refusal as refusal:
            deed.ended = f"refused: {refusal.sentence}"
        except asyncio.CancelledError:
            if node.alive and node.starts == started:
                raise
            deed.ended = "crashed"
        except (OperationalError, Unwell):
            if not node.is_held:
                raise
            deed.ended = "put off"

    async def _do(self, node: Node, place: Place, kind: str) -> str:
        handle = self.world.random.choice(self.world.people[node.name])
        if kind in {"lock", "pin", "remove"} and place.home is node:
            handle = "sam"
        elif kind in {"lock", "pin", "remove"}:
            # A steward at one of the other agencies; the forum refuses those of the rest.
            handle = "dee"
        async with node.instance.reading() as session:
            forum = await forums.by_uri(session, place.uri)
        if forum is None or forum.copy_state not in {"home", "current"}:
            return "no copy"
        person = await self.world.member(node, handle)
        made: Written | None = None
        async with node.instance.transaction() as tx:
            if kind == "thread":
                made = await self._thread(tx, node, place, forum, person)
                said = made.uri
            elif kind == "reply":
                post = await self._any(tx, forum)
                if post is None:
                    return "nothing to answer"
                made = await self._reply(tx, node, place, post, person)
                said = f"{made.uri} to {post.uri}"
            else:
                said = await ACTS[kind](self, tx, forum, person)
        if made is not None:
            self.written[made.uri] = made
        return f"{handle}: {said}"

    async def _thread(
        self, tx: Transaction, node: Node, place: Place, forum: Forum, person: Member
    ) -> Written:
        word = self.word()
        draft = ThreadDraft(f"On {word}", f"What of **{word}** in {place.word}?", ("counters",))
        post = await writing.post_thread(tx, person, forum, draft)
        return Written(post.uri, node, place, [word], thread=True)

    async def _reply(
        self, tx: Transaction, node: Node, place: Place, post: Post, person: Member
    ) -> Written:
        word = self.word()
        draft = ReplyDraft(f"We tried {word} with {place.word}.", post.id)
        made = await writing.reply(tx, person, draft)
        return Written(made.uri, node, place, [word], thread=False)

    async def _any(
        self, tx: Transaction, forum: Forum, *, author: int | None = None, threads: bool = False
    ) -> Post | None:
        question = select(Post).where(Post.forum_id == forum.id).order_by(Post.published, Post.uri)
        question = question.where(Post.state.in_((PostState.LIVE, PostState.SENT)))
        if author is not None:
            question = question.where(Post.author_id == author)
        if threads:
            question = question.where(Post.kind == "thread")
        found = (await tx.session.execute(question)).scalars().all()
        return self.world.random.choice(found) if found else None

    async def _edit(self, tx: Transaction, forum: Forum, person: Member) -> str:
        post = await self._any(tx, forum, author=person.id)
        if post is None:
            return "nothing to edit"
        word = self.word()
        title = f"On {word}" if post.is_thread else ""
        await editing.edit(tx, person, post, EditDraft(title, f"Rather *{word}*."))
        if post.uri in self.written:
            self.written[post.uri].words.append(word)
        return f"{post.uri} now {word}"

    async def _delete(self, tx: Transaction, forum: Forum, person: Member) -> str:
        post = await self._any(tx, forum, author=person.id)
        if post is None:
            return "nothing to delete"
        await editing.remove(tx, person, post)
        return post.uri

    async def _remove(self, tx: Transaction, forum: Forum, person: Member) -> str:
        post = await self._any(tx, forum)
        if post is None:
            return "nothing to remove"
        await editing.remove(tx, person, post, "off topic")
        return post.uri

    async def _endorse(self, tx: Transaction, forum: Forum, person: Member) -> str:
        post = await self._any(tx, forum)
        if post is None:
            return "nothing to endorse"
        await endorsements.endorse(tx, person, post)
        return post.uri

    async def _withdraw(self, tx: Transaction, forum: Forum, person: Member) -> str:
        question = (
            select(Post)
            .join(Endorsement, Endorsement.post_id == Post.id)
            .where(
                Endorsement.member_id == person.id,
                Endorsement.active,
                Post.forum_id == forum.id,
                Post.state != PostState.DELETED,
            )
            .order_by(Post.uri)
        )
        found = (await tx.session.execute(question)).scalars().all()
        if not found:
            return "nothing to withdraw"
        post = self.world.random.choice(found)
        await endorsements.withdraw(tx, person, post)
        return post.uri

    async def _lock(self, tx: Transaction, forum: Forum, person: Member) -> str:
        post = await self._any(tx, forum, threads=True)
        if post is None:
            return "nothing to lock"
        await steering.lock(tx, person, post, locked=not post.locked)
        return f"{post.uri} {not post.locked}"

    async def _pin(self, tx: Transaction, forum: Forum, person: Member) -> str:
        post = await self._any(tx, forum, threads=True)
        if post is None:
            return "nothing to pin"
        await steering.pin(tx, person, post, pinned=not post.pinned)
        return post.uri

    async def _follow(self, tx: Transaction, forum: Forum, person: Member) -> str:
        if person.handle == "ana":
            return "ana always follows"
        held = await forums.follow_of(tx.session, forum.id, person.id)
        if held is not None and held.state != "rejected":
            await follows.leave(tx, person, forum)
            return "left"
        await follows.follow(tx, person, forum)
        return "follows"

    async def _describe(self, tx: Transaction, forum: Forum, person: Member) -> str:
        if not forum.is_local:
            return "not ours"
        word = self.word()
        draft = deeds.ForumDraft(forum.handle, f"Counters {word}", "", forum.visibility)
        await deeds.change(tx, person, forum, draft)
        return word


Act = Callable[[History, Transaction, Forum, Member], Awaitable[str]]
ACTS: dict[str, Act] = {
    "edit": History._edit,
    "delete": History._delete,
    "remove": History._remove,
    "endorse": History._endorse,
    "withdraw": History._withdraw,
    "lock": History._lock,
    "pin": History._pin,
    "follow": History._follow,
    "describe": History._describe,
}
CHOICES = {
    "thread": 4.0,
    "reply": 6.0,
    "edit": 2.0,
    "delete": 1.0,
    "remove": 0.7,
    "endorse": 4.0,
    "withdraw": 1.0,
    "lock": 0.6,
    "pin": 0.6,
    "follow": 0.5,
    "describe": 0.3,
}
