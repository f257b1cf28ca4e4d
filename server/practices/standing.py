# SPDX-License-Identifier: Apache-2.0
"""Where a practice stands on the ladder, from the rows there are.

Reviews, replications and advisories are rows of other features: `gather` is the one place that
reads them, `reckon` the reaction to the facts that they record.
"""

import json
from dataclasses import asdict
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.practices import evidence
from server.practices.evidence import Grounds, Standing, Step
from server.practices.facets import facets_of, put_facets
from server.practices.keeping import Library, library
from server.practices.record import Record, unpack
from server.transaction import Transaction
from storage.practices import Practice


async def gather(
    session: AsyncSession, practice: Practice, record: Record, kept: Library, now: datetime
) -> Grounds:
    """Everything that the step of a practice is computed from, in a fixed number of questions."""
    return Grounds(record=record, agency=practice.agency, now=now, period=kept.period)


async def standing(
    session: AsyncSession, practice: Practice, record: Record, kept: Library, now: datetime
) -> Standing:
    """Where a practice stands at this moment: a review may have grown old since it was stored."""
    return evidence.stand(await gather(session, practice, record, kept, now))


async def reckon(tx: Transaction, practice: Practice) -> Standing:
    """Put a practice on the step where it now belongs, and have it found there."""
    record = unpack(practice.record)
    kept = await library(tx.session)
    found = await standing(tx.session, practice, record, kept, tx.now)
    practice.evidence, practice.why = found.step, json.dumps(asdict(found))
    await put_facets(tx, practice.post_id, facets_of(record, practice.agency, found.step))
    return found


def standing_of(practice: Practice) -> Standing:
    """Where a practice was last found to stand."""
    stored = json.loads(practice.why)
    return Standing(
        step=Step(stored.get("step", practice.evidence)),
        because=tuple(stored.get("because", ())),
        missing=tuple(stored.get("missing", ())),
        is_stated=bool(stored.get("is_stated")),
    )
