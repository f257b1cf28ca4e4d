# SPDX-License-Identifier: Apache-2.0
"""Where a thing of ours is found: wire ids, which never change, and pages."""

import re

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

    def context(self, identifier: int) -> str:
        return f"{self.origin}/p/{identifier}/context"

    @property
    def shared_inbox(self) -> str:
        return f"{self.origin}/inbox"
