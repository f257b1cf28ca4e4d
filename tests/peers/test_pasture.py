# SPDX-License-Identifier: Apache-2.0
"""Every Note that fediverse-pasture-inputs carries comes to something."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson

from tests.hostile.peer import Keys, World
from tests.peers import programs
from tests.peers.programs import PASTURE, Json
from tests.peers.stranger import Stranger
from tests.peers.town import Town, riverton
from web.demo.waiting import until

THEIRS = "http://pasture-one-actor"
# A host may send so many new people at once, and each Note is by a person of its own.
AUTHORS_A_HOST = 15
NOWHERE = "What this answers is not in the forum."
NOTHING = "This creates nothing that can be posted in a forum."
NO_POST = "is neither a thread nor a reply."
# What is not posted in the forum, and how the reason ends; everything else is posted.
NOT_POSTED = {
    **{("in_reply_to", number): NOWHERE for number in (0, 1, 2, 4, 6)},
    ("necessary_properties", 1): "no id that is an http or https address.",
    ("necessary_properties", 3): NOTHING,
    ("necessary_properties", 4): NOTHING,
    **{("object_types", number): NO_POST for number in (2, 7, 8, 9, 10)},
    ("object_types", 13): NOTHING,
}


@dataclass(frozen=True)
class Sent:
    """An example as it was sent, and what was answered."""

    family: str
    number: int
    activity: Json
    answer: httpx.Response


Example = tuple[str, int, Json]


def examples(families: dict[str, list[Json]]) -> Iterator[Example]:
    for family, members in sorted(families.items()):
        for number, example in enumerate(members):
            yield family, number, example


def ours(example: Json, stranger: Stranger) -> Json:
    """An example with the addresses of its authors' own server replaced by ours."""
    text = json.dumps(example).replace(f"{THEIRS}/actor", stranger.person)
    made: Json = json.loads(text.replace(THEIRS, stranger.origin))
    return made


async def send(town: Town, stranger: Stranger, activity: Json) -> httpx.Response:
    """Deliver an activity as the stranger's present person."""
    url, body = f"{town.origin}/inbox", orjson.dumps(activity)
    key_id = f"{stranger.person}#main-key"
    headers = stranger.sign(url, body, datetime.now(UTC), key_id=key_id)
    return await town.send("POST", url, {n.lower(): v for n, v in headers.items()}, body)


def rows(town: Town, question: str) -> list[tuple[str, ...]]:
    """What the instance's database holds."""
    address = f"file:{town.agency.folder / 'guildhall.db'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as database:
        return database.execute(question).fetchall()


async def reasons(town: Town, sent: list[Sent]) -> dict[tuple[str, int], str]:
    """Why each example was not posted, once all were worked on; empty where it was."""
    taken = {one.activity["id"]: one for one in sent if one.answer.status_code == 202}

    async def probe() -> list[tuple[str, ...]] | None:
        found = rows(town, "SELECT activity_id, note FROM inbox WHERE state <> 'waiting'")
        return found if len(found) >= len(taken) else None

    worked_on = {row[0]: row[1] for row in await until("the end of the work", probe, 120)}
    return {
        (one.family, one.number): worked_on.get(one.activity["id"], one.answer.text.strip())
        for one in sent
    }


async def send_all(town: Town, strangers: list[Stranger], every: list[Example]) -> list[Sent]:
    """Each example as a Note to the forum, by a person of its own."""
    sent = []
    for count, (family, number, example) in enumerate(every):
        stranger = strangers[count // AUTHORS_A_HOST]
        stranger.person = stranger.actor(f"/u/{family}_{number}")
        activity = stranger.create(town.forum)
        activity["object"] |= ours(example, stranger)
        answer = await send(town, stranger, activity)
        sent.append(Sent(family, number, activity, answer))
    return sent


async def test_every_note_of_the_pasture_comes_to_a_named_outcome(tmp_path: Path) -> None:
    families: dict[str, list[Json]] = await programs.run(PASTURE)
    assert len(families) >= 20
    every = list(examples(families))
    keys = Keys.make()
    strangers = [
        Stranger(f"pasture-{number}.localhost", PASTURE, keys)
        for number in range(len(every) // AUTHORS_A_HOST + 1)
    ]
    async with World(list(strangers)) as world:
        hosts = {stranger.host: world.port for stranger in strangers}
        async with riverton(tmp_path, hosts) as town:
            sent = await send_all(town, strangers, every)
            assert {one.answer.status_code for one in sent} == {202, 400}
            why = await reasons(town, sent)
            held = {uri: number for number, uri in rows(town, "SELECT id, uri FROM posts")}
            await must_be_shown(
                town, [one for one in sent if not why[one.family, one.number]], held
            )
            assert "error" not in town.agency.last_words().lower()
    said = {name: reason for name, reason in why.items() if reason}
    assert said.keys() == NOT_POSTED.keys()
    assert [name for name, end in NOT_POSTED.items() if not said[name].endswith(end)] == []


async def must_be_shown(town: Town, posted: list[Sent], held: dict[str, str]) -> None:
    """Everything posted is held; of each family the last is opened as a visitor."""
    last = {}
    for one in posted:
        uri = last[one.family] = one.activity["object"]["id"]
        assert uri in held, (one.family, one.number)
    async with town.agency.visitor() as visitor:
        for family, uri in last.items():
            page = await visitor.open(f"/p/{held[uri]}")
            assert uri in page.posts, family
