# SPDX-License-Identifier: Apache-2.0
"""Accept and Reject, which answer several things."""

from federation.handlers import follows, mentoring
from federation.incoming import Incoming
from federation.vocabulary.activities import Activity


async def accept(incoming: Incoming, activity: Activity) -> None:
    """Somebody takes what one of ours asked for."""
    taker = mentoring.accept if mentoring.concerns(activity) else follows.accept
    await taker(incoming, activity)


async def reject(incoming: Incoming, activity: Activity) -> None:
    """Somebody says no to what one of ours asked for."""
    taker = mentoring.reject if mentoring.concerns(activity) else follows.reject
    await taker(incoming, activity)
