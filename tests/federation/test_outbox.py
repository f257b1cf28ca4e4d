# SPDX-License-Identifier: Apache-2.0
"""What happened becomes activities, in the forms that followers take."""

from collections.abc import AsyncIterator

import orjson
import pytest
from sqlalchemy import select

from federation.outbox.tell import tell_waiting
from federation.signatures.keys import VerificationKey
from federation.signatures.proofs import check_proof
from federation.station import Station
from federation.vocabulary.terms import PUBLIC
from server import endorsements
from server.forums import deeds, follows
from server.instance import Instance
from server.posts import editing, steering
from server.posts.drafts import EditDraft
from storage import keys
from storage.facts import FactRow
from storage.forums import Forum, Visibility
from storage.log import ActivityBody, Form, LogRow
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.federation.wire_schema import Json, must_be_an_announce


@pytest.fixture
async def station(instance: Instance) -> AsyncIterator[Station]:
    """The federation side, with nobody listening anywhere."""
    opened = Station(instance)
    yield opened
    await opened.close()


async def told(station: Station) -> list[tuple[str, Json]]:
    """Tell every fact; answers (form, body) of the whole log, in order."""
    while await tell_waiting(station):
        pass
    async with station.instance.reading() as session:
        failed = select(FactRow.error).where(FactRow.error != "")
        assert (await session.execute(failed)).scalars().all() == []
        question = (
            select(LogRow.form, ActivityBody.body)
            .join(ActivityBody, ActivityBody.id == LogRow.body_id)
            .order_by(LogRow.seq)
        )
        rows = (await session.execute(question)).all()
    return [(form, orjson.loads(body)) for form, body in rows if body is not None]


async def followed(instance: Instance, forum: Forum, handle: str = "marek") -> Member:
    person = await makers.person_elsewhere(instance, handle)
    async with instance.transaction() as tx:
        await follows.accept_follower(tx, person, forum, f"{person.uri}#follow-1")
    return person


async def everything(instance: Instance, admin: Member, forum: Forum) -> tuple[Post, Post]:
    """Every deed there is on a thread and a reply, both left standing."""
    thread = await makers.thread(instance, admin, forum, tags=("metrics",))
    answer = await makers.reply(instance, await makers.member(instance, "ana"), thread, "@sam yes")
    async with instance.transaction() as tx:
        await endorsements.endorse(tx, admin, answer)
        await endorsements.withdraw(tx, admin, answer)
        for on in (True, False):
            await steering.lock(tx, admin, thread, locked=on)
            await steering.pin(tx, admin, thread, pinned=on)
        await editing.edit(tx, admin, thread, EditDraft("Newer", "Newer *words*", ("metrics",)))
    return thread, answer


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.AGENCIES])
async def test_everything_announced_fits_the_strictest_reader(
    instance: Instance, admin: Member, station: Station, visibility: Visibility
) -> None:
    forum = await makers.forum(instance, admin, visibility=visibility)
    await everything(instance, admin, forum)
    announced = [body for form, body in await told(station) if form == Form.WRAPPED]
    kinds = [body["object"]["type"] for body in announced]
    assert kinds == [
        "Create", "Create", "Like", "Undo", "Lock", "Add", "Undo", "Remove", "Update",
    ]  # fmt: skip
    for body in announced:
        must_be_an_announce(body)
        assert body["actor"] == forum.uri
        shown = PUBLIC in orjson.dumps(body).decode()
        assert shown == (visibility == Visibility.PUBLIC)


async def test_every_activity_and_object_carries_a_valid_proof(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    await everything(instance, admin, forum)
    checked = 0
    for _, body in await told(station):
        parts = [body, body["object"]]
        parts.append(parts[1].get("object") if isinstance(parts[1], dict) else None)
        for document in parts:
            if not isinstance(document, dict) or "proof" not in document:
                continue
            owner = document["proof"]["verificationMethod"].partition("#")[0]
            assert owner == document.get("actor", document.get("attributedTo"))
            async with instance.reading() as session:
                [key] = [one for one in await keys.of_owner(session, owner) if one.kind != "rsa"]
            check_proof(document, VerificationKey.from_pem(key.public), now=instance.clock.now())
            checked += 1
    assert checked >= 9 + 9 + 3


async def test_a_deletion_takes_the_words_out_of_the_log_and_is_announced(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, forum, source="taintword")
    await told(station)
    async with instance.transaction() as tx:
        await editing.remove(tx, admin, thread)
    [(form, body)] = await told(station)
    assert (form, body["object"]["type"]) == (Form.WRAPPED, "Delete")
    must_be_an_announce(body)
    assert "summary" not in body["object"]
    async with instance.reading() as session:
        bodies = (await session.execute(select(ActivityBody.body))).scalars().all()
    assert all("taintword" not in (body or "") for body in bodies)


async def test_a_removal_by_a_steward_says_why(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    ana = await makers.member(instance, "ana")
    thread = await makers.thread(instance, ana, forum)
    async with instance.transaction() as tx:
        await editing.remove(tx, admin, thread, "Advertising")
    [(_, body)] = [one for one in await told(station) if one[1]["object"]["type"] == "Delete"]
    assert (body["object"]["summary"], body["object"]["actor"]) == ("Advertising", admin.uri)


async def test_an_opener_is_boosted_only_where_a_follower_may_need_it(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    await makers.thread(instance, admin, forum)
    assert Form.BOOST not in [form for form, _ in await told(station)]
    await followed(instance, forum)
    await told(station)
    thread = await makers.thread(instance, admin, forum, "Second")
    boosts = [body for form, body in await told(station) if form == Form.BOOST]
    assert [body["object"] for body in boosts] == [thread.uri]
    must_be_an_announce(boosts[0])
    assert boosts[0]["id"] == f"{forum.uri}/announce/{thread.id}"


@pytest.mark.parametrize("visibility", [Visibility.INSTANCE, Visibility.MEMBERS])
async def test_a_forum_that_does_not_federate_says_nothing(
    instance: Instance, admin: Member, station: Station, visibility: Visibility
) -> None:
    forum = await makers.forum(instance, admin, visibility=visibility)
    thread = await makers.thread(instance, admin, forum)
    await makers.reply(instance, admin, thread)
    async with instance.transaction() as tx:
        await endorsements.endorse(tx, admin, thread)
        await steering.lock(tx, admin, thread, locked=True)
        await deeds.name_steward(tx, admin, forum, admin, named=False)
    assert await told(station) == []


async def test_activity_ids_are_derived_and_a_fact_told_twice_is_one_row(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, forum)
    [(_, body)] = await told(station)
    assert body["object"]["id"] == f"{admin.uri}#create-{thread.id}"
    async with instance.transaction() as tx:
        for row in (await tx.session.execute(select(FactRow))).scalars():
            row.done = None
    assert len(await told(station)) == 1
