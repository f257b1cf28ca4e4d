# SPDX-License-Identifier: Apache-2.0
"""Addresses at the origin of media that give out one file for some minutes.

Whether somebody may have a file is decided where they are known, on our own origin. The origin of
media knows nobody: it gives out what an address of ours was made for, until that has run out.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from urllib.parse import quote

from server.keys import Vault

LASTS = timedelta(minutes=10)
_STEP = 300


class SignedFiles:
    """Makes the addresses and reads them; each is bound to its file, its name and its end."""

    def __init__(self, vault: Vault, origin: str = "") -> None:
        self._secret = vault.media_secret
        self._origin = origin

    def address(self, sha256: str, name: str, now: datetime) -> str:
        """Where a file is had under a name; "" for a picture of ours that is to be shown.

        Within five minutes the same file has the same address, so that a browser may keep it.
        """
        until = (int((now + LASTS).timestamp()) // _STEP + 1) * _STEP
        seal = self._seal(until, sha256, name)
        if not name:
            return f"{self._origin}/media/shown/{until}/{seal}/{sha256}"
        return f"{self._origin}/media/files/{until}/{seal}/{sha256}/{quote(name, safe='')}"

    def opens(self, until: str, seal: str, sha256: str, name: str, now: datetime) -> bool:
        """Whether we made an address, and it has not run out."""
        if not (until.isascii() and until.isdecimal() and len(until) < 16):
            return False
        is_ours = hmac.compare_digest(seal.encode(), self._seal(int(until), sha256, name).encode())
        return is_ours and now.timestamp() < int(until)

    def _seal(self, until: int, sha256: str, name: str) -> str:
        said = f"file\n{until}\n{sha256}\n{name}".encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()[:40]
