# SPDX-License-Identifier: Apache-2.0
"""What an app may be allowed, in Mastodon's words and in plain ones."""

from collections.abc import Iterable

_READ = (
    "accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists", "mutes",
    "notifications", "search", "statuses",
)  # fmt: skip
_WRITE = (
    "accounts", "blocks", "bookmarks", "conversations", "favourites", "filters", "follows",
    "lists", "media", "mutes", "notifications", "reports", "statuses",
)  # fmt: skip
# `follow` is the old name of all that concerns relations.
_FOLLOW = ("follows", "blocks", "mutes")
KNOWN = (
    "read", *(f"read:{part}" for part in _READ), "write", *(f"write:{part}" for part in _WRITE),
    "follow", "push", "profile",
)  # fmt: skip
DEFAULT = "read"
_IN_WORDS = (
    ("read", "read your forums, lists, bookmarks and notifications"),
    ("write", "post, reply, endorse and change things as you"),
    ("follow", "follow and leave forums for you"),
    ("push", "be told at once when you have a notification"),
)


def parse(words: str) -> tuple[str, ...] | None:
    """The scopes of a request, each once, in the order of KNOWN; None if one is unknown."""
    asked = set(words.replace("+", " ").split()) or {DEFAULT}
    if not asked <= set(KNOWN):
        return None
    return tuple(scope for scope in KNOWN if scope in asked)


def covers(held: Iterable[str], scope: str) -> bool:
    """Whether whoever holds these scopes may do what asks for `scope`."""
    held = frozenset(held)
    if scope in held:
        return True
    part, _, about = scope.partition(":")
    if not about:
        # All of it is more than any part of it; who somebody is, is part of reading.
        return scope == "profile" and bool({"read", "read:accounts"} & held)
    return part in held or (about in _FOLLOW and "follow" in held)


def all_covered(held: Iterable[str], asked: Iterable[str]) -> bool:
    """Whether an app registered for `held` may ask for these."""
    held = frozenset(held)
    return all(covers(held, scope) for scope in asked)


def in_words(scopes: Iterable[str]) -> list[str]:
    """What these scopes let an app do, as the ends of a sentence that begins with its name."""
    parts = {scope.partition(":")[0] for scope in scopes}
    if "follow" in parts and "write" in parts:
        parts.discard("follow")
    found = [words for part, words in _IN_WORDS if part in parts]
    return found or ["learn your name and picture"]
