# SPDX-License-Identifier: Apache-2.0
"""Threads and replies as Article and Note, both ways."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from federation import events, kinds, practices, tags
from federation.errors import BadAnswer
from federation.forums import digest, followers
from federation.kinds import Beyond
from federation.members import moment
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.terms import ACTIVITY_CONTEXT, LD_JSON_PROFILE, OBJECT_CONTEXT, PUBLIC
from server import text
from server.posts.drafts import Origin

OPENERS = frozenset({"Article", "Audio", "Event", "Image", "Note", "Page", "Question", "Video"})
REPLIES = OPENERS
LONGEST_TITLE = 200
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SharedPost(Beyond):
    """A post with everything of it that travels; `public` says how it is addressed.

    `links` are the posts its text links to: the address as written, and the id (FEP-e232).
    `answers` are the first direct replies, by number and id, where somebody asks for the post.
    `quoted` and `stamp` are filled in once its author was found to allow it (FEP-044f).
    """

    uri: str
    url: str
    author: str
    forum: str
    title: str
    source: str
    html: str
    published: datetime
    context: str
    tags: tuple[str, ...] = ()
    language: str = "en"
    updated: datetime | None = None
    parent: str | None = None
    parent_author: str | None = None
    mentions: tuple[tuple[str, str], ...] = ()
    public: bool = True
    locked: bool = False
    likes: int = 0
    links: tuple[tuple[str, str], ...] = ()
    quoted: str = ""
    stamp: str = ""
    answers: tuple[tuple[int, str], ...] = ()


def recipients(shared: SharedPost) -> tuple[list[str], list[str]]:
    """`to` and `cc`, alike on the activity and its object (never Public unless it is)."""
    named = [uri for _, uri in shared.mentions if uri != shared.author]
    if shared.parent_author and shared.parent_author != shared.author:
        named = [shared.parent_author, *named]
    named = list(dict.fromkeys(named))
    if not shared.public:
        # Shared with agencies: the followers of the forum and nobody else.
        return [followers(shared.forum), shared.forum], []
    if shared.parent is None:
        return [PUBLIC, shared.forum], [f"{shared.author}/followers", *named]
    return [PUBLIC, *named[:1]], [shared.forum, f"{shared.author}/followers", *named[1:]]


def to_wire(shared: SharedPost) -> dict[str, Any]:
    """The Article of a thread, an Event, the Note of a reply; keys without value are left out."""
    to, cc = recipients(shared)
    last = shared.answers[-1][0] if shared.answers else 0
    document: dict[str, Any] = {
        "@context": OBJECT_CONTEXT,
        "id": shared.uri,
        "type": "Note" if shared.parent else "Article",
        "attributedTo": shared.author,
        "to": to,
        "cc": cc,
        "audience": shared.forum,
        # A thread of other software may have none.
        **({"context": shared.context} if shared.context else {}),
        "url": shared.url,
        "content": shared.html,
        "mediaType": "text/html",
        "source": {"content": shared.source, "mediaType": "text/markdown"},
        "language": {"identifier": shared.language, "name": shared.language},
        "contentMap": {shared.language: shared.html},
        "attachment": [],
        "tag": tags.hashtags(shared.uri, shared.tags) + _named(shared),
        "published": moment(shared.published),
        "sensitive": False,
        "commentsEnabled": not shared.locked,
        "replies": {
            "id": f"{shared.uri}/replies",
            "type": "Collection",
            "first": {
                "type": "CollectionPage",
                "partOf": f"{shared.uri}/replies",
                "next": f"{shared.uri}/replies?after={last}",
                "items": [uri for _, uri in shared.answers],
            },
        },
        "likes": {"id": f"{shared.uri}/likes", "type": "Collection", "totalItems": shared.likes},
    }
    if shared.public:
        # Anybody may quote what anybody may read (FEP-044f).
        document["interactionPolicy"] = {"canQuote": {"automaticApproval": [PUBLIC]}}
    if shared.updated is not None:
        document["updated"] = moment(shared.updated)
    if shared.parent is not None:
        return document | {"inReplyTo": shared.parent} | kinds.to_members(shared, shared.url)
    document["name"] = shared.title
    document |= {"summary": text.wire_summary(shared.html)} | kinds.to_members(shared, shared.url)
    if shared.practice is not None:
        document |= practices.past_of(shared.practice, shared.uri)
    if shared.event is not None:
        document |= events.by_whom(shared.author, shared.language)
    document["preview"] = {
        "type": "Note",
        "content": f"<p><strong>{_escaped(shared.title)}</strong></p>{document['summary']}",
    }
    return document


def _named(shared: SharedPost) -> list[dict[str, str]]:
    """Whom the text names, and the posts it links to."""
    return [
        *({"type": "Mention", "name": f"@{name}", "href": href} for name, href in shared.mentions),
        *(
            {"type": "Link", "mediaType": LD_JSON_PROFILE, "name": name, "href": href}
            for name, href in shared.links
        ),
    ]


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def from_wire(post: WirePost, forum: str) -> SharedPost:
    """What a post of any peer says, in our terms; `forum` is where it was found to belong.

    BadAnswer for types that are no thread and no reply; Invalid for a practice that is none.
    """
    if post.type not in (REPLIES if post.in_reply_to else OPENERS):
        raise BadAnswer(f"A {post.type} is neither a thread nor a reply.")
    if post.author is None:
        raise BadAnswer("The post names no author.")
    if is_vote(post):
        raise BadAnswer("Votes are counted by the server that the poll is of.")
    html = post.html or ""
    words = post.markdown or text.plain(html)
    beyond = kinds.from_members(post)
    if post.options and beyond.get("poll") is None:
        words = "\n".join((f"{words}\n", *(f"- {option}" for option in post.options)))
        items = "".join(f"<li>{_escaped(option)}</li>" for option in post.options)
        html += f"<ul>{items}</ul>" if html else ""
    title = (
        ""
        if post.in_reply_to
        else text.clean_line(post.name or _first_line(words, forum), LONGEST_TITLE)
    )
    return SharedPost(
        uri=post.id,
        url=post.url or post.id,
        author=post.author,
        forum=forum,
        title=title or ("" if post.in_reply_to else "Untitled"),
        source=words[: text.MAX_SOURCE],
        html=html,
        published=post.published or post.updated or LONG_AGO,
        context=post.context or "",
        tags=tags.hashtags_of(post) if not post.in_reply_to else (),
        language=(post.language or "en")[:12],
        updated=post.updated,
        parent=post.in_reply_to,
        mentions=tuple(
            (tag.name.lstrip("@"), tag.href)
            for tag in post.tags
            if tag.kind == "mention" and tag.href
        ),
        public=PUBLIC in (*post.to, *post.cc),
        locked=not post.comments_enabled,
        likes=post.likes_total or 0,
        links=tuple((tag.name, tag.href) for tag in post.tags if tag.kind == "link" and tag.href),
        **beyond,
    )


def is_vote(post: WirePost) -> bool:
    """Whether a Note is a vote in a poll: it names one of the options, and says nothing."""
    says = post.html or post.markdown
    return post.type == "Note" and bool(post.in_reply_to and post.name and not says)


def _first_line(words: str, forum: str) -> str:
    """The first line that says something, without the forum's own name it was sent by."""
    name = forum.rpartition("/")[2]
    handle = re.compile(rf"\s*@{re.escape(name)}(?:@[\w.:-]+)?(?![\w@])[,:]?", re.IGNORECASE)
    lines = (handle.sub("", line).strip("# ") for line in words.splitlines())
    return next((line for line in lines if line), "")


def origin_of_post(shared: SharedPost, raw: str, key_id: str) -> Origin:
    """Where a received post comes from, for the draft that the rules see."""
    return Origin(
        uri=shared.uri,
        url=shared.url,
        html=shared.html,
        published=shared.published,
        updated=shared.updated,
        raw=raw,
        key_id=key_id,
        context=shared.context,
        quoted=shared.quoted,
        stamp=shared.stamp,
    )


def short(uri: str) -> str:
    """The number of a post of ours, a digest of any other id."""
    number = uri.rpartition("/p/")[2]
    return number if number.isdecimal() else digest(uri)


def create(shared: SharedPost, document: dict[str, Any]) -> dict[str, Any]:
    """Create of a post, by its author."""
    return _about(shared, document, "Create", f"{shared.author}#create-{short(shared.uri)}")


def update(shared: SharedPost, document: dict[str, Any], revision: int) -> dict[str, Any]:
    """Update of a post, by its author."""
    identifier = f"{shared.author}#update-{short(shared.uri)}-{revision}"
    return _about(shared, document, "Update", identifier)


def _about(
    shared: SharedPost, document: dict[str, Any], kind: str, identifier: str
) -> dict[str, Any]:
    to, cc = recipients(shared)
    return {
        "@context": ACTIVITY_CONTEXT,
        "id": identifier,
        "type": kind,
        "actor": shared.author,
        "to": to,
        "cc": cc,
        "audience": shared.forum,
        "published": moment(shared.updated or shared.published),
        "object": document,
    }
