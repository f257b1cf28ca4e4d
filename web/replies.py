# SPDX-License-Identifier: Apache-2.0
"""Replies as the page of a thread writes them, one flat row for each."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from server.posts.pages import Entry, Node
from server.shown import ShownPost


class Reply(NamedTuple):
    """What the template unpacks: a name costs it less than an attribute, and there are many."""

    node: Node
    entry: Entry
    post: ShownPost
    id: int
    uri: str
    state: str
    unread: bool
    revision: int
    language: str
    endorsements: int
    name: str
    handle: str
    face: Markup
    byline: Markup
    address: str
    when: Markup
    html: Markup
    is_ours: bool
    children: list[Node]


@pass_context
def replies(context: Context, nodes: Iterable[Node]) -> list[Reply]:
    """The rows of these nodes; those of their answers are made when they are come to."""
    filters = context.environment.filters
    stored, when, where, path = (filters[name] for name in ("stored", "when", "where", "path"))
    people, origin = context["people"], context["site"].origin
    rows: list[Any] = []
    for node in nodes:
        entry = node.entry
        post, author = entry.post, entry.author
        rows.append(
            (
                node, entry, post, post.id, post.uri, post.state, entry.unread, post.revision,
                post.language, post.endorsement_count, author.name, where(author),
                people.face(author), people.byline(author), path(post),
                when(context, post.published), stored(context, post.html),
                post.uri.startswith(origin), node.children,
            )
        )  # fmt: skip
    return rows
