# SPDX-License-Identifier: Apache-2.0
"""What an app can listen to, and which posts belong there."""

from dataclasses import dataclass

from server.timelines.news import Place
from web.api.calls import as_id

USER, NOTICES, DIRECT = "user", "user:notification", "direct"
PUBLIC = {"public": None, "public:local": True, "public:remote": False}
LIST, TAG, LOCAL_TAG = "list", "hashtag", "hashtag:local"
NAMES = frozenset({USER, NOTICES, DIRECT, *PUBLIC, LIST, TAG, LOCAL_TAG})
SCOPES = {USER: "read:statuses", NOTICES: "read:notifications", LIST: "read:lists"}


@dataclass(frozen=True)
class Channel:
    """One thing to listen to; `forum` for a list, `tag` for a hashtag."""

    name: str
    forum: int = 0
    tag: str = ""

    @classmethod
    def read(cls, name: str, list_id: str = "", tag: str = "") -> "Channel | None":
        """The channel of a name and its parameter; None for one there is not."""
        name = name.removesuffix(":media") if name.startswith("public") else name
        if name not in NAMES:
            return None
        if name == LIST:
            forum = as_id(list_id)
            return cls(name, forum=forum) if forum else None
        if name in {TAG, LOCAL_TAG}:
            tag = tag.lower().lstrip("#")[:64]
            return cls(name, tag=tag) if tag else None
        return cls(name)

    @property
    def scope(self) -> str:
        """What a token must reach to listen."""
        return SCOPES.get(self.name, "read:statuses")

    @property
    def names(self) -> list[str]:
        """The channel as an app names it."""
        if self.forum:
            return [self.name, str(self.forum)]
        return [self.name, self.tag] if self.tag else [self.name]

    def takes(self, post: int, place: Place, tags: tuple[str, ...], *, home: bool) -> bool:
        """Whether a post is told here; `home` where it is in the member's home timeline."""
        if self.name == USER:
            return home
        is_thread = post == place.thread
        if self.name in PUBLIC:
            local = PUBLIC[self.name]
            fits = local is None or local is place.is_local
            return is_thread and place.is_public and fits
        if self.name == LIST:
            return is_thread and place.forum == self.forum
        if self.name in {TAG, LOCAL_TAG}:
            return is_thread and self.tag in tags and (self.name == TAG or place.is_local)
        return False

    @property
    def boosts(self) -> bool:
        """Whether threads come as their forum's boosts, as in the timeline of this name."""
        return self.name in {USER, LIST}
