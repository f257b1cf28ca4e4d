# SPDX-License-Identifier: Apache-2.0
"""The tags of a thread as hashtags, both ways."""

from collections.abc import Iterable
from urllib.parse import quote

from federation.vocabulary.posts import Post as WirePost
from server import text


def hashtags(uri: str, tags: Iterable[str]) -> list[dict[str, str]]:
    """The tags of a post with this id; each leads to the page of the tag at its origin."""
    origin = "/".join(uri.split("/")[:3])
    return [
        {"type": "Hashtag", "name": f"#{tag}", "href": f"{origin}/tags/{quote(tag)}"}
        for tag in tags
    ]


def hashtags_of(post: WirePost) -> tuple[str, ...]:
    """The hashtags of a post of any peer that can be tags here, ten at most."""
    found: list[str] = []
    for tag in post.tags:
        if tag.kind != "hashtag":
            continue
        try:
            found.extend(text.clean_tags(tag.name.lstrip("#")))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))[:10]
