# SPDX-License-Identifier: Apache-2.0
"""The questions behind documents of posts and forums, written once."""

from collections.abc import Iterable
from functools import cache

from sqlalchemy import select

from federation import sharing
from federation.askers import Asker
from server import freshness
from server.viewers import Sight, forums_in, posts_in
from storage.among import among
from storage.forums import Forum, Visibility
from storage.plain import Put, Question, given, whole
from storage.posts import Post, PostState, RawObject

ANSWERS = 5


def ahead(asker: Asker, number: int) -> Iterable[Put]:
    """What the document of a post asks, where that says nothing unusual."""
    viewer = asker.viewer
    yield seen(viewer.sight), {"id": number, **viewer.values}
    yield answers(), {"id": number}
    yield from sharing.ahead(number)
    yield raw(), {"ids": [number]}
    yield freshness.ahead(number)


@cache
def seen(sight: Sight) -> Question[tuple[str, int, int]]:
    """A post that the asker may see: (state, thread, forum)."""
    about = (Post.state, Post.thread_id, Post.forum_id)
    question = select(*about).join(Forum, Forum.id == Post.forum_id)
    question = question.where(Post.id == given("id"), posts_in(sight))
    return Question(question, lambda *cells: cells)


@cache
def forum_here(sight: Sight | None) -> Question[Forum]:
    """The forum of ours with a handle, where it may be seen; None for what its stub tells."""
    seen = Forum.visibility == Visibility.PUBLIC if sight is None else forums_in(sight)
    named = Forum.handle == given("handle", Forum.handle.type)
    return Question(select(Forum).where(named, Forum.peer.is_(None), seen), whole)


@cache
def answers() -> Question[tuple[int, str]]:
    """The first direct replies of a post: some software reads no more than stand with it."""
    question = (
        select(Post.id, Post.uri)
        .where(Post.parent_id == given("id"), Post.state == PostState.LIVE)
        .order_by(Post.id)
        .limit(ANSWERS)
    )
    return Question(question, lambda number, uri: (number, uri))


@cache
def raw() -> Question[tuple[int, str]]:
    """The objects of posts as their authors sent them: (post, JSON)."""
    question = select(RawObject.post_id, RawObject.body).where(among(RawObject.post_id, "ids"))
    return Question(question, lambda number, body: (number, body))
