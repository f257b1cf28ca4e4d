# SPDX-License-Identifier: Apache-2.0
"""Every real payload ends as it should, for a reason that is named."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from federation.signatures.keys import SigningKey
from federation.urls import host_of_uri
from federation.vocabulary.documents import parse_any
from federation.vocabulary.errors import Malformed
from federation.vocabulary.values import type_of, url_id_of
from server.instance import Instance
from server.settings import Settings
from storage.facts import FactRow
from storage.forums import Forum
from storage.inbox import InboxRow
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.federation import payloads
from tests.federation.everywhere import Everywhere
from tests.federation.outcomes import OUTCOMES
from tests.federation.payloads import FIXTURES, Json, Place
from tests.hostile.commons import ORIGIN, Commons

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="The payloads are not here.")
COMES_AGAIN = 60


@pytest.fixture
def names() -> dict[str, str]:
    """The payloads, each with the label of its hosts."""
    return {name: f"n{number}" for number, name in enumerate(payloads.paths())}


@pytest.fixture
async def everywhere(names: dict[str, str]) -> AsyncIterator[Everywhere]:
    async with Everywhere(SigningKey.generate_rsa()) as served:
        for name, label in names.items():
            served.know(payloads.payload(name, label))
        yield served


@pytest.fixture
async def gh(
    names: dict[str, str], everywhere: Everywhere, settings: Settings, clock: TurnableClock
) -> AsyncIterator[Commons]:
    """Our server, which talks with everybody."""
    resolve = {host: f"127.0.0.1:{everywhere.port}" for host in payloads.hosts(names)}
    values = settings.model_dump() | {"origin": ORIGIN, "resolve": resolve, "federation": "open"}
    async with contextlib.AsyncExitStack() as stack:
        instance = await Instance.open(Settings(**values), clock=clock)
        stack.push_async_callback(instance.close)
        yield await stack.enter_async_context(Commons.open(instance, clock))


@dataclass
class Way:
    """One payload on its way to us: what comes before it, and how it ended."""

    name: str
    label: str
    place: Place
    steps: list[Json]
    end: tuple[str, str] = ("", "")
    facts: list[str] = field(default_factory=list)


async def way(gh: Commons, everywhere: Everywhere, name: str, label: str) -> Way:
    """A payload with all that must have happened before it."""
    document = payloads.payload(name, label)
    actor = url_id_of(document.get("actor")) or ""
    follow = await payloads.follow(gh, actor) if type_of(document) == "Accept" else {}
    thread = gh.thread
    if type_of(document) in {"Add", "Remove", "Lock", "Undo"}:
        thread = await makers.thread(gh.instance, gh.admin, gh.forum)
    place = Place(gh.forum.uri, thread.uri, follow)
    sent = place.towards(document) if payloads.is_sent(document) else None
    if sent is None:
        try:
            end = ("unsent", type(parse_any(document)).__name__)
        except Malformed as error:
            end = ("unsent", str(error))
        return Way(name, label, place, [], end)
    if sent["type"] == "Announce":
        await payloads.followed(gh.instance, sent["actor"])
        for uri in payloads.announced_about(sent):
            everywhere.post(uri, sent["actor"])
    if type_of(sent.get("object")) == "Group":
        await payloads.followed(gh.instance, url_id_of(sent["object"]) or "")
    return Way(name, label, place, [*place.before(sent), sent])


async def taken(gh: Commons, everywhere: Everywhere, ways: list[Way]) -> None:
    """Deliver one step of each, and have all of them worked on."""
    for one in ways:
        step = one.steps.pop(0)
        everywhere.know(step)
        answer = await gh.post(*everywhere.sign(step, gh.clock.now()))
        for _ in range(COMES_AGAIN):
            if answer.status_code != 503:
                break
            # The key takes long to be had; whoever is told so comes again.
            await asyncio.sleep(1)
            answer = await gh.post(*everywhere.sign(step, gh.clock.now()))
        one.end = (str(answer.status_code), answer.text.strip())
        if (
            step["id"].endswith("#like-1")
            and url_id_of(one.steps[0].get("object")) != step["actor"]
        ):
            await gh.settled()
            await payloads.make_steward(gh, step["actor"])
    await gh.settled()


async def ends(gh: Commons, ways: list[Way], last: dict[str, Json]) -> None:
    """How each ended: what was said at the door, else the note, else what came of it."""
    async with gh.instance.reading() as session:
        rows = (await session.execute(select(InboxRow))).scalars().all()
    by_id = {(row.signer, row.activity_id): row for row in rows}
    for one in ways:
        step = last[one.name]
        row = by_id.get((step["actor"], step["id"]))
        if one.end[0] == "202" and row is not None:
            one.end = (row.state, row.note or " ".join(dict.fromkeys(one.facts)))


async def recorded(gh: Commons, ways: list[Way], since: int) -> None:
    """The facts of what happened since, each with the payload whose people or posts it is about."""
    tables: tuple[tuple[type[Forum | Member | Post], str], ...] = (
        (Member, "member"), (Post, "post"), (Forum, "forum"), (Member, "by"),
    )  # fmt: skip
    labels = {one.label: one for one in ways}
    threads = {one.place.thread: one for one in ways if one.place.thread != gh.thread.uri}
    async with gh.instance.reading() as session:
        facts = await session.execute(
            select(FactRow).where(FactRow.id > since).order_by(FactRow.id)
        )
        for fact in facts.scalars().all():
            about = json.loads(fact.payload)
            for table, key in tables:
                held = await session.get(table, about.get(key) or 0)
                uri: str = getattr(held, "uri", "")
                host = host_of_uri(uri).partition(".")[0]
                found = labels.get(host) or threads.get(uri)
                if found is not None:
                    found.facts.append(fact.kind)
                    break


async def test_every_payload_ends_as_the_table_says(
    gh: Commons, everywhere: Everywhere, names: dict[str, str]
) -> None:
    """One that is not listed fails, as does one that ends otherwise."""
    ways = [await way(gh, everywhere, name, label) for name, label in names.items()]
    on_their_way = [one for one in ways if one.steps]
    last = {one.name: one.steps[-1] for one in on_their_way}
    while early := [one for one in on_their_way if len(one.steps) > 1]:
        await taken(gh, everywhere, early)
    gh.clock.turn(minutes=1)
    since = gh.instance.ids.next()
    await taken(gh, everywhere, on_their_way)
    await recorded(gh, on_their_way, since)
    await ends(gh, on_their_way, last)
    found = {one.name: one.end for one in ways}
    assert found == {name: (one.end, one.said) for name, one in OUTCOMES.items()}
