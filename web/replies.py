# SPDX-License-Identifier: Apache-2.0
"""Replies as the page of a thread writes them, from forms written once."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from server.posts.pages import Node
from web.people import Drawn

Row = tuple[Node, Markup | None, list[Node]]

_SLOTS = (
    "id", "uri", "handle", "face", "byline", "when", "language", "html", "name", "url", "place",
    "times", "count",
)  # fmt: skip
_FORMS, _HELD = "guildhall_forms", "guildhall_replies"
# Articles by all that they show, so that none is ever out of date; the oldest make room. Longer
# ones (in characters) are written each time.
MOST_HELD, LARGEST_HELD = 4_096, 8_192


class Kind(NamedTuple):
    """What decides the form of a reply; counts are 0, 1, or 2 for more."""

    edits: int
    endorsements: int
    is_foreign: bool
    is_ours: bool


class Shown(NamedTuple):
    """All that an article shows, and so what it is held by."""

    number: int
    uri: str
    url: str
    edits: int
    endorsements: int
    language: str
    html: str
    when: str
    author: Drawn


@pass_context
def replies(context: Context, nodes: Iterable[Node], plain: bool) -> list[Row]:
    """(node, its article or None where the template writes that, its answers), in order.

    `plain` for a viewer who can do nothing with a reply: then the live ones come as articles.
    """
    if not plain:
        return [(node, None, node.children) for node in nodes]
    environment = context.environment
    held: dict[Shown, Markup] = environment.globals.setdefault(_HELD, {})  # type: ignore[assignment]
    folded = context.get("announced") or {}
    stored, stamped = environment.filters["stored"], context["ages"].stamped
    drawn, origin = context["people"].drawn, context["site"].origin
    rows: list[Row] = []
    for node in nodes:
        post = node.entry.post
        if post.state != "live" or node.entry.unread or post.quoted_uri or post.id in folded:
            rows.append((node, None, node.children))
            continue
        html = stored(context, post.html) if "<img" in post.html else post.html
        shown = Shown(
            post.id,
            post.uri,
            post.url,
            post.revision,
            post.endorsement_count,
            post.language,
            html,
            stamped(post.published),
            drawn(node.entry.author),
        )
        article = held.get(shown)
        if article is None:
            article = held[shown] = _written(environment, origin, shown)
            if len(held) > MOST_HELD or len(article) > LARGEST_HELD:
                del held[shown if len(article) > LARGEST_HELD else next(iter(held))]
        rows.append((node, article, node.children))
    return rows


def _written(environment: Environment, origin: str, shown: Shown) -> Markup:
    """The article of a reply, from the form of its kind."""
    forms: dict[Kind | tuple[int, int, bool, bool], str] = environment.globals.setdefault(
        _FORMS, {}
    )  # type: ignore[assignment]
    is_ours, is_foreign = shown.uri.startswith(origin), shown.language != "en"
    kind = (min(shown.edits, 2), min(shown.endorsements, 2), is_foreign, is_ours)
    form = forms.get(kind)
    if form is None:
        form = forms[kind] = _form(environment, Kind(*kind))
    author = shown.author
    # As _SLOTS, each as it is to stand there.
    article = form.format(
        shown.number,
        escape(shown.uri),
        author.handle,
        author.face,
        author.byline,
        shown.when,
        escape(shown.language) if is_foreign else "",
        shown.html,
        author.name,
        "" if is_ours else escape(shown.url),
        author.place,
        shown.edits,
        shown.endorsements,
    )
    return Markup(article)  # noqa: S704 (escaped above)


def _form(environment: Environment, kind: Kind) -> str:
    """The article of a kind of reply, as a pattern for `str.format`."""
    module: Any = environment.get_template("parts/reply.html").module
    # No template holds the control characters that stand for the slots meanwhile.
    marks = {slot: Markup(f"\x01{n}\x02") for n, slot in enumerate(_SLOTS)}  # noqa: S704
    written = str(module.article(kind, **marks)).strip()
    written = written.replace("{", "{{").replace("}", "}}")
    return written.replace("\x01", "{").replace("\x02", "}")
