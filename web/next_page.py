# SPDX-License-Identifier: Apache-2.0
"""Where to go after signing in: a page of ours, and no other."""

import re
from urllib.parse import unquote

# Spaces and control characters, which browsers drop or turn into something else.
_UNPRINTED = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\ufeff]")
MOST_ROUNDS = 4
LONGEST = 2_000
_NOT_BACK_TO = ("/sign-in", "/sign-out", "/sign-up", "/invitation", "/first-run")


def own_page(value: str, default: str = "/") -> str:
    """`value` if its path stays on this site however often it is decoded, else `default`."""
    if not value or len(value) > LONGEST or _UNPRINTED.search(value):
        return default
    path = re.split(r"[?#]", value, maxsplit=1)[0]
    if not _stays_here(path) or path.startswith(_NOT_BACK_TO):
        return default
    return value


def _stays_here(path: str) -> bool:
    for _ in range(MOST_ROUNDS):
        if not path.startswith("/") or "//" in path or "\\" in path or _UNPRINTED.search(path):
            return False
        if {".", ".."} & set(path.split("/")):
            return False
        decoded = unquote(path)
        if decoded == path:
            return True
        path = decoded
    return False
