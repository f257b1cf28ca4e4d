# SPDX-License-Identifier: Apache-2.0
"""One-line fields, and titles in addresses."""

import re
import unicodedata

MAX_SLUG = 60
# What no line needs longer than its limit: normalising many combining marks is quadratic.
_SLACK = 4

# Marks that reorder or hide text: bidirectional controls, zero-width spaces, byte order marks.
_HIDDEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufff9-\ufffb]")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
# Letters that Unicode does not take apart.
_LETTERS = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ð": "d",
        "đ": "d",
        "þ": "th",
        "ł": "l",
        "\u0131": "i",
        "ħ": "h",
    }
)


def clean_line(value: str, limit: int) -> str:
    """A text as one line of at most `limit` characters: NFC, without control characters or
    marks that reorder it, and with single spaces.
    """
    shown = _HIDDEN.sub("", _CONTROL.sub("", value[: _SLACK * limit + 100]))
    return " ".join(unicodedata.normalize("NFC", shown).split())[:limit].rstrip()


def slug(title: str) -> str:
    """A title in an address: 1 to 60 of a-z, 0-9 and "-"; "post" where nothing is left."""
    folded = title[: _SLACK * MAX_SLUG].casefold().translate(_LETTERS)
    words = _NOT_SLUG.sub("-", _without_marks(folded)).strip("-")
    if len(words) > MAX_SLUG:
        cut = words[: MAX_SLUG + 1]
        words = (cut.rpartition("-")[0] or cut[:MAX_SLUG]).strip("-")
    return words or "post"


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).lower()
