# SPDX-License-Identifier: Apache-2.0
"""HTML as plain text, and in short."""

import html

from server.text.markup import Token, attributes, tokens
from server.text.sanitiser import sanitise

_BLOCKS = frozenset(
    {
        *("article", "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre"),
        *("section", "dd", "dl", "dt", "li", "ol", "table", "tr", "ul"),
    }
)
_CELLS = frozenset({"td", "th"})
_CUT = "<p>[…]</p>"


def plain(markup: str) -> str:
    """The text of HTML: a line for each block, single spaces outside preformatted text.

    Pictures are named by their alternative text. Meant for search, mails and excerpts.
    """
    lines: list[str] = [""]
    preformatted = 0
    for token in tokens(markup):
        if token.kind == "text" and preformatted:
            first, *more = token.value.split("\n")
            lines[-1] += first
            lines += more
        elif token.kind == "text":
            _append(lines, token.value)
        elif token.name in _BLOCKS or token.name == "br":
            lines.append("")
            if token.name == "pre":
                preformatted = max(0, preformatted + (1 if token.kind == "open" else -1))
        elif token.name in _CELLS:
            _append(lines, " ")
        elif token.name == "img" and token.kind == "open":
            _append(lines, attributes(token.value).get("alt", ""))
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _append(lines: list[str], text: str) -> None:
    words = " ".join(text.split())
    before, after = text[:1].isspace(), text[-1:].isspace()
    if before and lines[-1] and not lines[-1].endswith(" "):
        lines[-1] += " "
    lines[-1] += f"{words} " if words and after else words


def excerpt(markup: str, limit: int = 280) -> str:
    """The text of HTML in one line of at most `limit` characters, cut between words with "…"."""
    text = " ".join(plain(markup).split())
    if len(text) <= limit:
        return text
    cut = text[:limit]
    whole = cut.rpartition(" ")[0]
    return (whole or cut[:-1]).rstrip(" ,;:.-–") + "…"


def _blocks(markup: str) -> tuple[list[str], int]:
    """The top blocks of sanitised HTML without its tables, and how many tables it has."""
    blocks: list[str] = []
    tables = depth = in_table = 0
    block = ""
    for token in tokens(markup):
        if token.name == "table":
            in_table += 1 if token.kind == "open" else -1
            tables += token.kind == "open"
        elif not in_table:
            block += _written(token)
            depth += _step(token)
        if not depth and not in_table:
            blocks.append(block)
            block = ""
    return [*blocks, block], tables


def _step(token: Token) -> int:
    if token.kind == "text" or token.name in {"br", "hr", "img"}:
        return 0
    return 1 if token.kind == "open" else -1


def _written(token: Token) -> str:
    if token.kind == "text":
        return html.escape(token.value, quote=False)
    return f"<{token.name}{token.value}>" if token.kind == "open" else f"</{token.name}>"


def wire_summary(markup: str, limit: int = 1000) -> str:
    """Sanitised HTML in short, for peers that show a summary in place of a long post.

    The whole where its text has at most `limit` characters and it holds no table; else the
    first blocks that fit, or the beginning of the first one, and "[…]".
    """
    clean = sanitise(markup)
    blocks, tables = _blocks(clean)
    if not tables and len(plain(clean)) <= limit:
        return clean
    kept: list[str] = []
    left = limit
    for block in blocks:
        text = plain(block)
        if len(text) > left:
            if not any(map(plain, kept)) and text:
                kept.append(f"<p>{html.escape(excerpt(block, left), quote=False)}</p>")
            break
        left -= len(text)
        kept.append(block)
    return sanitise("".join(kept).rstrip() + _CUT)
