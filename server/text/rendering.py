# SPDX-License-Identifier: Apache-2.0
"""Markdown to safe HTML, with links for addresses and handles."""

import html
import re
import threading
from collections.abc import Mapping
from types import MappingProxyType

from bleach.linkifier import Linker

from server.text.conversion import MAX_SOURCE, converted, pieces
from server.text.markup import opening, unescape
from server.text.names import mentioned
from server.text.sanitiser import sanitise

# Links made of bare addresses and handles in one text.
MAX_MADE_LINKS = 300

_NO_LINKS: Mapping[str, str] = MappingProxyType({})
_URL = re.compile(r"\bhttps?://\w[^\s<>\"{}|\\^`\[\]]{0,2000}", re.IGNORECASE)


class _Linkers(threading.local):
    """A linker for each thread: its parser keeps state."""

    def __init__(self) -> None:
        self.linker = Linker(callbacks=[], url_re=_URL)


_LINKERS = _Linkers()


class _Linking:
    """Makes links in the texts of one rendered source, at most MAX_MADE_LINKS."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links
        self._left = MAX_MADE_LINKS

    def linked(self, text: str) -> str:
        """HTML of a plain text with its known handles and bare addresses as links."""
        out: list[str] = []
        done = 0
        for mention in mentioned(text) if self._links and "@" in text else ():
            href = self._links.get(mention.handle)
            if href is None or self._left <= 0:
                continue
            self._left -= 1
            out.append(self._addresses(text[done : mention.start]))
            link = opening("a", {"href": href, "class": "u-url mention"})
            out.append(f'<span class="h-card">{link}@{html.escape(mention.name)}</a></span>')
            done = mention.end
        out.append(self._addresses(text[done:]))
        return "".join(out)

    def _addresses(self, text: str) -> str:
        escaped = html.escape(text, quote=False)
        found = len(_URL.findall(text)) if "://" in text else 0
        if not found or found > self._left:
            return escaped
        self._left -= found
        return _LINKERS.linker.linkify(escaped)


def render(source: str, *, links: Mapping[str, str] = _NO_LINKS) -> str:
    """Sanitised HTML of a Markdown source; raw HTML in it is shown as text.

    `links` holds the profile address of each handle to link ("ana", "ana@city.example"); other
    handles stay text. Raises ValueError over MAX_SOURCE characters.
    """
    if len(source) > MAX_SOURCE:
        raise ValueError(f"A text can have at most {MAX_SOURCE:,} characters.")
    linking = _Linking(links)
    return sanitise(
        "".join(
            linking.linked(unescape(piece)) if free else piece
            for piece, free in pieces(converted(source))
        )
    )
