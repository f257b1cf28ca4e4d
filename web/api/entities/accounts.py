# SPDX-License-Identifier: Apache-2.0
"""People and forums as Mastodon's accounts."""

import html
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from server.ids import moment_of
from server.instance import Instance
from server.remote_pictures import Pictures
from server.rows import FollowState, Forum, Member, Mute, MuteKind
from server.timelines.people import Person
from web.templates import static, where

Json = dict[str, Any]


def moment(when: datetime) -> str:
    """`2026-11-27T21:58:26.000Z`."""
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


class Accounts:
    """Draws accounts as they are at one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.origin = instance.settings.origin
        self._media = instance.settings.media_origin or self.origin
        self.pictures = Pictures(instance.vault, self.origin, self._media)

    def media(self, sha256: str) -> str:
        """The address of a file of ours."""
        return self.pictures.own(sha256)

    def picture(self, url: str) -> str:
        """Our own address of a picture, wherever it is."""
        if url.startswith((f"{self.origin}/media/", f"{self._media}/media/")):
            return url
        return self.pictures.address(url) or self.origin + static("face.png")

    def account(self, thing: Member | Forum | Person) -> Json:
        """A person or a forum."""
        if isinstance(thing, Forum):
            return self._forum(thing)
        return self._person(thing if isinstance(thing, Person) else Person(thing))

    def _person(self, person: Person) -> Json:
        member = person.member
        avatar = self.origin + static("face.png")
        if member.avatar_file:
            avatar = self.media(member.avatar_file)
        elif member.avatar_url:
            avatar = self.picture(member.avatar_url)
        agency = member.agency or self.instance.settings.agency_name
        fields = [("Role", member.role_title), ("Agency", agency)]
        return self._drawn(member, avatar) | {
            "display_name": member.name or member.handle,
            "note": member.bio_html or "",
            "statuses_count": person.posts,
            "following_count": person.following,
            "indexable": member.indexable,
            "fields": [
                {"name": name, "value": html.escape(value), "verified_at": None}
                for name, value in fields
                if value
            ],
        }

    def _forum(self, forum: Forum) -> Json:
        agency = forum.agency or self.instance.settings.agency_name
        return self._drawn(forum, self.origin + static("forum.png")) | {
            "display_name": forum.title or forum.handle,
            "note": forum.description_html or "",
            "group": True,
            "followers_count": forum.follower_count,
            "statuses_count": forum.thread_count,
            "last_status_at": forum.bumped.date().isoformat() if forum.bumped else None,
            "fields": [{"name": "Agency", "value": html.escape(agency), "verified_at": None}],
        }

    def _drawn(self, thing: Member | Forum, avatar: str) -> Json:
        """What people and forums share."""
        header = self.origin + static("header.png")
        return {
            "id": str(thing.id),
            "username": thing.handle,
            "acct": where(thing),
            "locked": False,
            "bot": False,
            "group": False,
            "discoverable": True,
            "indexable": True,
            "noindex": False,
            "hide_collections": True,
            "moved": None,
            "suspended": False,
            "limited": False,
            "created_at": moment(_born(thing)),
            "url": thing.url,
            "uri": thing.uri,
            "avatar": avatar,
            "avatar_static": avatar,
            "header": header,
            "header_static": header,
            "followers_count": 0,
            "following_count": 0,
            "statuses_count": 0,
            "last_status_at": None,
            "emojis": [],
            "roles": [],
            "fields": [],
        }

    def own(self, person: Person) -> Json:
        """A member as they see themselves: with what they wrote, before it was drawn."""
        member = person.member
        shown = self.account(person)
        source = {
            "privacy": "public",
            "sensitive": False,
            "language": self.instance.settings.language,
            "note": member.bio_source,
            "fields": [{"name": "Role", "value": member.role_title, "verified_at": None}],
            "follow_requests_count": 0,
            "hide_collections": True,
            "discoverable": True,
            "indexable": member.indexable,
        }
        return shown | {"source": source, "role": _role(member)}

    def mention(self, member: Member) -> Json:
        """Somebody whom a text names."""
        return {
            "id": str(member.id),
            "username": member.handle,
            "acct": where(member),
            "url": member.url,
        }


def _born(thing: Member | Forum) -> datetime:
    """When somebody came here; never unknown, since phones crash on that."""
    return (thing.created or moment_of(thing.id)).replace(hour=0, minute=0, second=0, microsecond=0)


def _role(member: Member) -> Json:
    name = "Administrator" if member.is_admin else ""
    return {
        "id": "1" if member.is_admin else "-99",
        "name": name,
        "color": "",
        "permissions": "0",
        "highlighted": member.is_admin,
    }


def relationship(identifier: int, follow: str | None = None, away: Iterable[Mute] = ()) -> Json:
    """What the member is to an account; `follow` is the state of their follow of a forum.

    `away` is how they keep a person away.
    """
    held = {one.kind: one for one in away}
    muted = held.get(MuteKind.MUTE)
    following = follow == FollowState.ACCEPTED
    return {
        "id": str(identifier),
        "following": following,
        "showing_reblogs": following,
        "notifying": False,
        "languages": [],
        "followed_by": False,
        "blocking": MuteKind.BLOCK in held,
        "blocked_by": False,
        "muting": muted is not None,
        "muting_notifications": muted is not None and muted.notices,
        "muting_expires_at": moment(muted.until) if muted is not None and muted.until else None,
        "requested": follow == FollowState.PENDING,
        "requested_by": False,
        "domain_blocking": False,
        "endorsed": False,
        "note": "",
    }
