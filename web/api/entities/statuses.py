# SPDX-License-Identifier: Apache-2.0
"""Posts as Mastodon's statuses."""

import html
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from server import text
from server.events import times
from server.events.details import STATUSES
from server.instance import Instance
from server.polls.pages import ShownPoll
from server.rows import Forum, Kind, Member
from server.timelines.spans import boost_of
from server.timelines.statuses import Line, Status
from web.api.entities.accounts import Accounts, moment
from web.api.entities.filters import matched

Json = dict[str, Any]
_PICTURE = re.compile(r"<img\b[^>]*>")
_ATTRIBUTE = re.compile(r'\b(src|alt|title)="([^"]*)"')
_EMPTY = re.compile(r"<p>\s*</p>")
# What is read whole as a status; other kinds are a title, a few lines and a link.
_TALK = frozenset({Kind.THREAD, Kind.REPLY})
IN_SHORT = 500


class Statuses(Accounts):
    """Draws statuses as they are at one instance."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self._site = instance.settings

    def line(self, line: Line, status: Status) -> Json:
        """What stands at a place of a timeline: a post, or a forum's boost of it."""
        shown = self.status(status)
        return self._boost(status, shown) if line.boosted else shown

    def lines(self, found: Iterable[tuple[Line, Status]]) -> list[Json]:
        return [self.line(line, status) for line, status in found]

    def _boost(self, status: Status, shown: Json) -> Json:
        post, forum = status.post, status.forum
        return shown | {
            "id": str(boost_of(post.id)),
            "account": self.account(forum),
            "uri": f"{forum.uri}/announce/{post.id}",
            "reblog": shown,
            "media_attachments": [],
            "mentions": [],
            "card": None,
            "poll": None,
        }

    def status(self, status: Status) -> Json:
        """A post."""
        post = status.post
        body, pictures = self._body(status)
        answered = None if post.is_thread else post.parent_id or post.thread_id
        return {
            "id": str(post.id),
            "created_at": moment(post.published),
            "edited_at": moment(post.updated) if post.updated and post.revision else None,
            "in_reply_to_id": str(answered) if answered else None,
            "in_reply_to_account_id": str(status.answered.id) if status.answered else None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public" if status.forum.visibility == "public" else "private",
            "language": post.language or None,
            "uri": post.uri,
            "url": post.url,
            "replies_count": post.reply_count,
            "reblogs_count": 0,
            "favourites_count": post.endorsement_count,
            "quotes_count": 0,
            "favourited": status.endorsed,
            "reblogged": False,
            "muted": status.muted,
            "bookmarked": status.bookmarked,
            "pinned": post.pinned,
            "content": body,
            "reblog": None,
            "application": None,
            "account": self.account(status.author),
            "media_attachments": pictures,
            "mentions": [self.mention(one) for one in _named(status)],
            "tags": [self.tag(name) for name in status.tags],
            "emojis": [],
            "quote": None,
            "card": self._card(status),
            "poll": self._poll(status.poll) if status.poll is not None else None,
            "filtered": [matched(one) for one in status.filtered],
        }

    def _body(self, status: Status) -> tuple[str, list[Json]]:
        """The words, the title above them, and the pictures, which apps show by themselves."""
        post = status.post
        title = f"<p><strong>{html.escape(post.title)}</strong></p>" if post.title else ""
        if post.kind not in _TALK:
            dated = f"<p>{html.escape(when)}</p>" if (when := _when(status)) else ""
            words = html.escape(text.excerpt(post.html, IN_SHORT))
            link = f'<p><a href="{html.escape(post.url)}">{html.escape(post.url)}</a></p>'
            return f"{title}{dated}<p>{words}</p>{link}", []
        pictures = [
            self._picture(post.id, number, found[0])
            for number, found in enumerate(_PICTURE.finditer(post.html))
        ]
        return title + _EMPTY.sub("", _PICTURE.sub("", post.html)).strip(), pictures

    def _picture(self, post: int, number: int, tag: str) -> Json:
        found = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}
        url = found.get("src", "")
        shown = self.picture(url)
        return {
            "id": f"{post}{number:02d}",
            "type": "image",
            "url": shown,
            "preview_url": shown,
            "remote_url": None if shown == url else url,
            "preview_remote_url": None,
            "text_url": None,
            "meta": {},
            "description": found.get("alt") or None,
            "blurhash": None,
        }

    def _card(self, status: Status) -> Json | None:
        post = status.post
        if post.kind in _TALK:
            return None
        agency = status.forum.agency or self._site.agency_name
        return {
            "url": post.url,
            "title": post.title,
            "description": "\n".join(filter(None, (_when(status), text.excerpt(post.html)))),
            "language": post.language,
            "type": "link",
            "author_name": status.author.name,
            "author_url": status.author.url,
            "authors": [],
            "provider_name": agency,
            "provider_url": status.forum.url,
            "html": "",
            "width": 0,
            "height": 0,
            "image": None,
            "image_description": "",
            "embed_url": "",
            "blurhash": None,
            "published_at": moment(post.published),
        }

    def _poll(self, poll: ShownPoll) -> Json:
        """A poll, its counts where the viewer may know them."""
        now = self.instance.clock.now()
        counted = poll.may_be_counted(now)
        return {
            "id": str(poll.post),
            "expires_at": moment(poll.ends),
            "expired": poll.has_ended(now),
            "multiple": poll.multiple,
            "votes_count": poll.votes,
            "voters_count": poll.voters,
            "voted": bool(poll.own),
            "own_votes": list(poll.own),
            "options": [
                {"title": one.title, "votes_count": one.votes if counted else None}
                for one in poll.choices
            ],
            "emojis": [],
        }

    def tag(self, name: str, *, followed: bool = False) -> Json:
        """A tag; how often it was used on each day is not counted."""
        url = f"{self.origin}/tags/{quote(name)}"
        return {"name": name, "url": url, "history": [], "following": followed}

    def forum_as_list(self, forum: Forum) -> Json:
        """A followed forum as a list of its threads."""
        return {
            "id": str(forum.id),
            "title": forum.title,
            "replies_policy": "none",
            "exclusive": False,
        }


def _when(status: Status) -> str:
    """When and where an event is, in its own time, and whether it is; "" for other posts."""
    event = status.event
    if event is None:
        return ""
    dated = times.in_words(event.starts, event.ends, event.zone, all_day=event.all_day)
    said = f"{dated}, {event.place}" if event.place else dated
    doubt = "" if event.status == "confirmed" else STATUSES.get(event.status, "")
    return f"{doubt}: {said}" if doubt else said


def _named(status: Status) -> list[Member]:
    """Whom the text names, and whom it answers."""
    found = {member.id: member for member in status.mentions}
    if status.answered is not None:
        found.setdefault(status.answered.id, status.answered)
    return list(found.values())
