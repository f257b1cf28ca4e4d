# SPDX-License-Identifier: Apache-2.0
"""A resource in words: the text that other software shows."""

from server import text
from server.resources import licences
from server.resources.record import File, Record
from server.resources.terms import KINDS, size_label, type_label

_CUT = "\n\n[…] The rest is on its page."


def markdown(record: Record) -> str:
    """What the post of a resource says: its sentence, what it is, its files."""
    parts = [record.summary, record.description]
    lines = [f"- {line(file)}" for file in record.files]
    if record.link:
        lines.append(f"- [{_plain(record.link)}]({record.link})")
    parts.append("\n".join(lines))
    named = licences.label(record.license)
    parts.append(f"{KINDS[record.kind]}{f', under {_plain(named)}' if named else ''}.")
    body = "\n\n".join(part for part in parts if part)
    if len(body) <= text.MAX_SOURCE:
        return body
    return body[: text.MAX_SOURCE - len(_CUT)].rpartition("\n\n")[0] + _CUT


def line(file: File) -> str:
    """`[plan.docx](https://…) (Word document, 34 kB)`."""
    told = f"{type_label(file.media_type)}, {size_label(file.size or 0)}"
    return f"[{_plain(file.name)}]({file.url}) ({told})"


def _plain(words: str) -> str:
    """Words that stand in Markdown as they are."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|~" else sign for sign in words)
