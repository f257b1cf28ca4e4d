# SPDX-License-Identifier: Apache-2.0
"""Pictures on other hosts, shown through addresses of our own."""

import base64
import hashlib
import hmac
import re
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server import files
from server.files import NewFile
from server.keys import Vault
from server.transaction import Transaction
from storage.base import insert
from storage.files import RemotePicture

TRY_AGAIN_AFTER = timedelta(hours=6)
LONGEST = 1_500
_IMAGE = re.compile(r'(<img\b[^>]*?\bsrc=")([^"]*)(")')


class Pictures:
    """Makes and reads the addresses; each is bound to its URL, so that nobody else makes one.

    `media` is the origin that serves them, "" for the one that serves pages.
    """

    def __init__(self, vault: Vault, origin: str = "", media: str = "") -> None:
        self._secret = vault.media_secret
        self._media = media
        self._own = tuple(f"{one}/media/" for one in (origin, media) if one)

    def own(self, sha256: str) -> str:
        """The address of a picture that was sent to us."""
        return f"{self._media}/media/{sha256}"

    def address(self, url: str) -> str:
        """Our own address of a picture elsewhere; "" for a URL that is too long."""
        if len(url) > LONGEST:
            return ""
        encoded = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
        return f"{self._media}/media/remote/{self._mac(encoded)}/{encoded}"

    def url(self, mac: str, encoded: str) -> str | None:
        """The URL an address stands for, None when we did not make it."""
        if not hmac.compare_digest(mac.encode(), self._mac(encoded).encode()):
            return None
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()

    def _mac(self, encoded: str) -> str:
        return hmac.new(self._secret, encoded.encode(), hashlib.sha256).hexdigest()[:32]

    def shown(self, html: str) -> str:
        """Sanitised HTML whose pictures come from our own addresses."""
        return _IMAGE.sub(lambda found: self._replaced(found), html)

    def _replaced(self, found: re.Match[str]) -> str:
        url = found[2].replace("&amp;", "&")
        if not url.startswith(("http://", "https://")):
            return found[0]
        if url.startswith(self._own):
            # What a member sent us is here already.
            return f"{found[1]}{self._media}/media/{url.partition('/media/')[2]}{found[3]}"
        return f"{found[1]}{self.address(url)}{found[3]}"


async def held(session: AsyncSession, url: str) -> RemotePicture | None:
    """What is known of a picture elsewhere."""
    return await session.get(RemotePicture, url)


async def keep(tx: Transaction, url: str, new: NewFile | None) -> None:
    """Remember a fetched picture, or that it could not be had."""
    values = {"sha256": new.sha256 if new else None, "fetched": tx.now}
    if new is not None:
        await files.keep(tx, new)
    await tx.session.execute(
        insert(tx.session, RemotePicture)
        .values(url=url, **values)
        .on_conflict_do_update(index_elements=["url"], set_=values)
    )
