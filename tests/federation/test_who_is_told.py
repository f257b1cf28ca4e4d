# SPDX-License-Identifier: Apache-2.0
"""Who needs which form of what happens, asked of both databases."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from federation.outbox import needs
from federation.outbox.about_members import profile_changed
from federation.outbox.telling import Telling
from federation.station import Station
from federation.urls import host_of_uri
from server import peers
from server.facts import ProfileChanged
from server.forums import follows
from server.instance import Instance
from server.peers import RuleDraft
from storage import log
from storage.fetches import FetchedPost
from storage.forums import Forum
from storage.keys import ActorKey
from storage.log import Entry, Form, Lane, LogRecipient, LogRow
from storage.members import Member
from storage.posts import Post
from tests import databases, makers

database_url = databases.database_url
KINDS = ("guildhall", "lemmy", "mastodon", "discourse")


@pytest.fixture
async def station(instance: Instance) -> AsyncIterator[Station]:
    opened = Station(instance)
    yield opened
    await opened.close()


def host(software: str) -> str:
    return f"{software}.localhost"


async def known(instance: Instance, software: str, *, allowed: bool = True) -> Member:
    """A person on a server that runs some software."""
    person = await makers.person_elsewhere(instance, "marek", peer=host(software))
    async with instance.transaction() as tx:
        peer = await peers.seen(tx, host(software), f"http://{host(software)}")
        peer.software = software.partition("-")[0]
        if allowed:
            await peers.add_rule(tx, None, RuleDraft(host(software)))
    return person


async def fetched(instance: Instance, post: Post, software: str, inbox: str) -> None:
    """Note that a server fetched a post; its actor takes deliveries at an inbox."""
    actor = f"http://{host(software)}/actor"
    async with instance.transaction() as tx:
        tx.session.add(FetchedPost(post_id=post.id, host=host(software), actor=actor))
        for kind in ("rsa", "ed25519"):
            tx.session.add(
                ActorKey(
                    key_id=f"{actor}#{kind}", owner=actor, kind=kind, public="", label="",
                    created=tx.now, checked=tx.now, inbox=inbox,
                )
            )  # fmt: skip


async def test_forms_are_wanted_by_who_follows_or_has_followed(
    instance: Instance, admin: Member
) -> None:
    forum = await makers.forum(instance, admin)
    people = {name: await known(instance, name) for name in KINDS}

    async def wanted(*, ever: bool) -> set[Form]:
        async with instance.reading() as session:
            return {
                form for form in (Form.WRAPPED, Form.BOOST, Form.AUTHOR, Form.DEED)
                if await needs.is_wanted(session, forum, form, ever=ever)
            }  # fmt: skip

    async def turn(name: str, *, on: bool) -> None:
        async with instance.transaction() as tx:
            lane = await log.lane_to(
                tx.session, people[name].inbox, host(name), tx.ids.next(), tx.now
            )
            if on:
                await log.subscribe(tx.session, forum.uri, lane, tx.ids.next())
            else:
                await log.unsubscribe(tx.session, forum.uri, lane)

    assert await wanted(ever=True) == set()
    await turn("guildhall", on=True)
    await turn("lemmy", on=True)
    assert await wanted(ever=True) == {Form.WRAPPED}
    await turn("mastodon", on=True)
    assert await wanted(ever=False) == {Form.WRAPPED, Form.BOOST, Form.AUTHOR}
    await turn("discourse", on=True)
    assert await wanted(ever=False) == {Form.WRAPPED, Form.BOOST, Form.AUTHOR, Form.DEED}
    for name in ("mastodon", "discourse"):
        await turn(name, on=False)
    assert await wanted(ever=False) == {Form.WRAPPED}
    assert await wanted(ever=True) == {Form.WRAPPED, Form.BOOST, Form.AUTHOR, Form.DEED}


async def test_who_hears_of_a_post_from_its_author_directly(
    instance: Instance, admin: Member
) -> None:
    everybody = [await known(instance, name) for name in (*KINDS, "mastodon-2")]
    everybody.append(await known(instance, "mastodon-3", allowed=False))
    everybody.append(admin)
    async with instance.reading() as session, instance.transaction() as tx:
        found = await needs.listeners(tx, everybody)
        reads = [await needs.reads_refusals(session, one.inbox) for one in everybody[:4]]
    assert [host_of_uri(inbox) for inbox in found] == [host("mastodon"), host("mastodon-2")]
    assert reads == [True, False, True, False]


async def test_who_fetched_a_post_is_told_unless_they_are_told_anyway(
    instance: Instance, admin: Member
) -> None:
    forum = await makers.forum(instance, admin)
    post = await makers.thread(instance, admin, forum)
    names = (*KINDS, "mastodon-2", "mastodon-3", "mastodon-4", "mastodon-5")
    for name in names:
        await known(instance, name, allowed=name != "mastodon-3")
        aimed = "victim.localhost" if name == "mastodon-4" else host(name)
        await fetched(instance, post, name, f"http://{aimed}/inbox")
    async with instance.transaction() as tx:
        for name, follows_it in (("mastodon", True), ("mastodon-2", False)):
            inbox = f"http://{host(name)}/other"
            lane = await log.lane_to(tx.session, inbox, host(name), tx.ids.next(), tx.now)
            if follows_it:
                await log.subscribe(tx.session, forum.uri, lane, tx.ids.next())
        lanes, inboxes = await needs.fetchers(tx, post, forum)
        # At a copy nobody follows here: all of them are told by us alone.
        elsewhere = await needs.fetchers(tx, post, Forum(uri="http://lemmy.localhost/f/x"))
        known_lanes = (await tx.session.execute(select(Lane))).scalars()
        by_lane = {lane.id: lane.peer for lane in known_lanes}
    assert [by_lane[one] for one in lanes] == [host("mastodon-2")]
    assert inboxes == [f"http://{host(name)}/inbox" for name in ("discourse", "mastodon-5")]
    assert [by_lane[one] for one in elsewhere[0]] == [host("mastodon-2"), host("mastodon")]


async def test_a_changed_profile_goes_to_agencies_and_to_who_has_met_the_member(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    post = await makers.thread(instance, admin, forum)
    people = {name: await known(instance, name) for name in (*KINDS, "mastodon-2", "mastodon-3")}
    async with instance.transaction() as tx:
        for name in ("guildhall", "mastodon-2", "mastodon-3"):
            inbox = people[name].inbox
            lane = await log.lane_to(tx.session, inbox, host(name), tx.ids.next(), tx.now)
            if name == "mastodon-2":
                entry = Entry(
                    Form.DIRECT, f"{admin.uri}#create-{post.id}", admin.uri, "", "", post.uri
                )
                await Telling(station, tx, None).append("{}", [(entry, [lane.id])])
        for name in ("lemmy", "mastodon", "discourse"):
            person = await tx.session.get_one(Member, people[name].id)
            await follows.accept_follower(tx, person, forum, f"{person.uri}#follow-1")
            inbox = person.shared_inbox or person.inbox
            lane = await log.lane_to(tx.session, inbox, host(name), tx.ids.next(), tx.now)
            await log.subscribe(tx.session, forum.uri, lane, tx.ids.next())
        await profile_changed(Telling(station, tx, None), ProfileChanged(admin.id))
        told = (
            select(Lane.peer)
            .join(LogRecipient, LogRecipient.lane_id == Lane.id)
            .join(LogRow, LogRow.seq == LogRecipient.seq)
            .where(LogRow.subject == admin.uri)
        )
        found = set((await tx.session.execute(told)).scalars())
    assert found == {host(name) for name in ("guildhall", "mastodon", "mastodon-2")}
