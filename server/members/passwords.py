# SPDX-License-Identifier: Apache-2.0
"""Passwords: rules, hashing and checking, off the event loop."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST, LONGEST = 15, 128
_WELL_KNOWN = frozenset({"passwordpassword", "123456789012345", "qwertyuiopasdfgh"})
_hasher = PasswordHasher()
# Each hash takes 64 MB and a core: two at once, in threads that belong to no event loop.
_two_at_once = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


def fault(password: str, *, context: tuple[str, ...] = ()) -> str | None:
    """What is wrong with a new password, as one sentence; None when it will do.

    NIST SP 800-63B-4: length counts, composition does not; nothing known or personal.
    """
    normal = _normal(password)
    if len(normal) < SHORTEST:
        return f"Use at least {SHORTEST} characters: a few unrelated words are easy to remember."
    if len(normal) > LONGEST:
        return f"Use at most {LONGEST} characters."
    folded = normal.casefold()
    if folded in _WELL_KNOWN or len(set(folded)) < 5:
        return "This password is too easy to guess."
    if any(folded == word.casefold() for word in context if word):
        return "Do not use your name, your address or the site's name as a password."
    return None


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password[: LONGEST * 4])


async def hashed(password: str) -> str:
    """The argon2id hash."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_two_at_once, _hasher.hash, _normal(password))


async def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password; takes as long when there is no account."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_two_at_once, _matches, stored, _normal(password))


def _matches(stored: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored or _nobodys(), password) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _hasher.hash("a password that nobody has")
