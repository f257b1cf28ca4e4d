# SPDX-License-Identifier: Apache-2.0
"""Bodies of activities that nothing needs once they were delivered."""

from sqlalchemy import ForeignKey, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.log import ActivityBody, Lane, LogRecipient, Parked


class PassingBody(Base):
    """A body that is to go when every lane of its row has taken it, or has given it up.

    There are rows only for what is on its way.
    """

    __tablename__ = "passing_bodies"

    seq: Mapped[int] = mapped_column(ForeignKey("log.seq"), primary_key=True, autoincrement=False)
    body_id: Mapped[int]


_ON_THE_WAY = exists().where(
    LogRecipient.seq == PassingBody.seq,
    Lane.id == LogRecipient.lane_id,
    Lane.cursor < PassingBody.seq,
)
_SET_ASIDE = exists().where(
    LogRecipient.seq == PassingBody.seq,
    Parked.lane_id == LogRecipient.lane_id,
    Parked.seq == PassingBody.seq,
)
_DELIVERED = (
    select(PassingBody.seq, PassingBody.body_id)
    .where(~_ON_THE_WAY, ~_SET_ASIDE)
    .order_by(PassingBody.seq)
)


async def scrub_delivered(session: AsyncSession, most: int) -> int:
    """Empty the bodies that no lane waits for any more; answers how many."""
    done = (await session.execute(_DELIVERED.limit(most))).all()
    if done:
        bodies, rows = [row.body_id for row in done], [row.seq for row in done]
        await session.execute(
            update(ActivityBody).where(ActivityBody.id.in_(bodies)).values(body=None)
        )
        await session.execute(delete(PassingBody).where(PassingBody.seq.in_(rows)))
    return len(done)
