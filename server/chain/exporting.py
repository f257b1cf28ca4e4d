# SPDX-License-Identifier: Apache-2.0
"""The whole record as JSON Lines, so that an outsider can check it."""

from collections.abc import AsyncIterator

import orjson

from server.chain.checking import FIRST, Link, links_after
from server.instance import Instance
from storage.audit import written


async def lines(instance: Instance) -> AsyncIterator[bytes]:
    """A JSON object a line, by place; docs/record.md says what the members are.

    A line whose words were erased has `erased` in their place.
    """
    place, more = FIRST, True
    while more:
        # Whoever downloads slowly keeps nothing open meanwhile: what stands there stays.
        async with instance.reading() as session:
            found = await links_after(session, place)
        for link in found:
            yield orjson.dumps(_said(link)) + b"\n"
        more, place = bool(found), found[-1].place if found else place


def _said(link: Link) -> dict[str, str]:
    said = {"place": str(link.place), "id": str(link.id), "at": written(link.at), "verb": link.verb}
    if link.erased is None:
        said |= {"actor": link.actor, "subject": link.subject, "detail": link.detail}
        said["salt"] = link.salt
    else:
        said["erased"] = written(link.erased)
    return said | {"digest": link.digest, "hash": link.hash}
