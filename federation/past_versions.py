# SPDX-License-Identifier: Apache-2.0
"""Earlier versions of a practice, as its author's server lists them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

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
from storage.posts import Post, RawObject
from storage.practices import Practice, PracticeVersion

MOST = 20
MOST_LOOKED_AT = 100
MOST_COMPLETED = 5
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
    """Have the earlier versions of a practice that are missing here, from its own server.

    They are done without where they cannot be had: the page then compares those there are.
    """
    address = url_id_of(post.raw.get("gh:versions"))
    if address is None or not authority.same_origin(address, post.id) or documents_left() <= 0:
        return
    async with wire.instance.reading() as session:
        held = await posts.by_uri(session, post.id)
        missing = await _missing(session, held.id) if held is not None else set()
    if missing:
        await _fetch(wire, post.id, address, missing)


async def complete(wire: Wire, forum: int) -> None:
    """Have what is missing of practices in the copy of a forum: a few at a time, in no order.

    A version that came late and was told of by nobody is missing until somebody looks.
    """
    recent = (PracticeVersion.version >= Practice.version - MOST) & (
        PracticeVersion.version < Practice.version
    )
    there = (
        select(func.count())
        .where(PracticeVersion.post_id == Practice.post_id, recent)
        .correlate(Practice)
        .scalar_subquery()
    )
    question = (
        select(Post.id, Post.uri, RawObject.body)
        .join(Practice, Practice.post_id == Post.id)
        .join(RawObject, RawObject.post_id == Post.id)
        .where(
            Post.forum_id == forum,
            Practice.version > 1,
            there < case((Practice.version > MOST, MOST), else_=Practice.version - 1),
        )
        .order_by(Post.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    async with wire.instance.reading() as session:
        rows = list((await session.execute(question)).all())
    begin = int(wire.instance.randomness.fraction() * len(rows))
    for number, uri, body in (rows[begin:] + rows[:begin])[:MOST_COMPLETED]:
        address = url_id_of(orjson.loads(body).get("gh:versions")) if body else None
        if address is None or not authority.same_origin(address, uri):
            continue
        async with wire.instance.reading() as session:
            missing = await _missing(session, number)
        await _fetch(wire, uri, address, missing)


async def _missing(session: AsyncSession, number: int) -> set[int]:
    """Which of the latest MOST versions before the present one are not held."""
    practice = await session.get(Practice, number)
    if practice is None:
        return set()
    question = select(PracticeVersion.version).where(
        PracticeVersion.post_id == number, PracticeVersion.version >= practice.version - MOST
    )
    held = (await session.execute(question)).scalars().all()
    return set(range(max(1, practice.version - MOST), practice.version)) - set(held)


async def _fetch(wire: Wire, uri: str, address: str, missing: set[int]) -> None:
    """Keep those of the missing versions that the address lists."""
    try:
        answer = await wire.document(address)
        past = from_wire(answer.data, max(missing) + 1)
    except (WireError, Malformed):
        return
    async with wire.instance.transaction() as tx:
        row = await posts.by_uri(tx.session, uri)
        if row is None or await tx.session.get(Practice, row.id) is None:
            return
        for one in past:
            if one.number in missing:
                edition = Edition(
                    one.record, one.number, one.note, row.author_id, min(one.at, tx.now)
                )
                await publishing.apply(tx, row, edition)
