# SPDX-License-Identifier: Apache-2.0
"""The followers that a forum of ours has at the host that asks (FEP-8fcf)."""

from typing import Any

from federation.documents import Documents, collection
from federation.followers import telling
from server.errors import NotFound


class FollowerDocuments(Documents):
    """Answers a host about its own people only."""

    async def there(self, handle: str) -> dict[str, Any]:
        """Those at the asker's host who follow a forum."""
        forum = await self._forum(handle)
        if self.asker.host is None or not self.asker.allowed:
            raise NotFound
        found = (await telling.at_host(self.session, forum.uri, self.asker.host))[: telling.MOST]
        return collection(telling.address(forum.uri), "OrderedCollection", len(found), found)
