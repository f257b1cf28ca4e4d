# SPDX-License-Identifier: Apache-2.0
"""Notices that are read once the page they lead to was opened."""

from server.mentoring import notices
from web.visits import Visit


async def read_here(visit: Visit) -> None:
    """Mark those that lead to this page as read, where there may be any."""
    if visit.told:
        async with visit.instance.transaction() as tx:
            await notices.mark_read(tx, visit.member, visit.request.url.path)
