# SPDX-License-Identifier: Apache-2.0
"""Where a thing of ours is found: wire ids, which never change, and pages."""

import re

from server import text

HANDLE = re.compile(r"[a-z0-9_]{1,30}\Z")
RESERVED = frozenset(
    {
        "about",
        "admin",
        "all",
        "api",
        "everyone",
        "guildhall",
        "help",
        "inbox",
        "instance",
        "me",
        "media",
        "moderator",
        "new",
        "root",
        "search",
        "settings",
        "static",
        "system",
    }
)


# What stands after `/p/<id>/` besides the words of a title.
PARTS_OF_A_POST = frozenset(
    {
        "adapt",
        "by-mail",
        "call-off",
        "certificate",
        "check",
        "confirm",
        "context",
        "delete",
        "discussion",
        "distil",
        "drop",
        "edit",
        "endorse",
        "event",
        "events",
        "guests",
        "history",
        "keep",
        "join",
        "leave",
        "likes",
        "lock",
        "materials",
        "pin",
        "place",
        "print",
        "quotes",
        "replies",
        "reply",
        "report",
        "review",
        "revise",
        "shut-out",
        "unlock",
        "unpin",
        "versions",
        "withdraw",
    }
)


class Addresses:
    """Builds the addresses of one origin (`https://host[:port]`, no slash)."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def member(self, handle: str) -> str:
        return f"{self.origin}/u/{handle}"

    def forum(self, handle: str) -> str:
        return f"{self.origin}/f/{handle}"

    def post(self, identifier: int) -> str:
        return f"{self.origin}/p/{identifier}"

    def page(self, identifier: int, slug: str) -> str:
        return f"{self.origin}/p/{identifier}/{slug}" if slug else f"{self.origin}/p/{identifier}"

    @staticmethod
    def slug(title: str) -> str:
        """The words of a title for its page's address, never those of a part of the page."""
        words = text.slug(title)
        return f"{words}-thread" if words in PARTS_OF_A_POST else words

    def context(self, identifier: int) -> str:
        return f"{self.origin}/p/{identifier}/context"

    @property
    def shared_inbox(self) -> str:
        return f"{self.origin}/inbox"
