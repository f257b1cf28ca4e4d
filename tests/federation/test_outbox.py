# SPDX-License-Identifier: Apache-2.0
"""What happened becomes activities, in the forms that followers take."""

import orjson
import pytest
from sqlalchemy import select

from federation.signatures.keys import VerificationKey
from federation.signatures.proofs import check_proof
from federation.station import Station
from federation.vocabulary.terms import PUBLIC
from server import endorsements, peers
from server.facts import ActivityRefused
from server.forums import deeds, elsewhere, follows
from server.instance import Instance
from server.members import profile
from server.members.profile import ProfileDraft
from server.posts import editing, steering
from server.posts.drafts import EditDraft
from storage import keys
from storage.facts import FactRow
from storage.forums import Forum, Visibility
from storage.log import ActivityBody, Form
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.federation import told as telling
from tests.federation.told import people_everywhere, summed_up, told
from tests.federation.wire_schema import must_be_an_announce, must_be_sent_so

station = telling.station


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
    bodies = [body for form, body in await told(station) if form == Form.WRAPPED]
    kinds = [body["object"]["type"] for body in bodies]
    assert kinds == [
        "Create", "Create", "Like", "Undo", "Lock", "Add", "Undo", "Remove", "Update",
    ]  # fmt: skip
    for body in bodies:
        must_be_an_announce(body)
        assert body["actor"] == forum.uri
        shown = PUBLIC in orjson.dumps(body).decode()
        assert shown == (visibility == Visibility.PUBLIC)


WRAPPED = {
    f"wrapped {kind}"
    for kind in (
        "Create{Article}", "Create{Note}", "Update{Article}", "Update{Note}", "Update{Group}",
        "Delete{Tombstone}", "Like{id}", "Undo{Like}", "Lock{id}", "Undo{Lock}", "Add{id}",
        "Remove{id}",
    )
}  # fmt: skip
ANSWERS = {"direct Accept{Follow}", "direct Reject{id}", "direct Update{Person}"}
LEAVING_HOME = {
    Visibility.AGENCIES: WRAPPED | ANSWERS | {"direct Reject{Follow}"},
    Visibility.PUBLIC: WRAPPED | ANSWERS | {
        "boost Announce{id}", "boost Undo{Announce}",
        "author Update{Article}", "author Update{Note}", "author Update{Group}",
        "author Delete{Tombstone}",
        "deed Create{Note}", "deed Like{id}", "deed Undo{Like}",
        "direct Create{Article}", "direct Create{Note}", "direct Like{id}", "direct Undo{Like}",
    },
}  # fmt: skip


@pytest.mark.parametrize("visibility", LEAVING_HOME)
async def test_everything_that_leaves_a_home_fits_the_strictest_reader(
    instance: Instance, admin: Member, station: Station, visibility: Visibility
) -> None:
    forum = await makers.forum(instance, admin, visibility=visibility)
    people = await people_everywhere(instance)
    async with instance.transaction() as tx:
        for person in people:
            await follows.accept_follower(tx, person, forum, f"{person.uri}#follow-1")
            tx.record(ActivityRefused(forum.id, person.id, f"{person.uri}#create-1", "Closed."))
    names = " ".join(f"@marek@{person.peer}" for person in people)
    thread, _ = await everything(instance, admin, forum)
    await makers.thread(instance, admin, forum, "Named", names)
    theirs = await makers.reply(instance, people[3], thread)
    ana = await makers.member(instance, "dee")
    mine = await makers.reply(instance, ana, theirs, names)
    async with instance.transaction() as tx:
        await endorsements.endorse(tx, admin, theirs)
        await endorsements.withdraw(tx, admin, theirs)
        await editing.edit(tx, ana, mine, EditDraft("", "Newer"))
        for named in (True, False):
            await deeds.name_steward(tx, admin, forum, people[0], named=named)
        await deeds.change(tx, admin, forum, deeds.ForumDraft("counters", "Newer", ""))
        await profile.change(
            tx, await tx.session.get_one(Member, ana.id), ProfileDraft("Dee", "", "")
        )
    sent = await told(station)
    async with instance.transaction() as tx:
        await editing.remove(tx, admin, mine, "Advertising")
        await editing.remove(tx, admin, thread)
    sent += (await told(station))[1:]
    for form, body in sent:
        must_be_sent_so(form, body)
        about = orjson.dumps(body).decode()
        if visibility == Visibility.AGENCIES and "Person" not in about:
            assert PUBLIC not in about
    assert {summed_up(form, body) for form, body in sent} == LEAVING_HOME[visibility]


async def test_everything_that_leaves_a_copy_fits_the_strictest_reader(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum_elsewhere(instance, peer="lemmy.localhost")
    people = await people_everywhere(instance)
    ana = await makers.member(instance, "ana")
    await makers.follow(instance, ana, forum)
    theirs = await makers.thread(instance, people[3], forum)
    thread = await makers.thread(instance, ana, forum)
    answer = await makers.reply(instance, ana, theirs)
    dee = await makers.member(instance, "dee")
    async with instance.transaction() as tx:
        await follows.follow(tx, dee, forum)
        await elsewhere.set_stewards(tx, forum, [ana])
        await endorsements.endorse(tx, ana, theirs)
        await endorsements.withdraw(tx, ana, theirs)
        await steering.lock(tx, ana, theirs, locked=True)
        await steering.pin(tx, ana, theirs, pinned=True)
        await editing.edit(tx, ana, thread, EditDraft("Newer", "Newer"))
        await editing.remove(tx, ana, theirs, "Advertising")
        await follows.leave(tx, ana, forum)
    sent = await told(station)
    async with instance.transaction() as tx:
        await editing.remove(tx, ana, answer)
    sent += (await told(station))[1:]
    for form, body in sent:
        must_be_sent_so(form, body)
    assert {form for form, _ in sent} == {Form.DIRECT}
    assert {summed_up(form, body).partition(" ")[2] for form, body in sent} == {
        "Follow{id}", "Undo{Follow}", "Create{Article}", "Create{Note}", "Update{Article}",
        "Like{id}", "Undo{Like}", "Lock{id}", "Add{id}", "Delete{Tombstone}",
    }  # fmt: skip


async def test_rows_depend_on_the_forms_that_are_needed_and_never_on_followers(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, forum)
    for software, rows in (
        ("guildhall", ["wrapped"] * 3),
        ("mastodon", ["wrapped", "wrapped", "author", "wrapped"]),
        ("discourse", ["wrapped", "deed", "wrapped", "author", "wrapped", "deed"]),
    ):
        for number in range(3):
            host = f"{software}{number}.localhost"
            person = await makers.person_elsewhere(instance, "marek", peer=host)
            async with instance.transaction() as tx:
                (await peers.seen(tx, host, f"http://{host}")).software = software
                await follows.accept_follower(tx, person, forum, f"{person.uri}#follow-1")
        before = len(await told(station))
        answer = await makers.reply(instance, admin, thread)
        someone = await makers.member(instance, f"x{software}")
        async with instance.transaction() as tx:
            await editing.edit(tx, admin, answer, EditDraft("", f"Newer {software}"))
            await endorsements.endorse(tx, someone, answer)
        assert [form for form, _ in (await told(station))[before:]] == rows


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
