# SPDX-License-Identifier: Apache-2.0
"""Accept and Reject, by what they answer."""

from federation.handlers import events, follows, mentoring, offers
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity


def _is_of_an_offer(activity: Activity) -> bool:
    """Whether it answers an Offer: what we send of our own carries that in its id."""
    return getattr(activity.object, "id", "").partition("#")[2].startswith("offer-")


async def accept(incoming: Incoming, activity: Activity) -> None:
    """Somebody says yes to what one of us asked of them."""
    if mentoring.concerns(activity):
        await mentoring.accept(incoming, activity)
    elif _is_of_an_offer(activity):
        await offers.answered(incoming, activity, taken=True)
    elif events.is_about(activity):
        await events.answered(incoming, activity)
    else:
        await follows.accept(incoming, activity)


async def tentative(incoming: Incoming, activity: Activity) -> None:
    """Somebody says perhaps: a place on a waiting list."""
    if not events.is_about(activity):
        raise Ignored("This answers nothing that was asked here.")
    await events.answered(incoming, activity)


async def reject(incoming: Incoming, activity: Activity) -> None:
    """Somebody says no to it."""
    if mentoring.concerns(activity):
        await mentoring.reject(incoming, activity)
    elif _is_of_an_offer(activity):
        await offers.answered(incoming, activity, taken=False)
    elif events.is_about(activity):
        await events.answered(incoming, activity)
    else:
        await follows.reject(incoming, activity)
