# SPDX-License-Identifier: Apache-2.0
"""The header by which servers compare their lists of followers (FEP-8fcf)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

NAME = "Collection-Synchronization"
LONGEST = 5_000
_MEMBER = re.compile(r'\s*([A-Za-z]{1,32})="([^"\\]{0,2048})"\s*(?:,|\Z)')
_DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Claim:
    """What a server says of those of our people who follow an actor of its own.

    `digest` is in lower case; `url` lists them to whoever signs as our host.
    """

    collection: str
    url: str
    digest: str


def digest_of(followers: Iterable[str]) -> str:
    """The exclusive or of the SHA-256 of each id, as 64 hexadecimal digits."""
    sum_ = 0
    for one in set(followers):
        sum_ ^= int.from_bytes(hashlib.sha256(one.encode()).digest(), "big")
    return f"{sum_:064x}"


def written(claim: Claim) -> str:
    """The value of the header."""
    return f'collectionId="{claim.collection}", url="{claim.url}", digest="{claim.digest}"'


def read(value: str) -> Claim | None:
    """The claim of a header; None for anything that is none."""
    if len(value) > LONGEST:
        return None
    found: dict[str, str] = {}
    position = 0
    while position < len(value):
        member = _MEMBER.match(value, position)
        if member is None or member[1] in found:
            return None
        found[member[1]] = member[2]
        position = member.end()
    if not {"collectionId", "url", "digest"} <= found.keys() or not _DIGEST.match(found["digest"]):
        return None
    return Claim(found["collectionId"], found["url"], found["digest"].lower())
