# SPDX-License-Identifier: Apache-2.0
"""One practice as a file, JSON or Markdown, out and in again."""

import json
import re
from typing import Any

from server.errors import Invalid
from server.library.pages import Read
from server.practices import prose
from server.practices.record import Record, dump, parse
from server.practices.typed import lines, typed_of

LARGEST_FILE = 1_000_000
_BLOCK = re.compile(r"^```json\s*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,3})\s+(.+?)\s*#*$", re.MULTILINE)
_STEP = re.compile(r"^\d+\.\s*")
_TEXTS = {
    "the problem": "problem",
    "what was done": "solution",
    "doing it elsewhere": "transfer.notes",
}
_LISTS = {"what did not work": "notWorked", "what we learned": "lessons"}
DATA_HEADING = "## The same as data"


def as_json(found: Read) -> str:
    """A practice as a JSON file: the record, where it lives, and which version it is."""
    return json.dumps(
        {
            "id": found.post.uri,
            "url": found.post.url,
            "version": found.practice.version,
            "published": f"{found.post.published:%Y-%m-%dT%H:%M:%SZ}",
            **({"warnings": list(found.warnings)} if found.warnings else {}),
            "practice": dump(found.record),
        },
        ensure_ascii=False,
        indent=2,
    )


def as_markdown(found: Read) -> str:
    """A practice as a Markdown file: for reading, and as data at its end."""
    record = json.dumps(dump(found.record), ensure_ascii=False, indent=2)
    warned = "".join(f"**{words}**\n\n" for words in found.warnings)
    return (
        f"# {found.record.name}\n\n{warned}{prose.markdown(found.record)}\n\n"
        f"From <{found.post.url}>, version {found.practice.version}.\n\n"
        f"{DATA_HEADING}\n\n```json\n{record}\n```\n"
    )


def typed_from(file: str) -> dict[str, str]:
    """The fields that show a file: JSON of ours, Markdown of ours, or any Markdown.

    What a record may not hold is refused by name; Markdown without data gives its texts.
    """
    if len(file) > LARGEST_FILE:
        raise Invalid({"file": "This file is too large: a practice has at most 1 MB."})
    stripped = file.lstrip("\ufeff \t\r\n")
    if not stripped:
        raise Invalid({"file": "Choose a file, or paste its text."})
    if stripped.startswith("{"):
        return typed_of(_checked(_loaded(stripped)))
    blocks = _BLOCK.findall(stripped.replace("\r\n", "\n"))
    if blocks and DATA_HEADING in stripped:
        return typed_of(_checked(_loaded(blocks[-1])))
    return _from_prose(stripped.replace("\r\n", "\n"))


def _loaded(source: str) -> Any:
    try:
        document = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise Invalid({"file": "This is not a practice: its JSON cannot be read."}) from error
    if isinstance(document, dict) and isinstance(document.get("practice"), dict):
        return document["practice"]
    return document


def _checked(document: Any) -> Record:
    """The record of a file, without claims that a file cannot make of us."""
    try:
        return parse(document)
    except Invalid as error:
        told = "; ".join(f"{name}: {sentence}" for name, sentence in error.fields.items())
        message = f"This file does not hold a practice that can be read. {told[:600]}"
        raise Invalid({"file": message}) from error


def _from_prose(source: str) -> dict[str, str]:
    typed: dict[str, str] = {}
    parts = _HEADING.split(source)
    before, rest = parts[0].strip(), parts[1:]
    body = before
    for level, title, words in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        words, name = words.strip(), title.strip().casefold()
        if len(level) == 1 and "name" not in typed:
            typed["name"], body = title.strip(), words
        elif name in _TEXTS:
            typed[_TEXTS[name]] = words
        elif name in _LISTS:
            typed[_LISTS[name]] = "\n".join(lines(words))
        elif len(level) == 3 and _STEP.match(title):
            keys = typed.get("steps", "").split()
            key = str(len(keys) + 1)
            typed["steps"] = " ".join([*keys, key])
            typed[f"steps.{key}.title"] = _STEP.sub("", title).strip()
            typed[f"steps.{key}.text"] = words
    typed["summary"] = body.split("\n\n")[0].strip()
    return {name: value for name, value in typed.items() if value}
