# SPDX-License-Identifier: Apache-2.0
"""Markdown's own rules, with limits to the work they do."""

import re
import xml.etree.ElementTree as etree

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor, HashHeaderProcessor
from markdown.extensions import Extension
from markdown.extensions.tables import TableProcessor
from markdown.inlinepatterns import (
    DelimiterProcessor,
    ImageInlineProcessor,
    ImageReferenceInlineProcessor,
    InlineProcessor,
    LinkInlineProcessor,
    ReferenceInlineProcessor,
    ShortImageReferenceInlineProcessor,
    ShortReferenceInlineProcessor,
)
from markdown.preprocessors import Preprocessor
from markdown.util import code_escape

# As many as a text of the greatest length has in practice three times over.
MAX_LINES = 2_500
# Quotes and lists inside one another.
MAX_CONTAINERS = 12
# Lines without a blank one between them: splitting off headings and rules copies what follows.
MAX_BLOCK_LINES = 400
MAX_TABLE_COLUMNS = 50
MAX_ROW_LENGTH = 5_000
# Stars, underscores and tildes in one paragraph, item or cell: they nest, and nesting recurses.
MAX_DELIMITERS = 200
MAX_LINK_TEXT = 1_000
MAX_LINK_TARGET = 2_000
# Brackets inside a link's text, parentheses inside its target.
MAX_LINK_NESTING = 8

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)")
_INDENT = re.compile(r" *")
_MARKER = re.compile(r" {0,3}(?:(>) ?|([-*+])(?= )|(\d+)\.(?= ))")
_HEADING = re.compile(
    r"(?:^|\n)(?P<level>#{1,6})(?=[ \n]|\Z)"
    r"(?P<header>(?:[^\n#]++|#++(?! *+(?:\n|\Z)))*+)#*+ *+(?:\n|\Z)"
)


def _bounded_line(line: str) -> str:
    """A line whose quote and list markers past MAX_CONTAINERS are plain text."""
    indent = len(_INDENT.match(line)[0])  # type: ignore[index]  # it matches anything
    depth, position = indent // 4, indent
    while (marker := _MARKER.match(line, position)) and depth < MAX_CONTAINERS:
        depth, position = depth + 1, marker.end()
    if marker is None:
        return line
    at = marker.end(3) if marker[3] else marker.start(marker.lastindex or 0)
    unread = max(0, indent - 4 * MAX_CONTAINERS)
    return f"{line[unread:at]}\\{line[at:]}"


class Length(Preprocessor):
    """Shows what follows the last line that is read as it was written."""

    def run(self, lines: list[str]) -> list[str]:
        rest = "\n".join(lines[MAX_LINES:]).strip("\n")
        if not rest.strip():
            return lines[:MAX_LINES]
        block = self.md.htmlStash.store(f"<pre><code>{code_escape(rest)}\n</code></pre>")
        return [*lines[:MAX_LINES], "", block, "", ""]


class Bounds(Preprocessor):
    """Cuts the nesting of quotes and lists, and the length of blocks."""

    def run(self, lines: list[str]) -> list[str]:
        bounded: list[str] = []
        length = 0
        for line in lines:
            length = length + 1 if line.strip() else 0
            if length > MAX_BLOCK_LINES:
                bounded.append("")
                length = 1
            bounded.append(_bounded_line(line))
        return bounded


class Fences(Preprocessor):
    """Fenced code (CommonMark 4.5), read line by line; a fence never closed runs to the end."""

    md: Markdown

    def run(self, lines: list[str]) -> list[str]:
        kept: list[str] = []
        code: list[str] = []
        fence = ""
        for line in lines:
            opening = _FENCE.fullmatch(line)
            if not fence:
                if opening:
                    fence = opening[1]
                else:
                    kept.append(line)
            elif opening and opening[1].startswith(fence) and not opening[2].strip():
                kept += self._stashed(code)
                code, fence = [], ""
            else:
                code.append(line)
        if fence:
            kept += self._stashed(code)
        return kept

    def _stashed(self, code: list[str]) -> list[str]:
        text = code_escape("\n".join(code).strip("\n"))
        block = self.md.htmlStash.store(f"<pre><code>{text}\n</code></pre>")
        return ["", block, "", ""]


class Heading(HashHeaderProcessor):
    """A heading needs a space after its marks, so that a line may begin with a hashtag."""

    RE = _HEADING


class Table(TableProcessor):
    """A table no larger than its source; anything else stays a paragraph."""

    def test(self, parent: etree.Element, block: str) -> bool:
        lines = block.split("\n")
        columns = lines[0].count("|") + 1
        if columns > MAX_TABLE_COLUMNS or columns * len(lines) > len(block) + columns:
            return False
        if max(map(len, lines)) > MAX_ROW_LENGTH:
            return False
        return super().test(parent, block)


class _Bounded(LinkInlineProcessor):
    """Looks only so far for the end of a link's text and of its target."""

    def getText(self, data: str, index: int) -> tuple[str, int, bool]:
        open_brackets = 1
        for position in range(index, min(len(data), index + MAX_LINK_TEXT)):
            if data[position] == "[":
                open_brackets += 1
                if open_brackets > MAX_LINK_NESTING:
                    break
            elif data[position] == "]":
                open_brackets -= 1
                if not open_brackets:
                    return data[index:position], position + 1, True
        return "", index, False

    def getLink(self, data: str, index: int) -> tuple[str, str | None, int, bool]:
        window = data[index : index + MAX_LINK_TARGET]
        window = "(".join(window.split("(", MAX_LINK_NESTING + 1)[: MAX_LINK_NESTING + 1])
        target, title, end, handled = super().getLink(window, 0)
        return target, title, index + end, handled


class _Link(_Bounded):
    pass


class _Image(_Bounded, ImageInlineProcessor):
    pass


class _Reference(_Bounded, ReferenceInlineProcessor):
    pass


class _ImageReference(_Bounded, ImageReferenceInlineProcessor):
    pass


class _ShortReference(_Bounded, ShortReferenceInlineProcessor):
    pass


class _ShortImageReference(_Bounded, ShortImageReferenceInlineProcessor):
    pass


_LINKS: dict[str, tuple[type[_Bounded], int]] = {
    "reference": (_Reference, 170),
    "link": (_Link, 160),
    "image_link": (_Image, 150),
    "image_reference": (_ImageReference, 140),
    "short_reference": (_ShortReference, 130),
    "short_image_ref": (_ShortImageReference, 125),
}


class Emphasis(DelimiterProcessor):
    """Reads no emphasis in a text with more than MAX_DELIMITERS marks of it."""

    _crowded = ""

    def reset(self) -> None:
        super().reset()
        self._crowded = ""

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[etree.Element | None, int | None, int | None]:
        if data is self._crowded:
            return None, m.start(0), len(data)
        if not self.regions and sum(map(data.count, self.tokens)) > MAX_DELIMITERS:
            self._crowded = data
            return None, m.start(0), len(data)
        return super().handleMatch(m, data)


class BoundedMarkdown(Extension):
    """Puts the bounded rules in the place of Markdown's, and takes raw HTML as text."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        md.preprocessors.register(Fences(md), "fences", 25)
        md.preprocessors.register(Length(md), "length", 24)
        md.preprocessors.register(Bounds(md), "bounds", 22)
        blocks: dict[str, tuple[BlockProcessor, int]] = {
            "hashheader": (Heading(md.parser), 70),
            "table": (Table(md.parser, {"use_align_attribute": True}), 75),
        }
        for name, (processor, priority) in blocks.items():
            md.parser.blockprocessors.register(processor, name, priority)
        patterns = md.inlinePatterns
        for name, (kind, priority) in _LINKS.items():
            pattern: InlineProcessor = kind(patterns[name].pattern, md)
            patterns.register(pattern, name, priority)
        self._emphasis = Emphasis("*", "strong,em", md)
        self._emphasis.add("_", "strong,em", smart=True)
        self._emphasis.add("~", "del", double=True)
        md.ESCAPED_CHARS += ["|", "~"]
        patterns.register(self._emphasis, "em_strong", 60)
        md.registerExtension(self)

    def reset(self) -> None:
        """Forgets what was found in the text before."""
        self._emphasis.reset()
