# SPDX-License-Identifier: Apache-2.0
"""A page as its reader finds it: elements, words and fields."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib
import httpx


class Page:
    """The parsed HTML of an answer."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.root: Element = html5lib.parse(response.text, namespaceHTMLElements=False)
        self._parents = {child: parent for parent in self.root.iter() for child in parent}

    def all(self, tag: str = "*", **attributes: str) -> list[Element]:
        """Elements with these attributes; `class_` for class, `data_x` for data-x."""
        wanted = {name.rstrip("_").replace("_", "-"): v for name, v in attributes.items()}
        return [
            element
            for element in self.root.iter(None if tag == "*" else tag)
            if isinstance(element.tag, str) and all(_has(element, *pair) for pair in wanted.items())
        ]

    def one(self, tag: str = "*", **attributes: str) -> Element:
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def article(self, post: int) -> Element:
        """The article of a post."""
        return self.one("article", id=f"p-{post}")

    def above(self, element: Element) -> Iterator[Element]:
        """Everything the element stands in, the nearest first."""
        while element in self._parents:
            element = self._parents[element]
            yield element

    def answers(self, post: int) -> list[int]:
        """Ids of the posts that stand under a post, at any depth."""
        item = next(e for e in self.above(self.article(post)) if e.tag == "li")
        articles = [e.get("id", "") for e in item.iter("article")]
        return [int(name.removeprefix("p-")) for name in articles if name != f"p-{post}"]

    def value(self, name: str) -> str:
        """What a field of the main part holds."""
        main = self.one("main")
        for element in main.iter():
            if element.get("name") == name and element.get("type") != "hidden":
                return (
                    "".join(element.itertext())
                    if element.tag == "textarea"
                    else element.get("value", "")
                )
        raise AssertionError(f"no field {name}")

    @property
    def main(self) -> str:
        """The words of the main part."""
        return words(self.one("main"))


def words(element: Element) -> str:
    """The text of an element, in one line."""
    return " ".join("".join(element.itertext()).split())


def _has(element: Element, name: str, value: str) -> bool:
    held = element.get(name)
    if name == "class":
        return value in (held or "").split()
    return held == value
