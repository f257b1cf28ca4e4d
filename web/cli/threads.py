# SPDX-License-Identifier: Apache-2.0
"""A whole thread as text and as data."""

import textwrap
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.settings import Settings
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState


@dataclass
class Told:
    """A post with its author, where it lives, and what answers it."""

    post: Post
    author: Member
    home: str
    forum: str
    host: str
    replies: "list[Told]" = field(default_factory=list)

    @property
    def _author(self) -> str:
        return f"@{self.author.handle}@{self.author.peer or self.host}"

    @property
    def _text(self) -> str:
        return text.plain(self.post.html)

    def as_data(self) -> dict[str, Any]:
        """For scripts, replies nested, oldest first."""
        post = self.post
        return {
            "id": str(post.id),
            "uri": post.uri,
            "url": post.url,
            "home": self.home,
            "forum": self.forum,
            "title": post.title,
            "author": self._author,
            "author_name": self.author.name,
            "agency": self.author.agency,
            "text": self._text,
            "state": post.state,
            "reason": post.reason,
            "endorsements": post.endorsement_count,
            "published": post.published.isoformat(),
            "updated": post.updated.isoformat() if post.updated else None,
            "replies": [reply.as_data() for reply in self.replies],
        }

    def as_text(self) -> str:
        """For people, replies indented below what they answer."""
        post = self.post
        head = [post.title] if post.title else []
        head.append(f"{self.author.name} ({self._author}), {post.published:%Y-%m-%d %H:%M} UTC")
        if post.state != PostState.LIVE:
            head.append(f"[{post.state}] {post.reason}".rstrip())
        body = ["", self._text, ""] if post.state != PostState.DELETED else [""]
        counted = "endorsement" if post.endorsement_count == 1 else "endorsements"
        foot = [f"{post.endorsement_count} {counted} · {post.uri} · home {self.home}"]
        blocks = ["\n".join([*head, *body, *foot])]
        blocks += [textwrap.indent(reply.as_text(), "    ") for reply in self.replies]
        return "\n\n".join(blocks)


async def told(session: AsyncSession, settings: Settings, post: Post) -> Told | None:
    """The thread a post belongs to, whole; posts whose parent is missing answer the opener."""
    question = (
        select(Post, Member, Forum)
        .join(Member, Member.id == Post.author_id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Post.thread_id == post.thread_id)
        .order_by(Post.id)
    )
    found = {
        row.id: Told(row, author, forum.peer or settings.host, forum.uri, settings.host)
        for row, author, forum in (await session.execute(question)).all()
    }
    opener = found.get(post.thread_id)
    if opener is None:
        return None
    for one in found.values():
        if one is not opener:
            found.get(one.post.parent_id or 0, opener).replies.append(one)
    return opener
