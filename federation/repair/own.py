# SPDX-License-Identifier: Apache-2.0
"""What our own members said, had back from the home of a forum."""

from datetime import timedelta
from typing import Any

from federation import authority
from federation.digests.reading import PostPage
from federation.handlers import practices
from federation.incoming import Ignored
from federation.posts import SharedPost, from_wire
from federation.verification import Verifier
from federation.vocabulary.activities import Activity
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.posts import parse_post
from federation.wire import Wire
from server.posts import restoring
from server.posts.drafts import EditDraft, Origin, ReplyDraft, ThreadDraft
from storage import log, members, posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post

# How long an edit that has arrived may wait at the home until it is worked on.
LATELY = timedelta(hours=1)


class OwnWords:
    """A restored backup lacks what was written since; its home has it, with our own proofs.

    Nothing is taken without a proof made by the member's own key.
    """

    def __init__(self, wire: Wire, verifier: Verifier, forum: Forum) -> None:
        self._wire = wire
        self._verifier = verifier
        self._forum = forum

    async def post(self, uri: str, page: PostPage | None) -> bool:
        """Store a post of ours under its own number; False where nothing proves it ours."""
        number = self._wire.urls.post_id(uri)
        proven = await self._proven(uri, page)
        if number is None or proven is None or page is None:
            return False
        said, author = proven
        async with self._wire.instance.transaction() as tx:
            if await tx.session.get(Post, number) is not None:
                return False
            draft: ThreadDraft | ReplyDraft
            if said.parent is None:
                draft = practices.opening(said, _origin(said))
            else:
                parent = await posts.by_uri(tx.session, said.parent)
                if parent is None or parent.forum_id != self._forum.id:
                    raise Ignored("What this answers is not held here.")
                draft = ReplyDraft(said.source, parent.id, said.language, _origin(said))
            post = await restoring.restore_post(
                tx, author, self._forum, draft, number, page.revision
            )
            if said.parent is None:
                await practices.opened(tx, post, said)
            else:
                await practices.answered(tx, post, said)
        return True

    async def edit(self, uri: str, page: PostPage | None) -> None:
        """Take an edit of ours that was lost here."""
        proven = await self._proven(uri, page)
        if proven is None or page is None:
            return
        said, author = proven
        async with self._wire.instance.transaction() as tx:
            post = await posts.by_uri(tx.session, uri)
            if post is not None and post.author_id == author.id:
                practices.must_stay_one(post, said)
                draft = EditDraft(said.title, said.source, said.tags, _origin(said))
                before = post.revision
                await restoring.restore_edit(tx, post, draft, page.revision)
                await practices.edited(tx, post, said, before)

    async def keep_to(self, post: Post, page: PostPage | None, *, decided: bool) -> bool:
        """Have a post of ours say what its home keeps of it, where that is older.

        False where the home may yet take what we say: it has not `decided`, and something about
        the post is on its way.
        """
        proven = await self._proven(post.uri, page)
        if proven is None or post.kind not in {Kind.THREAD, Kind.REPLY}:
            return True
        said, author = proven
        before = post.updated or post.published
        if author.id != post.author_id or (said.updated or said.published) >= before:
            return True
        async with self._wire.instance.transaction() as tx:
            if not decided and (
                before > tx.now - LATELY
                or await log.is_on_its_way(tx.session, self._forum.peer or "", post.uri)
            ):
                return False
            draft = EditDraft(said.title, said.source, said.tags, _origin(said))
            await restoring.put_back(tx, post, draft, post.revision)
        return True

    async def endorsement(self, post: Post, activity: Activity) -> None:
        """Take an endorsement of ours that was lost here, or was not known to have arrived."""
        proven = await self._verifier.proof(activity.raw, activity.actor)
        if proven is None or not authority.same_origin(activity.id, activity.actor):
            return
        async with self._wire.instance.transaction() as tx:
            member = await members.by_uri(tx.session, activity.actor)
            held = await tx.session.get_one(Post, post.id)
            if member is not None and member.is_local:
                await restoring.restore_endorsement(tx, member, held, activity.id)

    async def _proven(self, uri: str, page: PostPage | None) -> tuple[SharedPost, Member] | None:
        """What one of us said in this forum, by the proof of their own key."""
        post = read_post(page.object if page is not None else None)
        if post is None or post.id != uri or post.author is None:
            return None
        if self._forum.uri not in (*post.audience, *post.to, *post.cc):
            return None
        if not self._wire.urls.is_ours(post.author):
            return None
        if await self._verifier.proof(post.raw, post.author) is None:
            return None
        async with self._wire.instance.reading() as session:
            author = await members.by_uri(session, post.author)
        if author is None or not author.is_local:
            return None
        return from_wire(post, self._forum.uri), author


def read_post(document: dict[str, Any] | None) -> WirePost | None:
    """What a home passes on, if it is a post."""
    try:
        return parse_post(document) if document is not None else None
    except Malformed:
        return None


def _origin(said: SharedPost) -> Origin:
    """Without the HTML: what was written here is rendered here."""
    return Origin(said.uri, said.url, "", said.published, said.updated, context=said.context)
