# SPDX-License-Identifier: Apache-2.0
"""The addresses that only machines use."""

from functools import lru_cache
from urllib.parse import urlsplit


class Urls:
    """Machine addresses of one origin."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.host = urlsplit(origin).netloc
        self.instance = f"{origin}/instance"
        self.shared_inbox = f"{origin}/inbox"

    def is_ours(self, uri: str) -> bool:
        """Whether an id lives at this origin."""
        return uri == self.origin or uri.startswith(f"{self.origin}/")

    def post_id(self, uri: str) -> int | None:
        """The number in `/p/<id>`; None for anything else."""
        prefix = f"{self.origin}/p/"
        rest = uri.removeprefix(prefix)
        if not uri.startswith(prefix) or not rest.isdecimal() or len(rest) > 19:
            return None
        return int(rest)


def main_key(actor: str) -> str:
    """The RSA key of one of our actors."""
    return f"{actor}#main-key"


def proof_key(actor: str) -> str:
    """The Ed25519 key of one of our actors."""
    return f"{actor}#ed25519-key"


@lru_cache(maxsize=2048)
def host_of_uri(uri: str) -> str:
    """`host[:port]` of an id, lower case; "" where it names none."""
    try:
        return urlsplit(uri).netloc.rpartition("@")[2].lower()
    except ValueError:
        # A bracket that holds no address.
        return ""


def without_fragment(uri: str) -> str:
    return uri.partition("#")[0]
