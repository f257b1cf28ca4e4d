# SPDX-License-Identifier: Apache-2.0
"""What a practice descends from, through others that are not held here.

Lineages (`server/records/lineages`) are followed through what is held. A source that is not was
asked for its own sources when its adaptation came: what it said is kept here.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.records import lineages
from server.transaction import Transaction
from storage.among import among
from storage.base import insert
from storage.plain import Question, ask
from storage.practices import Practice, PracticeAncestor

MOST = 200


async def above(session: AsyncSession, practice: Practice, uri: str) -> frozenset[str]:
    """The uris of all that a practice descends from, as far as that is known here."""
    held = await lineages.above(session, practice, uri)
    return held | await beyond(session, held) - {uri}


_BEYOND = Question(
    select(PracticeAncestor.above)
    .where(among(PracticeAncestor.uri, "uris", PracticeAncestor.uri.type))
    .limit(MOST),
    str,
)


async def beyond(session: AsyncSession, uris: Collection[str]) -> frozenset[str]:
    """What those of them that are not held here descend from."""
    if not uris:
        return frozenset()
    return frozenset(await ask(session, _BEYOND, uris=sorted(uris)))


def below(uri: str) -> ColumnElement[bool]:
    """The condition on practices that descend from this one."""
    through = select(PracticeAncestor.uri).where(PracticeAncestor.above == uri)
    return or_(Practice.based_on == uri, Practice.root == uri, Practice.based_on.in_(through))


async def learn(tx: Transaction, uri: str, found: Iterable[str]) -> None:
    """What a practice that is not held here descends from."""
    for one in found:
        await tx.session.execute(
            insert(tx.session, PracticeAncestor)
            .values(uri=uri, above=one)
            .on_conflict_do_nothing(index_elements=["uri", "above"])
        )
