# SPDX-License-Identifier: Apache-2.0
"""Offer and its Undo, by what is offered."""

from federation.handlers import mentoring, offers, pairs
from federation.incoming import Incoming
from federation.mentoring.entries import is_entry
from federation.vocabulary.activities import Activity
from federation.vocabulary.values import type_of


async def offer(incoming: Incoming, activity: Activity) -> None:
    """An agreement with a mentor, what a pair shares, or an adaptation of a practice."""
    thing = activity.raw.get("object")
    if isinstance(thing, dict) and "gh:entry" in thing:
        await pairs.share(incoming, activity)
    elif isinstance(thing, dict) and "gh:pair" in thing:
        await pairs.told(incoming, activity)
    elif type_of(thing) == "Agreement":
        await mentoring.offer(incoming, activity)
    else:
        await offers.offer(incoming, activity)


async def undo(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """It is offered no longer."""
    if is_entry(inner.id):
        await pairs.take_back(incoming, activity, inner)
        return
    is_of_mentoring = mentoring.is_named_in(inner.id)
    await (mentoring.undo_offer if is_of_mentoring else offers.undo)(incoming, activity, inner)
