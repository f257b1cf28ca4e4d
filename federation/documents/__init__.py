# SPDX-License-Identifier: Apache-2.0
"""Any address of ours as JSON, for those that may see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation import deeds, forums, members, posts
from federation.askers import Asker
from federation.documents import questions
from federation.keyring import ED25519
from federation.plainly import as_thread
from federation.posts import SharedPost
from federation.sharing import shared_all, stands_alone
from federation.signatures.proofs import add_proof
from federation.urls import Urls
from federation.vocabulary.terms import OBJECT_CONTEXT
from federation.wire import Wire
from server import freshness, software
from server.errors import NotFound
from server.freshness import Mark
from server.viewers import visible_forums, visible_posts
from storage import keys
from storage import members as members_storage
from storage.forums import Forum, ForumSteward, Visibility
from storage.members import Member, MemberState
from storage.plain import ask
from storage.posts import Post, PostState

PAGE = 50
FORUMS_A_PAGE = 200
MOST_FEATURED = 20


async def forum_document(session: AsyncSession, urls: Urls, forum: Forum) -> dict[str, Any]:
    """The Group of a forum of ours."""
    return forums.group(forum, await keys.of_owner(session, forum.uri), urls.origin)


async def member_document(session: AsyncSession, urls: Urls, member: Member) -> dict[str, Any]:
    """The Person of a local member."""
    picture = f"{urls.origin}/media/{member.avatar_file}" if member.avatar_file else None
    held = await keys.of_owner(session, member.uri)
    return members.person(member, held, urls.origin, picture)


@dataclass
class Documents:
    """Answers one asker within one session; NotFound where there is nothing to see.

    `mark` is what the last answer shows, where it may be given again while that is as it was.
    """

    wire: Wire
    session: AsyncSession
    asker: Asker
    mark: Mark | None = None

    async def _signed(self, actor: str, document: dict[str, Any]) -> dict[str, Any]:
        held = self.wire.keyring.held(actor, ED25519)
        if held is None:
            async with self.wire.instance.knowing(keys.ahead(actor, ED25519)) as session:
                held = await self.wire.keyring.of(session, actor, ED25519)
        now = self.wire.instance.clock.now()
        return self.wire.signed.get(
            held.key_id,
            document,
            lambda: add_proof(document, key=held.key, method=held.key_id, created=now),
        )

    async def member(self, handle: str) -> dict[str, Any]:
        """A local member: whole for those allowed, else the stub that signatures need."""
        member = await self._member(handle)
        held = await keys.of_owner(self.session, member.uri)
        if not self.asker.allowed:
            return members.stub(
                member.uri, "Person", member.handle, held, self.wire.urls.shared_inbox
            )
        return await member_document(self.session, self.wire.urls, member)

    async def _member(self, handle: str) -> Member:
        member = await members_storage.by_handle(self.session, handle)
        if member is None or member.state == MemberState.GONE:
            raise NotFound
        return member

    async def _forum(self, handle: str, *, stub: bool = False) -> Forum:
        viewer = self.asker.viewer
        question = questions.forum_here(None if stub and not self.asker.allowed else viewer.sight)
        if found := await ask(self.session, question, handle=handle, **viewer.values):
            return found[0]
        raise NotFound

    async def forum(self, handle: str) -> dict[str, Any]:
        """A forum of ours: whole for those allowed, else the stub."""
        forum = await self._forum(handle, stub=True)
        if not self.asker.allowed:
            held = await keys.of_owner(self.session, forum.uri)
            shared_inbox = self.wire.urls.shared_inbox
            return members.stub(forum.uri, "Group", forum.handle, held, shared_inbox)
        return await forum_document(self.session, self.wire.urls, forum)

    async def followers(self, handle: str) -> dict[str, Any]:
        """How many follow a forum; never who."""
        forum = await self._forum(handle)
        return collection(f"{forum.uri}/followers", "OrderedCollection", forum.follower_count, None)

    async def moderators(self, handle: str) -> dict[str, Any]:
        """The stewards of a forum, not paged."""
        forum = await self._forum(handle)
        question = (
            select(Member.uri)
            .join(ForumSteward, ForumSteward.member_id == Member.id)
            .where(ForumSteward.forum_id == forum.id)
            .order_by(Member.id)
        )
        people = list((await self.session.execute(question)).scalars())
        return collection(forum.moderators, "OrderedCollection", len(people), people)

    async def featured(self, handle: str) -> dict[str, Any]:
        """The pinned threads of a forum, whole; the latest of them where there are many."""
        forum = await self._forum(handle)
        pinned = (Post.forum_id == forum.id, Post.pinned, Post.state == PostState.LIVE)
        latest = select(Post.id).where(*pinned).order_by(Post.bumped.desc()).limit(MOST_FEATURED)
        found = (await self.session.execute(latest)).scalars().all()
        counted = select(func.count()).select_from(Post).where(*pinned)
        total = (await self.session.execute(counted)).scalar_one()
        items = [document for _, document in await self._objects(found)]
        return collection(f"{forum.uri}/featured", "OrderedCollection", total, items)

    async def forum_outbox(self, handle: str, before: int | None) -> dict[str, Any]:
        """Announce{Create} of the threads, newest first, PAGE at a time."""
        forum = await self._forum(handle)
        question = (
            select(Post.id)
            .where(
                Post.forum_id == forum.id, Post.thread_id == Post.id, Post.state == PostState.LIVE
            )
            .order_by(Post.id.desc())
            .limit(PAGE + 1)
        )
        if before is not None:
            question = question.where(Post.id < before)
        ids = (await self.session.execute(question)).scalars().all()
        shown = await self._objects(ids[:PAGE])
        items = [await self._announced(forum, sharing, document) for sharing, document in shown]
        url = f"{forum.uri}/outbox"
        document = collection(url, "OrderedCollection", forum.thread_count, items)
        if len(ids) > PAGE:
            document["next"] = f"{url}?before={ids[PAGE - 1]}"
        return document

    async def _announced(
        self, forum: Forum, sharing: SharedPost, document: dict[str, Any]
    ) -> dict[str, Any]:
        create = posts.create(sharing, document)
        if self.wire.urls.is_ours(sharing.author):
            create = await self._signed(sharing.author, create)
        is_public = forum.visibility == Visibility.PUBLIC
        head = forums.announce_head(forum.uri, str(create["id"]), is_public=is_public)
        return head | {"object": create, "published": members.moment(sharing.published)}

    async def member_outbox(self, handle: str) -> dict[str, Any]:
        """How much a member wrote in public; the posts stand in their forums."""
        member = await self._member(handle)
        written = (
            select(func.count())
            .select_from(Post)
            .join(Forum, Forum.id == Post.forum_id)
            .where(
                Post.author_id == member.id,
                Post.state == PostState.LIVE,
                Forum.visibility == Visibility.PUBLIC,
            )
        )
        total = (await self.session.execute(written)).scalar_one()
        return collection(f"{member.uri}/outbox", "OrderedCollection", total, None)

    async def member_follows(self, handle: str, which: str) -> dict[str, Any]:
        """Members are followed by nobody yet, and whom they follow is theirs."""
        member = await self._member(handle)
        return collection(f"{member.uri}/{which}", "OrderedCollection", 0, None)

    async def post(self, number: int) -> tuple[int, dict[str, Any]]:
        """(status, document) of a post; a deleted one is a Tombstone (410).

        One written elsewhere is shown as its author sent it, under its own id: whoever asks
        for the page of a thread learns where the thread is.
        """
        found = await ask(
            self.session,
            questions.seen(self.asker.viewer.sight),
            id=number,
            **self.asker.viewer.values,
        )
        if not found:
            raise NotFound
        ((state, thread, forum),) = found
        if state == PostState.DELETED:
            return 410, await self._tombstone(await self.session.get_one(Post, number))
        answers = await ask(self.session, questions.answers(), id=number)
        ((sharing, document),) = await self._objects([number], {number: tuple(answers)})
        if self.wire.urls.is_ours(sharing.author) and stands_alone(sharing):
            beyond = freshness.of_library() if sharing.is_more else ()
            scopes = (*freshness.of_thread(thread, forum), *beyond)
            self.mark = await freshness.mark(self.session, scopes, post=number)
        return 200, document

    async def _tombstone(self, post: Post) -> dict[str, Any]:
        opener = await self.session.get_one(Post, post.thread_id)
        author = await self.session.get_one(Member, post.author_id)
        forum = await self.session.get_one(Forum, post.forum_id)
        return deeds.tombstone(post, author.uri, opener.context, forum.uri)

    async def _post(self, number: int) -> Post:
        question = (
            select(Post)
            .join(Forum, Forum.id == Post.forum_id)
            .where(Post.id == number, visible_posts(self.asker.viewer))
        )
        post = (await self.session.execute(question)).scalar_one_or_none()
        if post is None:
            raise NotFound
        return post

    async def _own_post(self, number: int) -> Post:
        """A post written here: its collections are ours to give."""
        post = await self._post(number)
        if not self.wire.urls.is_ours(post.uri):
            raise NotFound
        return post

    async def _objects(
        self, ids: Sequence[int], answers: Mapping[int, tuple[tuple[int, str], ...]] | None = None
    ) -> list[tuple[SharedPost, dict[str, Any]]]:
        """Posts as they travel, and as objects, with the `answers` that they list.

        Those are signed by their authors here, or as authors elsewhere sent them.
        """
        shared = await shared_all(self.session, ids)
        away = [n for n, sharing in shared.items() if not self.wire.urls.is_ours(sharing.author)]
        raw = dict(await ask(self.session, questions.raw(), ids=away)) if away else {}
        shared = await self._as_shown(shared)
        found: list[tuple[SharedPost, dict[str, Any]]] = []
        for number, sharing in shared.items():
            if answers and answers.get(number):
                sharing = replace(sharing, answers=answers[number])
            if number not in away:
                document = await self._signed(sharing.author, posts.to_wire(sharing))
            else:
                held = raw.get(number)
                document = orjson.loads(held) if held else posts.to_wire(sharing)
            found.append((sharing, document))
        return found

    async def _as_shown(self, shared: dict[int, SharedPost]) -> dict[int, SharedPost]:
        """Events as threads where the asker's software shows none."""
        if not any(sharing.event for sharing in shared.values()):
            return shared
        if software.shows_events(await software.profile_at(self.session, self.asker.host)):
            return shared
        return {number: as_thread(sharing) for number, sharing in shared.items()}

    async def instance(self) -> dict[str, Any]:
        """The instance actor (FEP-d556, FEP-2677)."""
        urls, settings = self.wire.urls, self.wire.instance.settings
        held = await keys.of_owner(self.session, urls.instance)
        document = members.stub(
            urls.instance, "Application", settings.host, held, urls.shared_inbox
        )
        return document | {
            "inbox": urls.shared_inbox,
            "outbox": f"{urls.instance}/outbox",
            "gh:forums": f"{urls.instance}/forums",
            "name": settings.site_name,
            "url": urls.origin,
            "manuallyApprovesFollowers": True,
            "webfinger": f"{settings.host}@{settings.host}",
            "generator": members.generator(urls.origin),
        }

    async def forums(self, after: int | None) -> dict[str, Any]:
        """The forums of this instance that the asker may know of, FORUMS_A_PAGE at a time."""
        known = (Forum.peer.is_(None), visible_forums(self.asker.viewer))
        counted = select(func.count()).select_from(Forum).where(*known)
        total = (await self.session.execute(counted)).scalar_one()
        question = (
            select(Forum.id, Forum.uri)
            .where(*known, Forum.id > (after or 0))
            .order_by(Forum.id)
            .limit(FORUMS_A_PAGE + 1)
        )
        rows = (await self.session.execute(question)).all()
        url = f"{self.wire.urls.instance}/forums"
        shown = rows[:FORUMS_A_PAGE]
        document = collection(url, "Collection", total, [row[1] for row in shown])
        if len(rows) > FORUMS_A_PAGE:
            document["next"] = f"{url}?after={shown[-1][0]}"
        return document


def collection(url: str, kind: str, total: int, items: list[Any] | None) -> dict[str, Any]:
    """A collection with its items inline, or with their number only."""
    document: dict[str, Any] = {
        "@context": OBJECT_CONTEXT,
        "id": url,
        "type": kind,
        "totalItems": total,
    }
    if items is not None:
        document["orderedItems" if kind == "OrderedCollection" else "items"] = items
    return document
