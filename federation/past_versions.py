# SPDX-License-Identifier: Apache-2.0
"""Earlier versions of a practice, as its author's server lists them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from federation import authority
from federation.documents import Documents, collection
from federation.editions import version_of
from federation.errors import WireError
from federation.fetch.allowance import documents_left
from federation.members import moment
from federation.practices import PRACTICE_CONTEXT
from federation.vocabulary.collections import parse_collection
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.values import moment_of, url_id_of
from federation.wire import Wire
from server.errors import Invalid, NotFound
from server.library import publishing
from server.practices.record import Record, parse
from server.records.editions import Edition
from storage import posts
from storage.practices import Practice, PracticeVersion

MOST = 20
LARGEST = 700_000
"""Characters of all the records together: the answer stays below 1 MB."""


class VersionDocuments(Documents):
    """Answers for the versions of practices written here."""

    async def versions(self, number: int) -> dict[str, Any]:
        """The versions before the present one, the latest first, as many as fit."""
        post = await self._own_post(number)
        practice = await self.session.get(Practice, post.id)
        if practice is None:
            raise NotFound
        question = (
            select(PracticeVersion)
            .where(PracticeVersion.post_id == post.id, PracticeVersion.version < practice.version)
            .order_by(PracticeVersion.version.desc())
            .limit(MOST)
        )
        items: list[dict[str, Any]] = []
        size = 0
        for row in (await self.session.execute(question)).scalars():
            size += len(row.record)
            if size > LARGEST:
                break
            items.append(
                {
                    "type": "Article",
                    "updated": moment(row.at),
                    "gh:version": {"number": row.version, "note": row.note},
                    "gh:practice": json.loads(row.record),
                }
            )
        document = collection(
            f"{post.uri}/versions", "OrderedCollection", practice.version - 1, items
        )
        return document | {"@context": PRACTICE_CONTEXT}


@dataclass(frozen=True)
class Past:
    """One earlier version."""

    record: Record
    number: int
    note: str
    at: datetime


def from_wire(document: dict[str, Any], before: int) -> list[Past]:
    """The versions below `before` that a collection holds; what cannot be read is left out."""
    found: list[Past] = []
    for item in parse_collection(document).items[:MOST]:
        if not isinstance(item, dict):
            continue
        at = moment_of(item.get("updated"))
        try:
            number, note = version_of(item.get("gh:version"))
            if at is not None and number < before:
                found.append(Past(parse(item.get("gh:practice")), number, note, at))
        except Invalid:
            continue
    return found


async def bring(wire: Wire, post: WirePost) -> None:
    """Have the earlier versions of a practice that came in a later one, from its own server.

    They are done without where they cannot be had: the page then compares those there are.
    """
    address = url_id_of(post.raw.get("gh:versions"))
    if address is None or not authority.same_origin(address, post.id) or documents_left() <= 0:
        return
    async with wire.instance.reading() as session:
        held = await posts.by_uri(session, post.id)
        practice = await session.get(Practice, held.id) if held is not None else None
    if held is None or practice is None or practice.version < 2:
        return
    try:
        answer = await wire.document(address)
        past = from_wire(answer.data, practice.version)
    except (WireError, Malformed):
        return
    async with wire.instance.transaction() as tx:
        row = await posts.by_uri(tx.session, post.id)
        if row is None or await tx.session.get(Practice, row.id) is None:
            return
        for one in past:
            at = min(one.at, tx.now)
            await publishing.apply(
                tx, row, Edition(one.record, one.number, one.note, row.author_id, at)
            )
