# SPDX-License-Identifier: Apache-2.0
"""What the calendar does by itself: reminders, the next of what repeats."""

from datetime import timedelta

import structlog
from sqlalchemy import Text, func, select

from server.calendar import by_mail, series
from server.calendar.recurring import horizon
from server.errors import Refusal
from server.events import telling
from server.instance import Instance
from storage.base import UtcDateTime
from storage.events import Event, EventSeries
from storage.plain import Question, ask, given

logger = structlog.get_logger("guildhall.calendar")
AHEAD = timedelta(hours=24)
AT_ONCE = 50
# Written once: they are asked every few minutes for as long as a server runs.
_SOON = Question(
    select(Event.post_id)
    .where(
        Event.starts > given("now", UtcDateTime()),
        Event.starts <= given("until", UtcDateTime()),
        Event.reminded.is_(None),
        Event.status != "cancelled",
    )
    .order_by(Event.starts)
    .limit(AT_ONCE),
    int,
)
_AHEAD = (
    select(func.count())
    .where(Event.series == EventSeries.uri, Event.starts > given("now", UtcDateTime()))
    .scalar_subquery()
)
# Most have as many ahead as they may: those are not worked out anew each time.
_GOING_ON = Question(
    select(EventSeries.id)
    .where(
        EventSeries.ended.is_(False),
        EventSeries.upto < given("upto", Text()),
        _AHEAD < series.MOST_AHEAD,
    )
    .order_by(EventSeries.id)
    .limit(1_000),
    int,
)


async def tend(instance: Instance) -> None:
    """Remind those who come to what is soon, and put what repeats into the calendar."""
    async with instance.transaction() as tx:
        await by_mail.tidy(tx)
    await _remind(instance)
    await _repeat(instance)


async def _remind(instance: Instance) -> None:
    """A day ahead, or at once for what was announced later than that; once for each start."""
    now = instance.clock.now()
    async with instance.reading() as session:
        soon = await ask(session, _SOON, now=now, until=now + AHEAD)
    for number in soon:
        async with instance.transaction() as tx:
            event = await tx.session.get(Event, number)
            if event is not None and event.reminded is None:
                event.reminded = now
                await telling.remind(tx, event)


async def _repeat(instance: Instance) -> None:
    now = instance.clock.now()
    upto = series.named(horizon(now).replace(tzinfo=None))
    async with instance.reading() as session:
        going_on = await ask(session, _GOING_ON, now=now, upto=upto)
    for number in going_on:
        async with instance.transaction() as tx:
            held = await tx.session.get(EventSeries, number)
            if held is None:
                continue
            try:
                await series.extend(tx, held)
            except Refusal as refusal:
                # Made by a version that took what this one does not.
                logger.error("series ended", series=held.uri, why=refusal.sentence)
                held.ended = True
