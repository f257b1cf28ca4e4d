# SPDX-License-Identifier: Apache-2.0
"""What the pages of a forum and a thread say."""

from dataclasses import dataclass

from web.demo.markup import Element, parse


@dataclass(frozen=True)
class SeenPost:
    """A post on a page: who wrote it, what it says, and what it stands under."""

    id: str
    uri: str
    state: str
    author: str
    body: str
    endorsements: int
    status: str
    status_text: str
    parent: str


@dataclass(frozen=True)
class Page:
    """An answer to a browser."""

    status: int
    path: str
    root: Element
    html: str

    @classmethod
    def read(cls, status: int, path: str, html: str) -> "Page":
        return cls(status, path, parse(html), html)

    @property
    def title(self) -> str:
        """The heading of the page."""
        return next((heading.text for heading in self.root.find("h1")), "")

    @property
    def words(self) -> str:
        """Everything the page says, in one line."""
        return self.root.text

    @property
    def threads(self) -> dict[str, str]:
        """The threads a forum page lists: address of the post -> path of our page of it."""
        found = {}
        for line in self.root.find("li"):
            links = [link.get("href") for link in line.find("a") if link.get("href")]
            paths = [link for link in links if link.startswith("/p/")]
            if line.get("data-thread") and paths:
                found[line.get("data-thread")] = paths[0]
        return found

    @property
    def follow(self) -> str:
        """How the reader follows the forum of this page."""
        found = self.root.with_attribute("data-follow")
        return found[0].get("data-follow") if found else ""

    @property
    def copy(self) -> tuple[str, str]:
        """(state, words) about our copy of the forum of this page."""
        found = self.root.with_attribute("data-copy")
        return (found[0].get("data-copy"), found[0].text) if found else ("", "")

    @property
    def posts(self) -> dict[str, SeenPost]:
        """The posts of a thread page, by address."""
        return {
            article.get("data-post"): _seen(article)
            for article in self.root.find("article")
            if article.get("data-post")
        }

    def links(self, beginning: str) -> list[str]:
        """The links that begin so, each once."""
        found = [link.get("href") for link in self.root.find("a")]
        return list(dict.fromkeys(link for link in found if link.startswith(beginning)))


def _own(article: Element) -> list[Element]:
    """The elements of a post, without those of posts nested in it."""
    found = []
    waiting = article.elements[::-1]
    while waiting:
        element = waiting.pop()
        if element.tag == "article":
            continue
        found.append(element)
        waiting.extend(element.elements[::-1])
    return found


def _seen(article: Element) -> SeenPost:
    own = _own(article)
    body = [element.text for element in own if element.has_class("body")]
    counts = [element for element in own if element.has_class("endorsements")]
    notes = [element for element in own if "data-status" in element.attributes]
    count = counts[0].get("value") if counts else ""
    return SeenPost(
        id=article.get("id").removeprefix("p-"),
        uri=article.get("data-post"),
        state=article.get("data-state"),
        author=article.get("data-author"),
        body=" ".join(body),
        endorsements=int(count) if count.isdecimal() else 0,
        status=notes[0].get("data-status") if notes else "",
        status_text=notes[0].text if notes else "",
        parent=_parent(article),
    )


def _parent(article: Element) -> str:
    """The address of the post this one stands under; empty at the top."""
    for above in list(article.ancestors):
        if above.tag == "article" and above.get("data-post"):
            return above.get("data-post")
        if above is article.parent:
            continue
        for beside in above.elements:
            if beside.tag == "article" and beside.get("data-post"):
                return beside.get("data-post")
    return ""
