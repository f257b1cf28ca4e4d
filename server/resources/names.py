# SPDX-License-Identifier: Apache-2.0
"""The names of files, which come from anybody's machine."""

import re
from urllib.parse import quote

from server import text

LONGEST = 120
_PATH = re.compile(r"[/\\]")
_UNWANTED = re.compile(r"[<>:\"|?*\x00-\x1f]")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])\Z", re.IGNORECASE)
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,10})\Z")


def clean_name(name: str) -> str:
    """A name without folders, hidden marks or signs that some system gives a meaning; never empty.

    What is left of a longer one keeps its ending.
    """
    last = _PATH.split(name[-4_000:])[-1]
    shown = _UNWANTED.sub("", text.clean_line(last, 1_000)).strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if dot and len(ending) <= 10:
        shown = f"{stem.rstrip(' .')[: LONGEST - len(ending) - 1]}.{ending}"
    shown = shown[:LONGEST].strip(" .") or "file"
    return f"file-{shown}" if _DEVICE.match(shown.partition(".")[0]) else shown


def ending_of(name: str) -> str:
    """`docx` of `Plan.DOCX`; "" where there is none."""
    found = _ENDING.search(name)
    return found[1].lower() if found else ""


def with_ending(name: str, ending: str) -> str:
    """A name that ends so."""
    stem = name.rpartition(".")[0] if ending_of(name) else name
    return f"{stem or name}.{ending}"


def disposition(name: str) -> str:
    """The header that has a browser save a file under its name (RFC 6266, RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", clean_name(name))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean_name(name), safe='')}"
