# SPDX-License-Identifier: Apache-2.0
"""Links whose text names another host than their target."""

import re

from bleach.linkifier import TLDS

# Bounded repeats keep the search linear.
_NAMED = re.compile(
    r"(?<![\w@.-])(?:(https?://)(?:[^\s/@]{0,100}@)?|(?:www\.))?"
    r"((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})(?![\w-])",
    re.IGNORECASE,
)
_TARGET = re.compile(r"https?:[/\\]*([^/\\?#]*)", re.IGNORECASE)
_SPACES = re.compile(r"[\x00-\x20]")
_KNOWN = frozenset(TLDS)
MAX_TEXT = 2_000


def _target_host(href: str) -> str:
    """The host and port a browser goes to (WHATWG URL 4.4: either slash, no inner controls)."""
    match = _TARGET.match(_SPACES.sub("", href))
    return match[1].rpartition("@")[2].lower() if match else ""


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.").rstrip(".")


def hidden_host(href: str, text: str) -> str:
    """The host of a link's target where its text names only others; else the empty string."""
    host = _target_host(href)
    if not host:
        return ""
    target = _bare(host.partition(":")[0])
    text = " ".join(text.split())[:MAX_TEXT]
    named = {
        _bare(match[2])
        for match in _NAMED.finditer(text)
        if match[1] or match[2].rpartition(".")[2].lower() in _KNOWN
    }
    if not named or target in named or f"({host})" in text:
        return ""
    return host
