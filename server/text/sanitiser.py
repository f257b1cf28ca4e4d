# SPDX-License-Identifier: Apache-2.0
"""The one gate every piece of HTML passes."""

import html
import re

import nh3

from server.text.hosts import hidden_host
from server.text.markup import VOID, attributes, opening, tokens

MAX_HTML = 200_000
MAX_DEPTH = 60
MAX_TAGS = 20_000
REL = "nofollow noopener ugc"

_TAGS = frozenset(
    {
        *("p", "br", "hr", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6"),
        *("table", "thead", "tbody", "tr", "th", "td"),
        *("a", "b", "code", "del", "em", "i", "img", "s", "span", "strong", "sub", "sup", "u"),
    }
)
# The page owns the first two levels; del, and not the obsolete strike, marks what is gone.
_RENAMED = {"h1": "h3", "h2": "h3", "strike": "s"}
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
}
_CLASSES = {"mention", "u-url", "h-card", "hashtag", "invisible", "ellipsis"}
_ALIGN = {"align": {"left", "center", "right"}}
_READ = {name: values | {"class"} for name, values in (_ATTRIBUTES | {"span": set()}).items()} | {
    "th": {"align"},
    "td": {"align"},
}
# What ends an open paragraph (HTML Living Standard 4.4.1).
_BLOCKS = frozenset(
    {"p", "blockquote", "ul", "ol", "li", "pre", "h3", "h4", "h5", "h6", "table", "hr"}
)
# What ends an open element without its closing tag: which ones, and what keeps them open.
_NONE = frozenset[str]()
_TABLE = frozenset({"table"})
_CELLS = frozenset({"td", "th"})
_SECTIONS = frozenset({"thead", "tbody"})
_ROWS = _CELLS | {"tr"}
_HEADINGS = frozenset({"h3", "h4", "h5", "h6"})
_ENDS = {
    "a": (frozenset({"a"}), _NONE),
    "li": (frozenset({"li"}), frozenset({"ul", "ol"})),
    **dict.fromkeys(_HEADINGS, (_HEADINGS, _NONE)),
    **dict.fromkeys(_CELLS, (_CELLS, _TABLE)),
    "tr": (_ROWS, _TABLE),
    **dict.fromkeys(_SECTIONS, (_ROWS | _SECTIONS, _TABLE)),
}
_TABLE_PARTS = _ROWS | _SECTIONS
# Blocks that are not kept, but set their text apart.
_APART = frozenset(
    {
        *("address", "article", "aside", "caption", "center", "dd", "details", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "header", "main", "nav", "option"),
        *("section", "summary"),
    }
)
_AFTER_BLOCKS = {form.format(name) for name in _BLOCKS | {"br"} for form in ("<{}>", "</{}>")}
_START = re.compile(r"[0-9]{1,6}", re.ASCII)
_WEB = re.compile(r"https?://", re.IGNORECASE | re.ASCII)


def _attribute(tag: str, name: str, value: str) -> str | None:
    """What stays of an attribute the table allows."""
    if tag == "img" and name == "src" and not _WEB.match(value):
        return None
    if tag == "ol" and not _START.fullmatch(value):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    tag_attribute_values={"th": _ALIGN, "td": _ALIGN},
    allowed_classes={"a": _CLASSES, "span": _CLASSES},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=REL,
)


class _Writer:
    """Writes balanced HTML of allowed tags, no deeper than MAX_DEPTH, whatever is read."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[str] = []
        self._tags = 0
        self._fresh_pre = False
        # How many open elements were when an invisible one was opened, from 1; 0 outside.
        self._invisible = 0
        self._link = ""
        self._link_text: list[str] = []

    def text(self, value: str) -> None:
        if self._fresh_pre:
            # A parser drops one line break here: with none left, parsing twice changes nothing.
            value = value.lstrip("\n")
        if not value:
            return
        self._fresh_pre = False
        if not self._invisible:
            self._link_text.append(value)
        self._out.append(html.escape(value, quote=False))

    def open(self, tag: str, raw: str) -> None:
        name = _RENAMED.get(tag, tag)
        if name in _APART:
            self._part()
        if name not in _TAGS or self._tags >= MAX_TAGS or self._misplaced(name):
            return
        self._end_for(name)
        if len(self._open) >= MAX_DEPTH:
            return
        self._tags += 1
        self._fresh_pre = name == "pre"
        read = _READ.get(name, set())
        values = {key: value for key, value in attributes(raw).items() if key in read}
        classes = _CLASSES.intersection(values.pop("class", "").split())
        if classes:
            values["class"] = " ".join(sorted(classes))
        self._out.append(opening(name, values))
        if name not in VOID:
            self._open.append(name)
            if "invisible" in classes and not self._invisible:
                self._invisible = len(self._open)
        if name == "a":
            self._link, self._link_text = values.get("href", ""), []

    def close(self, tag: str) -> None:
        name = _RENAMED.get(tag, tag)
        if name in _APART:
            self._part()
        if name not in self._open:
            return
        last = ""
        while last != name:
            if len(self._open) == self._invisible:
                self._invisible = 0
            last = self._open.pop()
            if last == "a" and (host := hidden_host(self._link, "".join(self._link_text))):
                self._out.append(html.escape(f" ({host})"))
            self._out.append(f"</{last}>")
        self._fresh_pre = False

    def _end_for(self, name: str) -> None:
        """Closes what the opening of an element ends."""
        if name in _BLOCKS:
            self.close("p")
        ended, kept_by = _ENDS.get(name, (_NONE, _NONE))
        left = len(self._open)
        for index in range(left - 1, -1, -1):
            if self._open[index] in kept_by:
                break
            if self._open[index] in ended:
                left = index
        while len(self._open) > left:
            self.close(self._open[-1])

    def _misplaced(self, name: str) -> bool:
        """Whether it is part of a table outside one, or inside one but in no cell."""
        for element in reversed(self._open):
            if element in _CELLS:
                return False
            if element == "table" or element in _TABLE_PARTS:
                return name not in _TABLE_PARTS
        return name in _TABLE_PARTS

    def _part(self) -> None:
        """A line break after a text, where a block that is not kept begins or ends."""
        if self._out and self._out[-1].strip() and self._out[-1] not in _AFTER_BLOCKS:
            self.open("br", "")

    def finish(self) -> str:
        for name in reversed(self._open.copy()):
            self.close(name)
        return "".join(self._out)


def sanitise(markup: str) -> str:
    """HTML from anyone, reduced to what a post may hold.

    Links keep http, https and mailto targets and say `rel`; where the text of a link names one
    host and its target another, the target's host is added. Headings begin at level three. What
    lies beyond MAX_HTML characters, MAX_TAGS tags or MAX_DEPTH levels loses its tags or is cut.
    """
    writer = _Writer()
    for token in tokens(markup[:MAX_HTML]):
        if token.kind == "text":
            writer.text(token.value)
        elif token.kind == "open":
            writer.open(token.name, token.value)
        else:
            writer.close(token.name)
    return _CLEANER.clean(writer.finish())
