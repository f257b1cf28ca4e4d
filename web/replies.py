# SPDX-License-Identifier: Apache-2.0
"""Replies as the page of a thread writes them, from forms written once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from server.posts.pages import Entry, Node
from web.people import Drawn

_SLOTS = (
    "id", "uri", "handle", "face", "byline", "when", "language", "html", "name", "url", "place",
    "times", "count", "person", "csrf", "on", "next",
)  # fmt: skip
_FORMS, _HELD, _DEEDS = "guildhall_forms", "guildhall_replies", "guildhall_deeds"
# Articles by all that they show, so that none is ever out of date; the oldest make room. Longer
# ones (in characters) are written each time.
MOST_HELD, LARGEST_HELD = 4_096, 8_192


class Kind(NamedTuple):
    """What decides the form of a reply; counts are 0, 1, or 2 for more."""

    edits: int
    endorsements: int
    is_foreign: bool
    is_ours: bool
    is_signed_in: bool = False
    may_endorse: bool = False
    may_reply: bool = False
    may_remove: bool = False
    is_endorsed: bool = False
    is_deep: bool = False
    is_unread: bool = False
    has_next: bool = False


class Shown(NamedTuple):
    """All that an article shows to everybody, and so what it is held by."""

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
def deeds(context: Context, opener: Entry) -> Markup:
    """What can be done with an opener; for visitors held by all that it shows them."""
    if context["me"] is not None:
        return Markup(_macros(context).actions(opener))  # noqa: S704 (a macro's)
    post, author = opener.post, opener.author
    is_ours = post.uri.startswith(context["site"].origin)
    shown = (
        *(
            is_ours,
            post.id,
            post.slug,
            post.uri,
            post.url,
            post.state,
            context["page"].opener.post.kind,
        ),
        *(post.revision, post.endorsement_count, author.name, author.agency, author.peer),
    )
    held: dict[object, Markup] = context.environment.globals.setdefault(_DEEDS, {})  # type: ignore[assignment]
    written = held.get(shown)
    if written is None:
        written = held[shown] = Markup(_macros(context).actions(opener))  # noqa: S704 (a macro's)
        if len(held) > MOST_HELD:
            del held[next(iter(held))]
    return written


def _macros(context: Context) -> Any:
    """The macros of a post, among what this page shows: made only where they are needed."""
    template = context.environment.get_template("parts/post.html")
    return template.make_module(context.get_all(), shared=True)


@pass_context
def branches(context: Context, nodes: Sequence[Node]) -> Markup:
    """A list of replies, each with the list of its answers."""
    writing = _Writing(context)
    parts: list[str] = []
    writing.put(nodes, parts)
    return Markup("".join(parts))  # noqa: S704 (our own, and articles)


class _Writing:
    """What is the same for all replies of a page."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._environment = environment = context.environment
        page, me = context["page"], context["me"]
        self._is_branch = bool(page.focus)
        self._may_endorse, self._may_reply = context["may_endorse"], page.may_reply
        self._is_signed_in = me is not None
        # Then what a reply shows is the same for all who look.
        self._is_plain = not (me or self._may_endorse or self._may_reply)
        self._me = me.id if me else None
        self._on = escape(context["on"])
        # Whoever is signed in is given a form with each reply.
        self._csrf = escape(context["csrf"]) if me else ""
        self._deepest, self._sizes = context["deepest"], context["sizes"]
        self._folded = context.get("announced") or {}
        self._stored, self._plural = environment.filters["stored"], environment.filters["plural"]
        self._path = environment.filters["path"]
        self._stamped, self._drawn = context["ages"].stamped, context["people"].drawn
        self._origin: str = context["site"].origin
        # For what has no form; most pages show nothing of that kind.
        self._macros: Any = None
        self._held: dict[Shown, Markup] = environment.globals.setdefault(_HELD, {})  # type: ignore[assignment]

    def put(self, nodes: Sequence[Node], parts: list[str]) -> None:
        parts.append('<ul class="replies">\n')
        for node in nodes:
            parts.append("<li>\n")
            parts.append(self._written(node))
            if node.children and node.depth == 1 and not self._is_branch:
                count = self._plural(self._sizes[node.entry.post.id], "answer")
                parts.append(f'<details class="branch" open><summary>{count}</summary>\n')
                self.put(node.children, parts)
                parts.append("</details>\n")
            elif node.children:
                self.put(node.children, parts)
            if node.more:
                path = escape(self._path(node.entry.post))
                count = self._plural(node.more, "more reply", "more replies")
                parts.append(f'<a class="go-on" href="{path}">Continue this branch ({count})</a>')
            parts.append("</li>\n")
        parts.append("</ul>\n")

    def _written(self, node: Node) -> str:
        entry = node.entry
        post = entry.post
        if (
            post.state != "live"
            or post.quoted_uri
            or entry.muted
            or entry.filtered
            or post.author_id == self._me
            or post.id in self._folded
        ):
            if self._macros is None:
                self._macros = _macros(self._context)
            return str(self._macros.article(node))
        html = self._stored(self._context, post.html) if "<img" in post.html else post.html
        shown = Shown(
            post.id,
            post.uri,
            post.url,
            post.revision,
            post.endorsement_count,
            post.language,
            html,
            self._stamped(post.published),
            self._drawn(entry.author),
        )
        if not self._is_plain or entry.unread or entry.may_remove:
            return self._for_one(node, shown)
        article = self._held.get(shown)
        if article is None:
            article = self._held[shown] = self._filled(shown, self._kind(shown))
            if len(self._held) > MOST_HELD or len(article) > LARGEST_HELD:
                gone = shown if len(article) > LARGEST_HELD else next(iter(self._held))
                del self._held[gone]
        return article

    def _kind(self, shown: Shown) -> Kind:
        return Kind(
            min(shown.edits, 2),
            min(shown.endorsements, 2),
            shown.language != "en",
            shown.uri.startswith(self._origin),
        )

    def _for_one(self, node: Node, shown: Shown) -> str:
        """The article with what this viewer may do."""
        entry: Entry = node.entry
        kind = Kind(
            min(shown.edits, 2),
            min(shown.endorsements, 2),
            shown.language != "en",
            shown.uri.startswith(self._origin),
            self._is_signed_in,
            self._may_endorse,
            self._may_reply,
            entry.may_remove,
            entry.endorsed,
            node.depth >= self._deepest,
            entry.unread,
            node.next_unread is not None,
        )
        own = (shown.author.path, self._csrf, self._on, node.next_unread)
        return self._filled(shown, kind, *own)

    def _filled(self, shown: Shown, kind: Kind, *own: Any) -> Markup:
        """The article of a reply, from the form of its kind; `own` are the slots from `person`."""
        forms: dict[Kind, str] = self._environment.globals.setdefault(_FORMS, {})  # type: ignore[assignment]
        form = forms.get(kind)
        if form is None:
            form = forms[kind] = _form(self._environment, kind)
        author = shown.author
        # As _SLOTS, each as it is to stand there.
        article = form.format(
            shown.number,
            escape(shown.uri),
            author.handle,
            author.face,
            author.byline,
            shown.when,
            escape(shown.language) if kind.is_foreign else "",
            shown.html,
            author.name,
            "" if kind.is_ours else escape(shown.url),
            author.place,
            shown.edits,
            shown.endorsements,
            *own,
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
