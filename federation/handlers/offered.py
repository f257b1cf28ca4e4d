# SPDX-License-Identifier: Apache-2.0
"""Offer and its Undo, by what is offered."""

from federation.handlers import mentoring, offers
from federation.incoming import Incoming
from federation.vocabulary.activities import Activity
from federation.vocabulary.values import type_of


async def offer(incoming: Incoming, activity: Activity) -> None:
    """An agreement with a mentor, or an adaptation of a practice."""
    is_agreement = type_of(activity.raw.get("object")) == "Agreement"
    await (mentoring.offer if is_agreement else offers.offer)(incoming, activity)


async def undo(incoming: Incoming, activity: Activity, inner: Activity) -> None:
    """It is offered no longer."""
    is_of_mentoring = mentoring.is_named_in(inner.id)
    await (mentoring.undo_offer if is_of_mentoring else offers.undo)(incoming, activity, inner)
