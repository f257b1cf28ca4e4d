# SPDX-License-Identifier: Apache-2.0
"""A page as a reader finds it: elements, links and forms."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)


@dataclass(eq=False)
class Element:
    """A tag with what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: "Element | None" = None
    children: "list[Element | str]" = field(default_factory=list)

    def get(self, name: str) -> str:
        """An attribute; empty when it is not there."""
        return self.attributes.get(name, "")

    def has_class(self, name: str) -> bool:
        return name in self.get("class").split()

    @property
    def elements(self) -> "list[Element]":
        """The elements directly in it."""
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def ancestors(self) -> "Iterator[Element]":
        """What it is in, the nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def walk(self) -> "Iterator[Element]":
        """Every element in it, in reading order."""
        for child in self.elements:
            yield child
            yield from child.walk()

    def find(self, tag: str = "", /, **attributes: str) -> "list[Element]":
        """Elements of this tag with these attributes; `_` in a name stands for `-`."""
        wanted = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.walk()
            if tag in {"", element.tag}
            and all(
                element.has_class(value) if name == "class" else element.get(name) == value
                for name, value in wanted.items()
            )
        ]

    def with_attribute(self, name: str) -> "list[Element]":
        """Elements that carry an attribute, whatever it says."""
        return [element for element in self.walk() if name in element.attributes]

    @property
    def text(self) -> str:
        """All words in it, with single blanks."""
        return " ".join("".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in {"script", "style"}:
                yield from child._words()
                yield " "


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        element = Element(tag, values, self._open)
        self._open.children.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_endtag(self, tag: str) -> None:
        closing = self._open
        while closing.tag != tag and closing.parent is not None:
            closing = closing.parent
        if closing.parent is not None:
            self._open = closing.parent

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)


def parse(html: str) -> Element:
    """A document, or a piece of one, as elements."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


def fields(form: Element) -> dict[str, str]:
    """What a form would send as it stands, buttons left out."""
    found: dict[str, str] = {}
    for element in form.walk():
        name, kind = element.get("name"), element.get("type")
        if not name or kind in {"submit", "button", "file"}:
            continue
        if element.tag == "input" and (kind not in {"radio", "checkbox"} or _on(element)):
            found[name] = element.get("value")
        elif element.tag == "textarea":
            found[name] = "".join(element._words()).removeprefix("\n")
        elif element.tag == "select":
            options = element.find("option")
            chosen = [option for option in options if "selected" in option.attributes]
            for option in (chosen or options)[:1]:
                found[name] = option.get("value")
    return found


def _on(element: Element) -> bool:
    return "checked" in element.attributes
