# SPDX-License-Identifier: Apache-2.0
"""Practices for tests, written and published by the real deeds."""

import json

from server.instance import Instance
from server.library import drafts, lineage, offering, publishing
from server.library.offering import OfferDraft
from server.records.editions import Beginning
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.practices import ChangeOffer
from tests.clock import TurnableClock

PERMITS = {
    "name": "Digital permits",
    "summary": "A form that refuses incomplete applications cut permit time by 40 %.",
    "problem": "Two thirds of applications came back.",
    "solution": "The form says what is missing **before** it is sent.",
    "setting.country": "US",
    "setting.level": "city",
    "setting.populationBand": "50k-499k",
    "steps": "1 2 3",
    "steps.1.title": "Sort returned applications",
    "steps.1.role": "Permit manager",
    "steps.2.title": "Write the checks",
    "steps.2.text": "Each refusal says **what** is missing.",
    "steps.3.title": "Switch on",
    "outcomes": "1",
    "outcomes.1.indicator": "Days from filing to permit",
    "outcomes.1.unit": "days",
    "outcomes.1.direction": "down",
    "outcomes.1.statistic": "median",
    "outcomes.1.baseline.value": "21",
    "outcomes.1.baseline.date": "2025-01",
    "outcomes.1.baseline.n": "1204",
    "outcomes.1.target.value": "14",
    "outcomes.1.actual.value": "12.6",
    "outcomes.1.actual.date": "2025-09",
    "outcomes.1.actual.n": "1187",
    "notWorked": "Refusing scanned drawings outright.",
    "conditions.must": "Electronic payment",
    "costs.startup": "140000",
    "costs.currency": "USD",
    "costBand": "3",
    "stage": "live",
    "topics.0": "permits-and-licensing",
    "functions.0": "04.1",
    "tags": "permits, forms",
    "license": "CC-BY-4.0",
}
"""The fields of a measured practice."""


async def begun(
    instance: Instance, member: Member, forum: Forum | None = None, **fields: str
) -> int:
    """A draft with these fields over those of PERMITS; `__` in a name stands for a dot."""
    typed = {**PERMITS, **{name.replace("__", "."): value for name, value in fields.items()}}
    async with instance.transaction() as tx:
        beginning = Beginning(typed, forum=forum.id if forum else None)
        return (await drafts.begin(tx, member, beginning)).id


async def published(instance: Instance, member: Member, forum: Forum, **fields: str) -> Post:
    """A practice in a forum, a minute after whatever came before."""
    if isinstance(instance.clock, TurnableClock):
        instance.clock.turn(minutes=1)
    number = await begun(instance, member, forum, **fields)
    async with instance.transaction() as tx:
        return await publishing.publish(tx, member, number)


async def adapted_from(instance: Instance, member: Member, forum: Forum, uri: str) -> Post:
    """A practice that says it was made from one that is not held here."""
    kept = json.dumps({"basedOn": [{"uri": uri, "version": 1}]})
    return await published(instance, member, forum, kept=kept)


async def offered(
    instance: Instance, member: Member, forum: Forum, source: Post
) -> tuple[Post, ChangeOffer]:
    """An adaptation in a forum, and a lesson of it offered to the author of its source."""
    async with instance.transaction() as tx:
        draft = await lineage.adapt(tx, member, source)
        lesson = {"lessons": "Begin with the ten reasons."}
        await drafts.save(tx, member, draft.id, {}, lesson)
        await drafts.place(tx, member, draft.id, forum.id)
    async with instance.transaction() as tx:
        made = await publishing.publish(tx, member, draft.id)
    async with instance.transaction() as tx:
        offer = await offering.offer(tx, member, made, OfferDraft(("lessons",), "It saves weeks."))
    return made, offer
