# SPDX-License-Identifier: Apache-2.0
"""Accept and Reject, handed to whoever knows what they answer."""

from federation.handlers import events, follows
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity


async def accept(incoming: Incoming, activity: Activity) -> None:
    """A yes: to a place at an event, or to a follow."""
    if events.is_about(activity):
        await events.answered(incoming, activity)
    else:
        await follows.accept(incoming, activity)


async def tentative(incoming: Incoming, activity: Activity) -> None:
    """A perhaps: a place on a waiting list."""
    if not events.is_about(activity):
        raise Ignored("This answers nothing that was asked here.")
    await events.answered(incoming, activity)


async def reject(incoming: Incoming, activity: Activity) -> None:
    """A no: to a place at an event, or to a follow or a post."""
    if events.is_about(activity):
        await events.answered(incoming, activity)
    else:
        await follows.reject(incoming, activity)
