# SPDX-License-Identifier: Apache-2.0
"""Replies as the page of a thread writes them, from forms written once."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from server.posts.pages import Node

Row = tuple[Node, Markup | None, list[Node]]

_SLOTS = (
    "id", "uri", "handle", "face", "byline", "when", "language", "html", "name", "url", "place",
    "times", "count",
)  # fmt: skip
_FORMS = "guildhall_forms"


class Kind(NamedTuple):
    """What decides the form of a reply; counts are 0, 1, or 2 for more."""

    edits: int
    endorsements: int
    is_foreign: bool
    is_ours: bool


@pass_context
def replies(context: Context, nodes: Iterable[Node], plain: bool) -> list[Row]:
    """(node, its article or None where the template writes that, its answers), in order.

    `plain` for a viewer who can do nothing with a reply: then the live ones come as articles.
    """
    if not plain:
        return [(node, None, node.children) for node in nodes]
    environment = context.environment
    forms: dict[Kind | tuple[int, int, bool, bool], str] = environment.globals.setdefault(
        _FORMS, {}
    )  # type: ignore[assignment]
    folded = context.get("announced") or {}
    stored, stamped = environment.filters["stored"], context["ages"].stamped
    drawn, origin = context["people"].drawn, context["site"].origin
    rows: list[Row] = []
    for node in nodes:
        post = node.entry.post
        if post.state != "live" or node.entry.unread or post.quoted_uri or post.id in folded:
            rows.append((node, None, node.children))
            continue
        edits, count, uri, html = post.revision, post.endorsement_count, post.uri, post.html
        is_ours, is_foreign = uri.startswith(origin), post.language != "en"
        kind = (min(edits, 2), min(count, 2), is_foreign, is_ours)
        form = forms.get(kind)
        if form is None:
            form = forms[kind] = _form(environment, Kind(*kind))
        face, byline, name, handle, place = drawn(node.entry.author)
        # As _SLOTS, each as it is to stand there.
        article = form.format(
            post.id,
            escape(uri),
            handle,
            face,
            byline,
            stamped(post.published),
            escape(post.language) if is_foreign else "",
            stored(context, html) if "<img" in html else html,
            name,
            "" if is_ours else escape(post.url),
            place,
            edits,
            count,
        )
        rows.append((node, Markup(article), node.children))  # noqa: S704 (escaped above)
    return rows


def _form(environment: Environment, kind: Kind) -> str:
    """The article of a kind of reply, as a pattern for `str.format`."""
    module: Any = environment.get_template("parts/reply.html").module
    # No template holds the control characters that stand for the slots meanwhile.
    marks = {slot: Markup(f"\x01{n}\x02") for n, slot in enumerate(_SLOTS)}  # noqa: S704
    written = str(module.article(kind, **marks)).strip()
    written = written.replace("{", "{{").replace("}", "}}")
    return written.replace("\x01", "{").replace("\x02", "}")
